/** What is told of a source's stream from the store and the ends of its logs, and whether it lacks events from before an instant. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords, type OnlineRecords } from '../../src/online/records.ts';
import { addSpilledKeys } from '../../src/online/spill/spilled-views.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { ofStream } from '../../src/serve/alerts.ts';
import { isSourceBehind } from '../../src/serve/source-behind.ts';
import { createStreamStatus } from '../../src/serve/stream-status.ts';
import type { LogRange } from '../../src/stream/log/log.ts';
import type { SourceLogs } from '../../src/stream/open-logs.ts';
import { noCounts, openProgress } from '../../src/stream/progress.ts';
import { type Alert, type AlertRule, type Findings, stepAlerts } from '../../src/validate/alerts/step.ts';

const midnightUs = 1_773_100_800_000_000n;
const hourUs = 3_600_000_000n;
const nowUs = midnightUs + hourUs;

let root: string;
let store: OnlineStore;
let records: OnlineRecords;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'featherflight-status-'));
  store = openLmdbStore(root);
  records = createOnlineRecords(store, 'test');
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const registry = {
  sources: [
    {
      ...{ name: 'clicks', kind: 'event', eventTimestamp: 'at', columns: [], events: { columns: [] } },
      stream: { kind: 'kafka', topic: 'clicks', brokers: ['127.0.0.1:9'], format: 'json', from: 'earliest' },
    },
  ],
  views: ['windows', 'sessions'].map((name) => ({ name, kind: 'stream', source: 'clicks' })),
} as unknown as RegistryDocument;

type Given = Readonly<Record<string, LogRange>> | FeatureStoreError;

/** With the topic's partitions as they are given, or an error in their place. */
function statusOf(given: Given | (() => Given), clock = () => nowUs) {
  const declared = async () => {
    const ranges = typeof given === 'function' ? given() : given;
    if (ranges instanceof FeatureStoreError) throw ranges;
    return new Map(Object.entries(ranges));
  };
  const logs = {
    push: { ranges: async () => new Map([['push', { first: 0n, end: 0n }]]) },
    openStream: () => ({ log: { ranges: declared } }),
  } as unknown as SourceLogs;
  return createStreamStatus({ records, registry: () => registry, openLogs: () => logs, nowUs: clock });
}

const isBehind = (ranges: Given) => isSourceBehind(statusOf(ranges), 'clicks', midnightUs, nowUs);

async function applied(partition: string, next: bigint, maxEventUs: bigint | undefined): Promise<void> {
  await openProgress(records, 'clicks').reset(partition, { epoch: 0, next, maxEventUs, pending: undefined, counts: noCounts });
}

const ten = { first: 0n, end: 10n };

test('a source is behind where what waits may have happened before the instant', async () => {
  await applied('push', 0n, undefined);
  expect(await isBehind({})).toBe(false);
  // Nothing was read of what is there.
  expect(await isBehind({ 0: ten })).toBe(true);
  await applied('0', 5n, midnightUs - 1_000_000n);
  expect(await isBehind({ 0: ten })).toBe(true);
  // The newest that was applied came after it: what waits did too, but for what is late.
  await applied('0', 5n, midnightUs + 1_000_000n);
  expect(await isBehind({ 0: ten })).toBe(false);
  await applied('0', 10n, midnightUs - hourUs);
  expect(await isBehind({ 0: ten })).toBe(false);
  await applied('1', 3n, midnightUs - hourUs);
  expect(await isBehind({ 0: ten, 1: ten })).toBe(true);
});

test('a partition that no log has is gone; a log that is shorter than what was read, or away, may lack anything', async () => {
  await applied('0', 5n, midnightUs - hourUs);
  expect(await isBehind({})).toBe(false);
  expect(await isBehind({ 0: { first: 0n, end: 4n } })).toBe(true);
  expect(await isBehind(new FeatureStoreError('UNAVAILABLE', 'away'))).toBe(true);
});

test('an alert of a partition outlives an outage of its log, and one of a log that is shorter than what was read', async () => {
  await applied('0', 5n, midnightUs - hourUs);
  const rules: readonly AlertRule[] = [{ when: 'lag', above: 60, forMs: 0, severity: 'critical' }];
  const labels = { source: 'clicks', partition: '0' };
  const late: Findings = { lag: [{ when: 'lag', labels, text: '', seconds: 90 }] };
  const { alerts } = stepAlerts(rules, [], late, 0);
  const look = async (ranges: Given) => {
    const status = statusOf(ranges);
    const found = { lag: (await status.read()).flatMap((stream) => ofStream(stream, status.isOlder)) };
    return stepAlerts(rules, alerts, found, 1).news.map(({ kind }) => kind);
  };
  expect(await look(new FeatureStoreError('UNAVAILABLE', 'away'))).toEqual([]);
  expect(await look({ 0: { first: 0n, end: 4n } })).toEqual([]);
  expect(await look({ 0: { first: 0n, end: 5n } })).toEqual(['resolved']);
  expect(await look({})).toEqual(['resolved']);
});

test('a stream of which nothing was ever applied lags by what it has waited, and one event after a silence by nothing', async () => {
  await applied('1', 3n, midnightUs - hourUs);
  await applied('2', 4n, undefined);
  let [clock, ends] = [nowUs, [0n, 3n, 5n]];
  const ranges = () => Object.fromEntries(ends.map((end, at) => [at, { first: 0n, end }]));
  const status = statusOf(ranges, () => clock);
  // What logs answer is kept for two seconds, of which the test has no time to wait.
  const rules: readonly AlertRule[] = [{ when: 'lag', above: 60, forMs: 0, severity: 'critical' }];
  let alerts: readonly Alert[] = [];
  async function look(after: bigint) {
    clock += after * 1_000_000n;
    vi.spyOn(performance, 'now').mockReturnValue(Number(clock / 1000n));
    const found = await status.read();
    const step = stepAlerts(rules, alerts, { lag: found.flatMap((one) => ofStream(one, status.isOlder)) }, 0);
    alerts = step.alerts;
    const seconds = found[0]?.partitions.slice(0, 3).map(({ lag_seconds: lag }) => lag);
    return [seconds, step.news.map(({ kind, alert }) => `${kind} ${alert.labels.partition}`)];
  }
  try {
    // Of the third nobody knows since when it waits.
    expect(await look(0n)).toEqual([[0, 0, null], []]);
    ends = [8n, 4n, 5n];
    expect(await look(7200n)).toEqual([[0, 0, 7200], ['firing 2']]);
    expect(await look(61n)).toEqual([
      [61, 61, 7261],
      ['firing 0', 'firing 1'],
    ]);
    await applied('1', 4n, midnightUs);
    await applied('2', 5n, undefined);
    expect(await look(5n)).toEqual([
      [66, 0, 0],
      ['resolved 1', 'resolved 2'],
    ]);
  } finally {
    vi.restoreAllMocks();
  }
});

test('a server that starts anew does not end the alert of what still waits', async () => {
  await applied('0', 5n, midnightUs);
  const rules: readonly AlertRule[] = [{ when: 'lag', above: 60, forMs: 0, severity: 'critical' }];
  const late: Findings = { lag: [{ when: 'lag', labels: { source: 'clicks', partition: '0' }, text: '', seconds: 90 }] };
  let { alerts } = stepAlerts(rules, [], late, 0);
  let clock = nowUs;
  const status = statusOf({ 0: ten }, () => clock);
  for (const after of [0n, 15n, 30n, 60n]) {
    clock = nowUs + after * 1_000_000n;
    const lag = (await status.read()).flatMap((one) => ofStream(one, status.isOlder));
    const step = stepAlerts(rules, alerts, { lag }, 0);
    expect(step.news).toEqual([]);
    alerts = step.alerts;
  }
  await applied('0', 10n, midnightUs);
  const lag = (await status.read()).flatMap((one) => ofStream(one, status.isOlder));
  expect(stepAlerts(rules, alerts, { lag }, 0).news.map(({ kind }) => kind)).toEqual(['resolved']);
});

test('states that have spilled are told of the source, over all of its views', async () => {
  const spilled = async () => (await statusOf({}).read('clicks'))[0]?.spilled_states;
  expect(await spilled()).toBe(0);
  await addSpilledKeys(records, new Map([['windows', 3]]));
  await addSpilledKeys(records, new Map([['sessions', 1]]));
  await addSpilledKeys(records, new Map([['others', 7]]));
  expect(await spilled()).toBe(4);
});

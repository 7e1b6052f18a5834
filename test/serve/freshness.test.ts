/** Freshness as the store and the ends of logs tell it: of batch views, of streams that go on, rest, fall behind or are not reached. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { beginRun, endRun } from '../../src/materialize/view-state.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { noteNewestEvent } from '../../src/online/newest-events.ts';
import { createOnlineRecords, type OnlineRecords } from '../../src/online/records.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { hashState } from '../../src/online/windows/window-view.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import { createFreshness } from '../../src/serve/freshness.ts';
import { createStreamStatus } from '../../src/serve/stream-status.ts';
import type { LogRange } from '../../src/stream/log/log.ts';
import type { SourceLogs } from '../../src/stream/open-logs.ts';
import { noCounts, openProgress } from '../../src/stream/progress.ts';

const second = 1_000_000n;
const startUs = 1_773_144_000n * second;
let root: string;
let store: OnlineStore;
let records: OnlineRecords;
let nowUs = startUs;
let ranges: Readonly<Record<string, LogRange>> | FeatureStoreError;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'featherflight-freshness-'));
  store = openLmdbStore(root);
  records = createOnlineRecords(store, 'test');
  nowUs = startUs;
  ranges = {};
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const view = (name: string, more: object) =>
  ({ name, keys: [], entities: [], features: [{ name: 'n', hash: 'h1' }], ...more }) as unknown as ViewDocument;
const profile = view('profile', { kind: 'batch', source: 'profiles', freshness: '1h' });
const activity = view('activity', { kind: 'stream', source: 'clicks', freshness: '60s' });
const clicks = {
  ...{ name: 'clicks', kind: 'event', eventTimestamp: 'at', columns: [], events: { columns: [] } },
  stream: { kind: 'kafka', topic: 'clicks', brokers: ['127.0.0.1:9'], format: 'json', from: 'earliest' },
};
const orders = view('orders', { kind: 'stream', source: 'purchases', freshness: '60s' });
const registry = {
  sources: [clicks, { ...clicks, name: 'purchases' }],
  views: [profile, activity, orders],
} as unknown as RegistryDocument;

/** Another one for each server. */
function open(views: RegistryDocument['views'] = registry.views) {
  const freshness = openFreshness(views);
  return async (name: string) => {
    const found = (await freshness.read([name]))[0];
    return [found?.event.state, found?.event.seconds, found?.processing.state, found?.processing.seconds];
  };
}

function openFreshness(views: RegistryDocument['views'] = registry.views) {
  const logs = {
    push: { ranges: async () => new Map([['push', { first: 0n, end: 0n }]]) },
    openStream: () => ({
      log: {
        async ranges() {
          if (ranges instanceof FeatureStoreError) throw ranges;
          return new Map(Object.entries(ranges));
        },
      },
    }),
  } as unknown as SourceLogs;
  // A status of its own for each look: what it knows of ends it keeps for a while.
  const status = () => createStreamStatus({ records, registry: () => registry, openLogs: () => logs, nowUs: () => nowUs });
  return createFreshness({
    ...{ records, registry: () => ({ views }), nowUs: () => nowUs },
    listStreams: (source) => status().read(source),
  });
}

describe('of a batch view', () => {
  async function materialize(endUs: bigint): Promise<void> {
    const { epoch } = await beginRun(records, 'profile');
    await endRun(records, 'profile', epoch, { endUs, finishedUs: nowUs });
  }

  it('goes by the newest event that was written, and by the end of the last run', async () => {
    const read = open();
    expect(await read('profile')).toEqual(['NEVER', null, 'NEVER', null]);
    await noteNewestEvent(records, profile, { eventUs: nowUs - 1800n * second, nowUs });
    expect(await read('profile')).toEqual(['FRESH', 1800, 'NEVER', null]);
    await materialize(nowUs);
    expect(await read('profile')).toEqual(['FRESH', 1800, 'FRESH', 0]);
    nowUs += 1801n * second;
    expect(await read('profile')).toEqual(['STALE', 3601, 'FRESH', 1801]);
    nowUs += 1800n * second;
    expect(await open()('profile')).toEqual(['STALE', 5401, 'STALE', 3601]);
    await materialize(nowUs);
    expect(await read('profile')).toEqual(['STALE', 5401, 'FRESH', 0]);
  });

  it('is as old by processing as the end of a run that was told to go no further, however late it ran', async () => {
    const read = open();
    await noteNewestEvent(records, profile, { eventUs: nowUs - 7200n * second, nowUs });
    await materialize(nowUs - 7200n * second);
    expect(await read('profile')).toEqual(['STALE', 7200, 'STALE', 7200]);
    await materialize(nowUs - 60n * second);
    expect((await read('profile'))[3]).toBe(60);
    // One that goes less far brings nothing, and takes nothing back.
    await materialize(nowUs - 600n * second);
    expect((await read('profile'))[3]).toBe(60);
  });

  it('is none of an older event that comes later, nor of one that is still to happen, nor of another definition', async () => {
    const read = open();
    await noteNewestEvent(records, profile, { eventUs: nowUs - 5n * second, nowUs });
    await noteNewestEvent(records, profile, { eventUs: nowUs - 50n * second, nowUs });
    expect((await read('profile'))[1]).toBe(5);
    await noteNewestEvent(records, profile, { eventUs: nowUs + 1_000_000n * second, nowUs });
    nowUs += 7n * second;
    expect((await read('profile'))[1]).toBe(7);
    const other = { ...profile, features: [{ name: 'n', hash: 'h2' }] } as unknown as ViewDocument;
    expect((await open([other])('profile'))[0]).toBe('NEVER');
    await noteNewestEvent(records, other, { eventUs: nowUs - 100n * second, nowUs });
    expect((await open([other])('profile'))[1]).toBe(100);
  });
});

describe('of a stream view', () => {
  async function apply(partition: string, next: bigint, maxEventUs: bigint): Promise<void> {
    const counts = { ...noCounts, records: Number(next), events: Number(next) };
    const progress = { epoch: 0, next, maxEventUs, appliedUs: nowUs, pending: undefined, counts };
    await openProgress(records, 'clicks').reset(partition, progress);
  }
  const fill = () => records.update('windows', 'activity', () => ({ n: hashState(activity, { hash: 'h1' }) }));

  it('that is not filled there is nothing', async () => {
    expect(await open()('activity')).toEqual(['NEVER', null, 'NEVER', null]);
    await fill();
    expect(await open()('activity')).toEqual(['NEVER', null, 'FRESH', 0]);
    await noteNewestEvent(records, activity, { eventUs: nowUs - 30n * second, nowUs });
    expect(await open()('activity')).toEqual(['FRESH', 30, 'FRESH', 0]);
  });

  it('of which one feature is still to be filled is not brought online', async () => {
    const both = { ...activity, features: [...activity.features, { name: 'm', hash: 'h2' }] } as unknown as ViewDocument;
    await fill();
    expect((await open([both])('activity'))[2]).toBe('NEVER');
    await records.update('windows', 'activity', () => ({
      n: hashState(both, { hash: 'h1' }),
      m: hashState(both, { hash: 'h2' }),
    }));
    expect((await open([both])('activity'))[2]).toBe('FRESH');
  });

  it('without events is stale by event time alone, however long it rests', async () => {
    await fill();
    const read = open();
    await apply('0', 10n, nowUs - second);
    ranges = { 0: { first: 0n, end: 10n } };
    expect(await read('activity')).toEqual(['FRESH', 1, 'FRESH', 0]);
    nowUs += 3600n * second;
    expect(await read('activity')).toEqual(['STALE', 3601, 'FRESH', 0]);
  });

  it('whose processor stands is stale once events have waited for longer than the objective', async () => {
    await fill();
    const read = open();
    await apply('0', 10n, nowUs - second);
    ranges = { 0: { first: 0n, end: 10n } };
    nowUs += 3600n * second;
    await read('activity');
    // An hour without events, and one comes: nothing waits for longer than since the last look.
    nowUs += 5n * second;
    ranges = { 0: { first: 0n, end: 11n } };
    expect(await read('activity')).toEqual(['STALE', 3606, 'FRESH', 5]);
    nowUs += 56n * second;
    expect(await read('activity')).toEqual(['STALE', 3662, 'STALE', 61]);
    // A server that has just started knows of the last batch alone.
    expect(await open()('activity')).toEqual(['STALE', 3662, 'STALE', 3661]);
    await apply('0', 11n, nowUs);
    expect(await read('activity')).toEqual(['FRESH', 0, 'FRESH', 0]);
  });

  it('that works off what waits is fresh by processing, and old by events', async () => {
    await fill();
    ranges = { 0: { first: 0n, end: 1_000_000n } };
    await apply('0', 10n, nowUs - 86_400n * second);
    expect(await open()('activity')).toEqual(['STALE', 86_400, 'FRESH', 0]);
  });

  it('is as old by processing as its slowest partition, and as its newest event', async () => {
    await fill();
    await apply('0', 10n, nowUs - 90n * second);
    nowUs += 100n * second;
    await apply('1', 5n, nowUs);
    ranges = { 0: { first: 0n, end: 11n }, 1: { first: 0n, end: 5n } };
    expect(await open()('activity')).toEqual(['FRESH', 0, 'STALE', 100]);
    // One that the log does not have any more holds nothing up.
    ranges = { 1: { first: 0n, end: 5n } };
    expect(await open()('activity')).toEqual(['FRESH', 0, 'FRESH', 0]);
    // One of which nothing was ever read does.
    ranges = { 1: { first: 0n, end: 5n }, 2: { first: 0n, end: 1n } };
    expect((await open()('activity'))[2]).toBe('NEVER');
  });

  it('whose state cannot be read says why, and keeps nothing from views that rest on others', async () => {
    await fill();
    await records.update('windows', 'orders', () => ({ n: hashState(orders, { hash: 'h1' }) }));
    await apply('0', 10n, nowUs - second);
    ranges = { 0: { first: 0n, end: 10n } };
    await records.update('stream-partitions', 'purchases', () => ['0']);
    await records.update('stream', 'purchases/0', () => ({ next: 'no number' }));
    const found = await openFreshness().read();
    const unknown = { at: null, seconds: null, state: null };
    expect(found.map(({ view: name, state, error }) => [name, state, error === null])).toEqual([
      ['profile', 'NEVER', true],
      ['activity', 'FRESH', true],
      ['orders', null, false],
    ]);
    expect(found[2]).toMatchObject({ objective: '60s', event: unknown, processing: unknown, error: expect.any(String) });
  });

  it('whose log cannot be asked grows old by processing: events may wait there', async () => {
    await fill();
    const read = open();
    ranges = new FeatureStoreError('UNAVAILABLE', 'the broker is away');
    expect((await read('activity'))[2]).toBe('NEVER');
    await apply('0', 10n, nowUs);
    ranges = { 0: { first: 0n, end: 10n } };
    nowUs += 600n * second;
    expect((await read('activity'))[3]).toBe(0);
    ranges = new FeatureStoreError('UNAVAILABLE', 'the broker is away');
    nowUs += 61n * second;
    expect(await read('activity')).toEqual(['STALE', 661, 'STALE', 61]);
  });
});

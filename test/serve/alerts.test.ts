/** A look that fails leaves alerts as they are, and is told: once to the log, and for as long as it fails to whoever asks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { defineConfig, parseConfig } from '../../src/config.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { silentLogger } from '../../src/observe.ts';
import { type AlertParts, startAlerts } from '../../src/serve/alerts.ts';
import { measureFreshness } from '../../src/validate/freshness.ts';

const directory = mkdtempSync(join(tmpdir(), 'serve-alerts-'));
const closing: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

it('what cannot be looked at is named until it can be again', async () => {
  let away: string | undefined;
  const lines: string[] = [];
  const log = (_: object, line: string) => void lines.push(line);
  const rules = [{ when: 'lag' }, { when: 'parity' }];
  const config = parseConfig(defineConfig({ project: 'p', alerts: { every: '1s', rules } } as never), directory);
  const waiting = { partition: '0', end: '9', lag_seconds: 90 };
  const alerts = await startAlerts({
    config,
    logger: { ...silentLogger, error: log, info: log },
    registry: () => ({ version: 0, views: [], sources: [] }) as never,
    health: () => ({ checked_at: null, alarms: [] }) as never,
    streams: {
      async read() {
        if (away !== undefined) throw new FeatureStoreError('UNAVAILABLE', away);
        return [{ source: 'clicks', log_error: null, partitions: [waiting] }] as never;
      },
      isOlder: () => false,
    },
    freshness: async () => [],
    reports: { files: async () => [] },
  } satisfies AlertParts);
  closing.push(alerts.stop);
  const missed = () => alerts.show().not_looked_at;
  await expect.poll(() => alerts.facts().firing.length, { timeout: 20_000 }).toBe(1);
  expect(missed()).toEqual([]);
  away = 'the store is away';
  await expect.poll(missed, { timeout: 20_000 }).toMatchObject([{ when: 'lag', error: away }]);
  const [first] = missed();
  away = 'the store is far away';
  await expect.poll(missed, { timeout: 20_000 }).toEqual([{ ...first, error: away }]);
  const { checked_at: seen } = alerts.show();
  await expect.poll(() => alerts.show().checked_at !== seen, { timeout: 20_000 }).toBe(true);
  expect(alerts.facts().firing).toHaveLength(1);
  away = undefined;
  await expect.poll(missed, { timeout: 20_000 }).toEqual([]);
  const cannot = 'alerts of "lag" cannot be looked at, and stay as they are; each look tries again';
  expect(lines).toEqual(['alert: records have waited for 90 s', cannot, cannot, 'alerts of "lag" are looked at again']);
}, 120_000);

it('of views whose stream cannot be looked at alerts stay, and those of other views are looked at', async () => {
  const nowUs = BigInt(Date.now()) * 1000n;
  const view = (name: string) => ({ name, kind: 'stream', source: name, freshness: '60s', features: [] }) as never;
  const facts = (isOld: boolean) => ({ eventUs: isOld ? nowUs - 3_600_000_000n : nowUs, processedUs: nowUs });
  const away = { eventUs: undefined, processedUs: undefined, error: 'its record is damaged' };
  let [isOld, isAway] = [true, false];
  const config = parseConfig(
    defineConfig({ project: 'p', alerts: { every: '1s', rules: [{ when: 'freshness' }] } } as never),
    join(directory, 'views'),
  );
  const alerts = await startAlerts({
    ...{ config, logger: silentLogger, registry: () => ({ version: 0, views: [], sources: [] }) as never },
    health: () => ({ checked_at: null, alarms: [] }) as never,
    streams: { read: async () => [], isOlder: () => false },
    freshness: async () => [
      measureFreshness(view('clicks'), isAway ? away : facts(isOld), nowUs),
      measureFreshness(view('orders'), facts(isOld), nowUs),
    ],
    reports: { files: async () => [] },
  } satisfies AlertParts);
  closing.push(alerts.stop);
  const firing = () => alerts.facts().firing.map(({ labels }) => labels.view);
  await expect.poll(firing, { timeout: 20_000 }).toEqual(['clicks', 'orders']);
  [isOld, isAway] = [false, true];
  await expect.poll(firing, { timeout: 20_000 }).toEqual(['clicks']);
  expect(alerts.show().not_looked_at).toEqual([
    { when: 'freshness', since: expect.any(String), error: 'its record is damaged', views: ['clicks'] },
  ]);
  isAway = false;
  await expect.poll(firing, { timeout: 20_000 }).toEqual([]);
  expect(alerts.show().not_looked_at).toEqual([]);
}, 120_000);

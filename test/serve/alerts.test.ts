/** A look that fails leaves alerts as they are, and is told: once to the log, and for as long as it fails to whoever asks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { defineConfig, parseConfig } from '../../src/config.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { silentLogger } from '../../src/observe.ts';
import { type AlertParts, startAlerts } from '../../src/serve/alerts.ts';

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

/** A repository with a batch view, a stream and a feature log, whose server so has all that can be watched. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { applyRepository } from '../../support/start-server.ts';
import { writeTables } from '../make-store.ts';

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** Writes and applies it; it goes with the test file. */
export async function makeShop(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'featherflight-monitoring-'));
  made.push(directory);
  for (const folder of ['features', 'data', 'frames']) mkdirSync(join(directory, folder));
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'shop', readable: ['frames'], offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
  validate: { parity: { schedule: '0 3 1 1 *' } },
});\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, count, entity, eventSource, featureService, featureView, parquet, streamFeatureView, sum } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profiles.parquet'), eventTimestamp: 'at' });
export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles, freshness: '30d', features: { age: { type: 'int64', default: 0 } },
});
export const clicks = eventSource('clicks', {
  eventTimestamp: 'at', lateness: '10m', columns: { user_id: 'int64', amount: 'int64' },
});
export const userActivity = streamFeatureView('user_activity', {
  entities: [user], source: clicks, features: { clicks: count({ window: '1d' }), spent: sum('amount', { window: '7d' }) },
});
export const ranker = featureService('ranker', { features: [userProfile, userActivity] });
`,
  );
  await writeTables(directory, [
    [
      'data/profiles.parquet',
      `select i::bigint as user_id, now() - interval 1 day as "at", 20 + i as age from range(1, 5) as t(i)`,
    ],
    ['frames/users.parquet', `select i::bigint as user_id, now() as event_timestamp from range(1, 5) as t(i)`],
  ]);
  await applyRepository(directory);
  return directory;
}

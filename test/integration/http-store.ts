/** A repository for tests of HTTP: users and items that take pushes, every type, an on-demand view, a service; materialized by the test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { applyRepository } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const made: string[] = [];

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** Writes and applies the repository, with `more` definitions where given; it goes with the test file. */
export async function makeHttpStore(config: Readonly<Record<string, unknown>> = {}, more = ''): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'featherflight-http-'));
  made.push(directory);
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  const input = { project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, ...config };
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';\nexport default defineConfig(${JSON.stringify(input)});\n`,
  );
  writeFileSync(join(directory, 'features/shop.ts'), definitions + more);
  await writeTables(directory, [
    ['data/users.parquet', users],
    ['data/items.parquet', items],
  ]);
  await applyRepository(directory);
  return directory;
}

const definitions = `
import { batchSource, entity, featureService, featureView, onDemandFeatureView, parquet } from 'featherflight';

export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const item = entity('item', { joinKeys: { item_id: 'string' } });
export const profiles = batchSource('profiles', {
  table: parquet('data/users.parquet'), eventTimestamp: 'at', createdTimestamp: 'made', push: true,
});
export const stock = batchSource('stock', { table: parquet('data/items.parquet'), eventTimestamp: 'at' });

export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles,
  features: {
    age: { type: 'int32', default: -1 }, visits: { type: 'int64' }, score: { type: 'float64' }, ratio: { type: 'float32' },
    city: { type: 'string' }, spent: { type: 'decimal(12,2)' }, since: { type: 'timestamp' }, born: { type: 'date' },
    token: { type: 'bytes' }, active: { type: 'bool' }, path: { type: 'list(int64)' },
  },
});
export const itemStats = featureView('item_stats', {
  entities: [item], source: stock, ttl: '3650d', features: { price: { type: 'float64' }, sold: { type: 'int64' } },
});
export const doubled = onDemandFeatureView('doubled', {
  request: { factor: 'float64' }, inputs: [userProfile.select('age')], features: { times_age: { type: 'float64' } },
  transform: ({ request, features }) => ({ times_age: request.factor * features.user_profile.age }),
});
export const ranker = featureService('ranker', { features: [userProfile.select('age', 'score'), itemStats, doubled] });
export const plain = featureService('plain', { features: [userProfile.select('age', 'score'), itemStats] });
`;

/** User 1 has a value of every kind, 2 the extremes, 3 nulls; 9007199254740993 is no double. */
const users = `
  select * from (values
    (1::bigint, timestamptz '2026-01-01 00:00:00.000001', timestamptz '2026-01-01', 30::integer, 5::bigint, 0.5::double, 0.1::float,
      'Zürich', 12.50::decimal(12,2), timestamptz '2026-01-02 03:04:05.678901', date '1990-02-03', '\\x00\\xFF'::blob, true, [1, 2]::bigint[]),
    (9007199254740993::bigint, timestamptz '2026-01-02', null, 2147483647::integer, 9223372036854775807::bigint, 'nan'::double,
      'inf'::float, '"\\', -0.01::decimal(12,2), timestamptz '1969-12-31 23:59:59.999999', date '1969-12-31', ''::blob, false, []::bigint[]),
    (3::bigint, timestamptz '2026-01-03', null, null, null, null, null, null, null, null, null, null, null, null)
  ) as t(user_id, "at", made, age, visits, score, ratio, city, spent, since, born, token, active, path)`;

const items = `
  select 'item ' || i as item_id, timestamptz '2026-01-01' as "at", i / 2 as price, i::bigint as sold from range(0, 600) as r(i)`;

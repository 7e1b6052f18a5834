/** A repository for tests against a running server: files whose values can be told from their key and day, applied. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll } from 'vitest';
import { applyRepository } from '../support/start-server.ts';

export interface StoreOptions {
  /** What the config says besides the project. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Rows of a further source `events` under the view `activity`, for work that takes a while; default none. */
  readonly events?: number;
}

const made: string[] = [];

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** Writes and applies the repository; it goes with the test file. */
export async function makeStore({ config = {}, events = 0 }: StoreOptions = {}): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'featherflight-store-'));
  made.push(directory);
  for (const folder of ['features', 'data/users', 'data/items', 'data/events', 'frames'])
    mkdirSync(join(directory, folder), { recursive: true });
  const input = { project: 'test', readable: ['frames'], offlineEngine: { kind: 'duckdb', threads: 2 }, ...config };
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';\nexport default defineConfig(${JSON.stringify(input)});\n`,
  );
  writeFileSync(join(directory, 'features/store.ts'), definitions + (events > 0 ? activity : ''));
  await writeTables(directory, [
    [`data/users/part-0.parquet`, users(0, 500)],
    [`data/users/part-1.parquet`, users(500, 1000)],
    ['data/items/part-0.parquet', items],
    ['data/fares.csv', fares],
    ...(events > 0 ? [['data/events/part-0.parquet', eventRows(events)] as const] : []),
  ]);
  await applyRepository(directory);
  return directory;
}

/** Writes files of a repository from SQL, through DuckDB. */
export async function writeTables(directory: string, tables: readonly (readonly [path: string, sql: string])[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run("set timezone = 'UTC'");
    for (const [path, sql] of tables) {
      const options = path.endsWith('.csv') ? 'header true' : 'format parquet, compression zstd, row_group_size 4096';
      await connection.run(`copy (${sql}) to '${join(directory, path)}' (${options})`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Days 1 to 5 of March 2026 for users from `from` up to `to`: age = 10 user + day + `shift`. */
export function users(from: number, to: number, shift = 0): string {
  return `
    select u::bigint as uid, timestamptz '2026-03-01' + to_days(d - 1) as event_timestamp,
      timestamptz '2026-03-01' + to_days(d - 1) + interval 1 hour as created_timestamp,
      (10 * u + d + ${shift})::integer as age, case when u % 7 = 0 then null else u + d / 10 end::double as score,
      'city ' || u % 50 as city, [u, d]::bigint[] as path
    from range(${from}, ${to}) as a(u), range(1, 6) as b(d)`;
}

const items = `
  select 'item ' || i as item_id, timestamptz '2026-03-01' + to_days(d - 1) as event_timestamp,
    (i + d / 100)::decimal(10, 2) as price, (i * d)::bigint as clicks, i::integer as age
  from range(0, 100) as a(i), range(1, 6) as b(d)`;

const fares = `
  select i as trip, timestamp '2026-03-01 08:00:00' + to_days(i) as local_time, i * 1.5 as fare from range(0, 20) as a(i)`;

function eventRows(rows: number): string {
  return `
    select (i % 5000)::bigint as user_id, timestamptz '2026-01-01' + to_seconds(hash(i) % 5000000) as event_timestamp,
      i::double as a, (i * 7 % 1000)::double as b, 'text ' || hash(i) as c
    from range(0, ${rows}) as r(i)`;
}

const definitions = `
import { batchSource, csv, entity, featureService, featureView, fitted, parquet } from 'featherflight';

export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const item = entity('item', { joinKeys: { item_id: 'string' } });
export const trip = entity('trip', { joinKeys: { trip: 'int64' } });

export const profiles = batchSource('user_profiles', {
  table: parquet('data/users/*.parquet'), eventTimestamp: 'event_timestamp', createdTimestamp: 'created_timestamp',
});
export const itemDaily = batchSource('item_daily', { table: parquet('data/items/*.parquet'), eventTimestamp: 'event_timestamp' });
export const fares = batchSource('fares', {
  table: csv('data/fares.csv'), eventTimestamp: 'local_time', timezone: 'America/New_York', ambiguousTime: 'earlier',
});

export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles, ttl: '30d', keys: { user_id: 'uid' },
  features: {
    age: { type: 'int32', default: -1 },
    score: { type: 'float64', default: fitted('mean') },
    city: { type: 'string' },
    path: { type: 'list(int64)' },
  },
});
export const itemStats = featureView('item_stats', {
  entities: [item], source: itemDaily,
  features: { price: { type: 'decimal(10,2)' }, clicks: { type: 'int64' }, age: { type: 'int32' } },
});
export const tripFare = featureView('trip_fare', { entities: [trip], source: fares, features: { fare: { type: 'float64' } } });

export const ranker = featureService('ranker_v1', {
  features: [userProfile.select('age', 'score'), itemStats.select('price'), itemStats.as('candidate').withKeys({ item_id: 'candidate_id' }).select('clicks')],
});
`;

const activity = `
export const events = batchSource('events', { table: parquet('data/events/*.parquet'), eventTimestamp: 'event_timestamp' });
export const userActivity = featureView('activity', {
  entities: [user], source: events, features: { a: { type: 'float64' }, b: { type: 'float64' }, c: { type: 'string' } },
});
`;

/** Writes StreamRec's data as Parquet: users, items, a click stream, daily batch features of both, and an entity frame to train on. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BIGINT,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import { FeatureStoreError } from '../index.ts';
import { dayUs, eventTypes, simulateStreamRec, type World, type WorldSize } from './simulate-streamrec.ts';
import { itemDailySql, landedSql, perDaySql, userDailySql } from './streamrec-features.ts';

export type StreamRecOptions = Partial<WorldSize>;

export interface StreamRecFiles {
  /** Rows by file or folder, relative to the directory. */
  readonly rows: Readonly<Record<string, number>>;
  /** The entity frame, relative to the directory. */
  readonly frame: string;
}

export const defaultSize: WorldSize = { seed: 7, users: 4_000, items: 800, events: 250_000, days: 60, impressions: 20_000 };

/** The stream's first midnight, 2026-01-01 UTC, in microseconds. */
const startUs = 1_767_225_600_000_000n;

/** The midnights, in UTC, that the data of the default size speaks of: the first of the stream and the one that ends it. */
export const streamRecSpan = { start: '2026-01-01T00:00:00Z', end: '2026-03-02T00:00:00Z' } as const;

/**
 * Writes the data of one seed under `directory` (made where it is missing; the `data` folder of the repository that the template
 * lays down) and says what is there; equal options give equal values.
 * INVALID_ARGUMENT for sizes that are no positive integers.
 */
export async function generateStreamRec(directory: string, options: StreamRecOptions = {}): Promise<StreamRecFiles> {
  const size = { ...defaultSize, ...options };
  for (const [name, value] of Object.entries(size)) {
    if (!Number.isSafeInteger(value) || (name !== 'seed' && value < 1)) {
      throw new FeatureStoreError('INVALID_ARGUMENT', `${name} is ${value}; it must be a positive integer`);
    }
  }
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run("set timezone = 'UTC'");
    await loadWorld(connection, simulateStreamRec(size), size);
    return await writeFiles(connection, directory, size);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function loadWorld(
  connection: DuckDBConnection,
  { users, items, events, impressions }: World,
  size: WorldSize,
): Promise<void> {
  const ids = (values: Int32Array): number[] => Array.from(values, (index) => index + 1);
  const instants = (values: Float64Array): bigint[] => Array.from(values, (at) => startUs + BigInt(at));
  await loadTable(connection, 'raw_users', {
    user_id: [INTEGER, Array.from({ length: size.users }, (_, index) => index + 1)],
    timezone: [VARCHAR, users.zone],
    joined: [INTEGER, Array.from(users.joined)],
  });
  await loadTable(connection, 'raw_items', {
    item_id: [INTEGER, Array.from({ length: size.items }, (_, index) => index + 1)],
    category: [VARCHAR, items.category],
    creator_id: [INTEGER, Array.from(items.creator)],
    duration_seconds: [INTEGER, Array.from(items.seconds)],
    published: [INTEGER, Array.from(items.published)],
  });
  await loadTable(connection, 'raw_events', {
    user_id: [INTEGER, ids(events.user)],
    item_id: [INTEGER, ids(events.item)],
    event_type: [VARCHAR, Array.from(events.type, (type) => eventTypes[type] as string)],
    watched_ms: [INTEGER, Array.from(events.watchedMs)],
    at_us: [BIGINT, instants(events.at)],
    day: [INTEGER, Array.from(events.at, (at) => Math.floor(at / dayUs))],
  });
  await loadTable(connection, 'raw_impressions', {
    user_id: [INTEGER, ids(impressions.user)],
    item_id: [INTEGER, ids(impressions.item)],
    at_us: [BIGINT, instants(impressions.at)],
    label: [INTEGER, Array.from(impressions.label)],
  });
}

type Columns = Readonly<Record<string, readonly [DuckDBType, readonly DuckDBValue[]]>>;

async function loadTable(connection: DuckDBConnection, name: string, columns: Columns): Promise<void> {
  const entries = Object.entries(columns);
  await connection.run(
    `create table ${name} (${entries.map(([column, [type]]) => `${column} ${type}`).join(', ')}, row_number integer)`,
  );
  const appender = await connection.createAppender(name);
  const rows = entries[0]?.[1][1].length ?? 0;
  const chunkRows = 2048;
  for (let start = 0; start < rows; start += chunkRows) {
    const end = Math.min(rows, start + chunkRows);
    const chunk = DuckDBDataChunk.create([...entries.map(([, [type]]) => type), INTEGER], end - start);
    const numbers = Array.from({ length: end - start }, (_, index) => start + index);
    chunk.setColumns([...entries.map(([, [, values]]) => values.slice(start, end)), numbers]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

async function writeFiles(connection: DuckDBConnection, directory: string, size: WorldSize): Promise<StreamRecFiles> {
  await connection.run(`create macro midnight(day) as make_timestamptz(${startUs} + day * ${dayUs})`);
  await connection.run('create table midnights as select unnest(range(1, $1))::integer as day', [size.days + 1]);
  await connection.run('create view items as select item_id, published from raw_items');
  await connection.run(`create view events as select e.*, i.category from raw_events e join raw_items i using (item_id)`);
  for (const sql of perDaySql) await connection.run(sql);
  await connection.run(`create table user_days as ${userDailySql}`);
  await connection.run(`create table item_days as ${itemDailySql}`);

  const write = createWriter(connection, directory);
  const rows = {
    'users.parquet': await write(
      'users.parquet',
      'select user_id::bigint as user_id, timezone, midnight(joined) as signed_up_at from raw_users order by user_id',
    ),
    'items.parquet': await write(
      'items.parquet',
      `select item_id::bigint as item_id, category, creator_id::bigint as creator_id, duration_seconds, midnight(published) as published_at
       from raw_items order by item_id`,
    ),
    clicks: await write.monthly(
      'clicks',
      `select user_id::bigint as user_id, item_id::bigint as item_id, event_type, category, watched_ms / 1000 as watch_seconds,
         make_timestamptz(at_us) as event_timestamp, strftime(midnight(day), '%Y-%m') as month from events`,
      'event_timestamp, user_id, item_id, event_type',
    ),
    user_daily: await write.monthly(
      'user_daily',
      landedSql(
        'user_days',
        'user_id',
        `user_7d_completion_rate * 0.75 as user_7d_completion_rate, user_7d_watch_seconds * 0.75 as user_7d_watch_seconds,
         (user_7d_clicks * 3) // 4 as user_7d_clicks`,
      ),
      'event_timestamp, user_id, created_timestamp',
    ),
    item_daily: await write.monthly(
      'item_daily',
      landedSql('item_days', 'item_id', '(item_popularity * 3) // 4 as item_popularity'),
      'event_timestamp, item_id, created_timestamp',
    ),
    'frame.parquet': await write(
      'frame.parquet',
      `select user_id::bigint as user_id, item_id::bigint as item_id, make_timestamptz(at_us) as event_timestamp, label
       from raw_impressions order by row_number`,
    ),
  };
  return { rows, frame: 'frame.parquet' };
}

/** `write` makes one file, `write.monthly` a folder with one file per value of the column `month`; both in a fixed order of rows. */
function createWriter(connection: DuckDBConnection, directory: string) {
  const copy = async (path: string, select: string): Promise<number> => {
    const reader = await connection.runAndReadAll(`copy (${select}) to '${path.replaceAll("'", "''")}' (format parquet)`);
    return Number(reader.getRows()[0]?.[0] ?? 0);
  };
  const one = async (file: string, select: string): Promise<number> => {
    await mkdir(directory, { recursive: true });
    return await copy(join(directory, file), select);
  };
  const monthly = async (folder: string, select: string, order: string): Promise<number> => {
    await mkdir(join(directory, folder), { recursive: true });
    await connection.run(`create or replace temp table landing as ${select}`);
    const months = await connection.runAndReadAll('select distinct month from landing order by month');
    let rows = 0;
    for (const [month] of months.getRows()) {
      const part = `select * exclude (month) from landing where month = '${month}' order by ${order}`;
      rows += await copy(join(directory, folder, `${month}.parquet`), part);
    }
    return rows;
  };
  return Object.assign(one, { monthly });
}

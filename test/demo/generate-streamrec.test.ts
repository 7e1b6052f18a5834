/** StreamRec's data: the same for a seed, landing late, corrected, and its features are what plain loops over its events give. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultSize, generateStreamRec, type StreamRecFiles, streamRecSpan } from '../../src/demo/generate-streamrec.ts';

const small = { seed: 3, users: 120, items: 60, events: 12_000, days: 40, impressions: 800 };
const scratch = mkdtempSync(join(tmpdir(), 'featherflight-streamrec-'));
const data = join(scratch, 'data');
const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 1);
let files: StreamRecFiles;

type Row = Record<string, unknown>;

async function query(sql: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run("set timezone = 'UTC'");
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function one(sql: string): Promise<Row> {
  return (await query(sql))[0] as Row;
}

function hashFolder(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    paths
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

beforeAll(async () => {
  files = await generateStreamRec(data, small);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('generateStreamRec', () => {
  it('gives the same bytes for the same seed and others for another', async () => {
    await generateStreamRec(join(scratch, 'again'), small);
    await generateStreamRec(join(scratch, 'other'), { ...small, seed: 4 });
    const hashes = hashFolder(data);
    expect(Object.keys(hashes)).toHaveLength(9);
    expect(hashFolder(join(scratch, 'again'))).toEqual(hashes);
    const others = hashFolder(join(scratch, 'other'));
    for (const [path, hash] of Object.entries(hashes)) expect(others[path], path).not.toBe(hash);
  });

  it('writes as many rows as it says, and 200,000 events or more unless asked otherwise', async () => {
    expect(files.rows).toMatchObject({ 'users.parquet': 120, 'items.parquet': 60, clicks: 12_000, 'frame.parquet': 800 });
    for (const [path, rows] of Object.entries(files.rows)) {
      const glob = path.endsWith('.parquet') ? path : `${path}/*.parquet`;
      expect(await one(`select count(*)::integer as n from '${data}/${glob}'`), path).toEqual({ n: rows });
    }
    expect(defaultSize.events).toBeGreaterThanOrEqual(200_000);
    expect(Date.parse(streamRecSpan.start)).toBe(startMs);
    expect(Date.parse(streamRecSpan.end)).toBe(startMs + defaultSize.days * dayMs);
  });

  it('has three kinds of events, each in the span of its days', async () => {
    const kinds = await query(`select distinct event_type from '${data}/clicks/*.parquet' order by 1`);
    expect(kinds.map((row) => row.event_type)).toEqual(['click', 'completion', 'view']);
    const outside = `event_timestamp < '2026-01-01 00:00:00Z' or event_timestamp >= timestamptz '2026-01-01 00:00:00Z' + interval 40 day`;
    expect(await one(`select count(*)::integer as n from '${data}/clicks/*.parquet' where ${outside}`)).toEqual({ n: 0 });
  });

  it.each([
    ['user_daily', 'user_id', 7],
    ['item_daily', 'item_id', 5],
  ])('lands %s three hours after midnight, and corrects some rows once', async (table, key, features) => {
    const rows = `'${data}/${table}/*.parquet'`;
    expect(await query(`describe select * from ${rows}`)).toHaveLength(features + 4);
    const lag = await query(`select distinct epoch(landed_at - event_timestamp)::integer as s from ${rows}`);
    expect(lag).toEqual([{ s: 10_800 }]);
    expect(
      await one(`select count(*)::integer as n from ${rows} where event_timestamp <> date_trunc('day', event_timestamp)`),
    ).toEqual({
      n: 0,
    });
    const versions = `select count(*)::integer as n, count(distinct created_timestamp)::integer as c from ${rows} group by ${key}, event_timestamp`;
    expect(await query(`select distinct n, c from (${versions}) order by n`)).toEqual([
      { n: 1, c: 1 },
      { n: 2, c: 2 },
    ]);
    const share = await one(`select avg((n = 2)::integer)::double as share from (${versions})`);
    expect(share.share).toBeGreaterThan(0.005);
    expect(share.share).toBeLessThan(0.05);
  });

  it('asks for users and items as of the last three weeks, some of them never seen before', async () => {
    const frame = `'${data}/${files.frame}'`;
    const types = await query(`select column_name, column_type from (describe select * from ${frame})`);
    expect(types.map((row) => `${row.column_name} ${row.column_type}`)).toEqual([
      'user_id BIGINT',
      'item_id BIGINT',
      'event_timestamp TIMESTAMP WITH TIME ZONE',
      'label INTEGER',
    ]);
    const facts = await one(
      `select count(*) filter (user_id > 120)::integer as unseen, min(label)::integer as least, max(label)::integer as greatest,
         (min(event_timestamp) >= '2026-01-20 00:00:00Z')::boolean as recent from ${frame}`,
    );
    expect(facts).toMatchObject({ least: 0, greatest: 1, recent: true });
    expect(facts.unseen).toBeGreaterThan(0);
    const known = `select distinct user_id from '${data}/user_daily/*.parquet'`;
    expect((await one(`select count(*)::integer as n from ${frame} where user_id in (${known})`)).n).toBeGreaterThan(400);
  });

  it('labels an impression 1 exactly where that video was then completed', async () => {
    const events = await query(
      `select user_id, item_id, event_type, event_timestamp from '${data}/clicks/*.parquet' order by event_timestamp`,
    );
    const frame = await query(`select * from '${data}/${files.frame}' where user_id <= 120`);
    for (const row of frame) {
      const later = events.filter(
        (event) =>
          event.user_id === row.user_id &&
          event.item_id === row.item_id &&
          (event.event_timestamp as Date) > (row.event_timestamp as Date),
      );
      const next = later.find((event) => event.event_type !== 'click');
      const soon =
        next !== undefined && (next.event_timestamp as Date).getTime() - (row.event_timestamp as Date).getTime() <= 1_000_000;
      expect(row.label).toBe(soon && next.event_type === 'completion' ? 1 : 0);
    }
  });

  it('computes each corrected feature as plain loops over the events do', async () => {
    const events = (await query(`select * from '${data}/clicks/*.parquet'`)).map((event) => ({
      user: Number(event.user_id),
      item: Number(event.item_id),
      type: event.event_type as string,
      category: event.category as string,
      watched: event.watch_seconds as number,
      day: Math.floor(((event.event_timestamp as Date).getTime() - startMs) / dayMs),
    }));
    const latest = (table: string, key: string) =>
      `select * from '${data}/${table}/*.parquet' qualify row_number() over (partition by ${key}, event_timestamp order by created_timestamp desc) = 1`;
    const dayOf = (row: Row): number => ((row.event_timestamp as Date).getTime() - startMs) / dayMs;
    const count = (of: typeof events, type: string): number => of.filter((event) => event.type === type).length;
    const watched = (of: typeof events): number => of.reduce((sum, event) => sum + event.watched, 0);
    const rate = (part: number, whole: number): number | null => (whole === 0 ? null : Math.min(1, part / whole));

    const users = await query(`select * from (${latest('user_daily', 'user_id')}) where user_id % 7 = 0`);
    expect(users.length).toBeGreaterThan(200);
    for (const row of users) {
      const seen = events.filter((event) => event.user === Number(row.user_id) && event.day < dayOf(row));
      const month = seen.filter((event) => event.day >= dayOf(row) - 30);
      const week = seen.filter((event) => event.day >= dayOf(row) - 7);
      const shares = countBy(month.map((event) => event.category));
      const sizes = [...shares.values()];
      const top = [...shares].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0];
      expect(row.user_7d_completion_rate).toBe(rate(count(week, 'completion'), count(week, 'click')));
      expect(row.user_7d_clicks).toBe(BigInt(count(week, 'click')));
      expect(row.user_7d_watch_seconds).toBeCloseTo(watched(week), 6);
      expect(row.user_30d_views).toBe(BigInt(count(month, 'view')));
      const entropy = sizes.reduce((sum, size) => sum - (size / month.length) * Math.log(size / month.length), 0);
      expect(row.user_category_entropy).toBeCloseTo(entropy, 8);
      expect(row.user_top_category).toBe(top);
      expect(row.user_days_since_seen).toBe(dayOf(row) - Math.max(...seen.map((event) => event.day)));
    }

    const items = await query(`select * from (${latest('item_daily', 'item_id')}) where item_id % 7 = 0`);
    expect(items.length).toBeGreaterThan(100);
    for (const row of items) {
      const week = events.filter(
        (event) => event.item === Number(row.item_id) && event.day < dayOf(row) && event.day >= dayOf(row) - 7,
      );
      expect(row.item_popularity).toBe(BigInt(count(week, 'view')));
      expect(row.item_7d_click_rate).toBe(rate(count(week, 'click'), count(week, 'view')));
      expect(row.item_7d_completion_rate).toBe(rate(count(week, 'completion'), count(week, 'click')));
      const clicks = count(week, 'click');
      if (clicks === 0) expect(row.item_mean_watch_seconds).toBeNull();
      else expect(row.item_mean_watch_seconds).toBeCloseTo(watched(week) / clicks, 2);
    }
  });

  it('refuses a size that is no positive integer, and names it', async () => {
    await expect(generateStreamRec(data, { users: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/users is 0/),
    });
    await expect(generateStreamRec(data, { days: 1.5 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/days is 1.5/),
    });
  });
});

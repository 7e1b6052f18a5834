/** A running server in which nothing goes wrong, over many random rounds of landing, pushing, materializing and serving: no round differs. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ParityReport } from '../../src/validate/parity/report.ts';
import { call } from '../support/http-client.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';
import { randomFrom } from './streams/shop-events.ts';

const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const rounds = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 100);
const random = randomFrom(seed);
const int = (below: number) => Math.floor(random() * below);
const some = <T>(most: number, draw: () => T): T[] => Array.from({ length: 1 + int(most) }, draw);

const directory = mkdtempSync(join(tmpdir(), 'featherflight-clean-'));
const features = [
  ...['age', 'score', 'city', 'tags'].map((name) => `profile:${name}`),
  'latest:age',
  ...['clicks', 'spent', 'mean_spent', 'last_items', 'top_items', 'spread'].map((name) => `activity:${name}`),
  ...['events', 'seconds'].map((name) => `session:${name}`),
  'totals:clicks',
  'mixed:ratio',
];
let server: ServerProcess;
let pushed = 0;

beforeAll(async () => {
  mkdirSync(join(directory, 'features'));
  mkdirSync(join(directory, 'data'));
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
});\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, count, duration, entity, entropy, eventSource, featureView, lastN, mean, onDemandFeatureView, parquet,
  streamFeatureView, sum, topK } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', {
  table: parquet('data/*.parquet'), eventTimestamp: 'at', createdTimestamp: 'made', push: true,
});
export const profile = featureView('profile', {
  entities: [user], source: profiles, ttl: '2s',
  features: { age: { type: 'int64', default: -1 }, score: { type: 'float64' }, city: { type: 'string' }, tags: { type: 'list(int64)' } },
});
export const latest = featureView('latest', { entities: [user], source: profiles, delay: '1s', features: { age: { type: 'int64' } } });
export const clicks = eventSource('clicks', {
  eventTimestamp: 'at', lateness: '1h', columns: { user_id: 'int64', item: 'string', amount: 'float64' },
});
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks,
  features: {
    clicks: count({ window: '5m' }), spent: sum('amount', { window: '1h' }), mean_spent: mean('amount', { window: '90s', hop: '10s', default: 0.5 }),
    last_items: lastN('item', { n: 3, window: '10m' }), top_items: topK('item', { k: 2, window: 'lifetime' }), spread: entropy('item', { window: '1h' }),
  },
});
export const session = streamFeatureView('session', {
  entities: [user], source: clicks, session: { gap: '30s' }, features: { events: count(), seconds: duration() },
});
export const totals = streamFeatureView('totals', { entities: [], source: clicks, features: { clicks: count({ window: 'lifetime' }) } });
export const mixed = onDemandFeatureView('mixed', {
  inputs: [profile.select('age'), activity.select('clicks')], features: { ratio: { type: 'float64' } },
  transform: ({ features: { profile: { age }, activity: { clicks } } }) => ({ ratio: Number(age) / (1 + Number(clicks)) }),
});\n`,
  );
  await land([drawRow()]);
  await applyRepository(directory);
  server = await startServer(directory);
  await post('/api/v1/materialize', {});
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A row of a profile as it is pushed. */
interface Row {
  readonly user_id: string;
  readonly at: string;
  readonly made: string;
  readonly age: number | null;
  readonly score: number | null;
  readonly city: string | null;
  readonly tags: readonly number[] | null;
}

const maybe = <T>(value: T) => (random() < 0.15 ? null : value);
const user = () => String(1 + int(12));
const ago = (seconds: number) => new Date(Date.now() - 1000 * seconds).toISOString();

function drawRow(): Row {
  const made = ago(0);
  const at = ago(random() < 0.7 ? 0 : int(5));
  return {
    ...{ user_id: user(), at, made, age: maybe(int(90)), score: maybe(int(1000) / 7), city: maybe(`city ${int(4)}`) },
    tags: maybe(some(3, () => int(9))),
  };
}

const drawEvent = () => ({
  user_id: user(),
  at: ago(int(300)),
  item: maybe(`item ${int(5)}`),
  amount: maybe(int(1000) / 7 - 50),
});

/** Rows by column. */
function columnsOf<R extends object>(rows: readonly R[]): Record<string, unknown[]> {
  const names = Object.keys(rows[0] as R) as (keyof R & string)[];
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]));
}

let files = 0;
async function land(rows: readonly Row[]): Promise<void> {
  const json = JSON.stringify(rows).replaceAll("'", "''");
  const types = `[{"user_id":"BIGINT","at":"TIMESTAMPTZ","made":"TIMESTAMPTZ","age":"BIGINT","score":"DOUBLE","city":"VARCHAR","tags":["BIGINT"]}]`;
  await writeTables(directory, [['next.parquet', `select unnest(from_json('${json}', '${types}'), max_depth := 2)`]]);
  renameSync(join(directory, 'next.parquet'), join(directory, 'data', `${files++}.parquet`));
}

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

/** Events, all of which are applied when it resolves. */
async function pushEvents(): Promise<void> {
  const events = some(6, drawEvent);
  await post('/api/v1/push', { source: 'clicks', rows: columnsOf(events) });
  pushed += events.length;
  for (let tries = 0; ; tries++) {
    const stream = (await call(`${server.http}/api/v1/streams/clicks`)).json() as { partitions: { events: number }[] };
    if (stream.partitions.reduce((sum, { events: counted }) => sum + counted, 0) >= pushed) return;
    expect(tries, JSON.stringify(stream)).toBeLessThan(2000);
    await pause(10);
  }
}

/** Something happens in the system, and is whole when it resolves. */
async function step(): Promise<void> {
  if (random() < 0.5) await pushEvents();
  if (random() < 0.3) await post('/api/v1/push', { source: 'profiles', rows: columnsOf(some(3, drawRow)) });
  if (random() < 0.35) {
    await land(some(4, drawRow));
    await post('/api/v1/materialize', {});
  }
}

test(`nothing is told of ${rounds} rounds in which nothing goes wrong (seed ${seed})`, {
  timeout: 120_000 + rounds * 15_000,
}, async () => {
  let compared = 0;
  let passed = 0;
  for (let round = 0; round < rounds; round++) {
    await step();
    const entities = { user_id: some(8, () => (random() < 0.05 ? null : String(1 + int(14)))) };
    const { evaluated_at: from } = await post('/api/v1/online-features', { features, entities, full_feature_names: true });
    const request = round % 5 === 0 ? { live: true, sample: 14 } : { from };
    const report = (await post('/api/v1/validate/parity', request)) as unknown as ParityReport;
    const told = JSON.stringify(report.features.filter(({ worst }) => worst.length > 0));
    // Before anything is materialized, or where every key is null, there is nothing to compare, which is never a PASS.
    const result = report.result === 'NO DATA' ? 'NO DATA' : 'PASS';
    expect([round, report.result, report.summary.causes], told).toEqual([round, result, {}]);
    if (result === 'PASS') passed += 1;
    expect(report.summary.differences, told).toBe(0);
    compared += report.summary.pairs;
  }
  expect(compared).toBeGreaterThan(rounds * features.length);
  expect(passed).toBeGreaterThan(rounds / 2);
});

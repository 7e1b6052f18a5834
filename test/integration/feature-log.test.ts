/** The feature log of real servers: equal to what HTTP answered, value by value; an entity frame; without what is erased; whole after a kill. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { call, post } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { pythonPath } from '../support/start-python.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

const reader = fileURLToPath(new URL('./feature_log.py', import.meta.url));
const all = ['age', 'visits', 'score', 'ratio', 'city', 'spent', 'since', 'born', 'token', 'active', 'path'];
const profile = all.map((name) => `user_profile:${name}`);

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.stop();
});

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.stop();
});

const stores = () => ({ lmdb: { kind: 'lmdb' }, redis: { kind: 'redis', url: `redis://${redis.address}` } });

async function serve(kind: 'lmdb' | 'redis', logging: Readonly<Record<string, unknown>>): Promise<string> {
  const directory = await makeHttpStore({
    project: `${kind}_${Math.random().toString(36).slice(2)}`,
    onlineStore: stores()[kind],
    logging,
  });
  server = await startServer(directory);
  await post(`${server.http}/api/v1/materialize`, {});
  // What is known of views is looked up once a second.
  await sleep(1500);
  return directory;
}

const logOf = (directory: string) => join(directory, '.featherflight/storage/feature-log');

interface Logged {
  readonly service: string | null;
  readonly values: Readonly<Record<string, unknown>>;
}

async function readLog(directory: string, ...url: readonly string[]): Promise<{ rows: readonly Logged[]; computed: number }> {
  if (!existsSync(logOf(directory))) return { rows: [], computed: 0 };
  const { status, stdout, stderr } = await runProgram(pythonPath, [reader, logOf(directory), ...url]);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

async function ask(id: string, body: unknown, path = '/api/v1/online-features'): Promise<unknown> {
  const answer = await post(`${server?.http}${path}`, body, { 'x-request-id': id });
  expect(answer.status, answer.text).toBe(200);
  return answer.json();
}

interface Answer {
  readonly evaluated_at: string;
  readonly rows: number;
  readonly entities: Readonly<Record<string, { readonly values: readonly unknown[] }>>;
  readonly columns: Readonly<
    Record<string, { values: unknown[]; statuses: string[]; event_timestamps: (string | null)[]; is_default: boolean[] }>
  >;
}

/** What the log is to hold of an answer, in its order. */
function rowsOf(id: string, { evaluated_at, rows, entities, columns }: Answer): Record<string, unknown>[] {
  return Array.from({ length: rows }, (_, row) => ({
    evaluated_at,
    request_id: id,
    reader: null,
    ...Object.fromEntries(Object.entries(entities).map(([name, { values }]) => [name, values[row]])),
    ...Object.fromEntries(
      Object.entries(columns).flatMap(([name, column]) => [
        [name, column.values[row]],
        [`${name}__status`, column.statuses[row]],
        [`${name}__event_timestamp`, column.event_timestamps[row]],
        [`${name}__is_default`, column.is_default[row]],
      ]),
    ),
  }));
}

function shown({ values }: Logged): Record<string, unknown> {
  const besides = ['replica', 'factor'];
  return Object.fromEntries(Object.entries(values).filter(([name]) => !besides.includes(name) && !name.startsWith('__progress')));
}

describe.each(['lmdb', 'redis'] as const)('over %s', (kind) => {
  it('is what was answered, value by value, and computed again from history is the same', async () => {
    const directory = await serve(kind, { sample: 1, flushSeconds: 1 });
    const answers = new Map<string, Answer>();
    const own = async (id: string, body: unknown) => void answers.set(id, (await ask(id, body)) as Answer);
    await own('profile', { features: profile, entities: { user_id: [1, '9007199254740993', 3, 4, null] } });
    await own('ranker', {
      service: 'ranker',
      entities: { user_id: [1], item_id: ['item 3', 'none', 'item 599'] },
      request: { factor: [2] },
    });
    await own('candidates', {
      service: 'plain',
      entities: { user_id: ['1'], item_id: Array.from({ length: 500 }, (_, at) => `item ${at}`) },
    });
    await own('twice', {
      features: ['user_profile@a:age', 'user_profile@b:score'],
      keys: { b: { user_id: 'other' } },
      entities: { user_id: [1, 3], other: [3, 1] },
      full_feature_names: true,
    });
    for (let each = 0; each < 20; each++)
      await own(`more ${each}`.replace(' ', '-'), { features: ['user_profile:age'], entities: { user_id: [each] } });
    const feast = (await ask(
      'feast',
      { features: profile.slice(0, 2), entities: { user_id: [1, 3] }, full_feature_names: true },
      '/get-online-features',
    )) as {
      results: { values: unknown[] }[];
    };
    const refused = await post(`${server?.http}/api/v1/online-features`, { features: ['user_profile:age'], entities: {} });
    expect(refused.status).toBe(400);

    const expected = [...answers].reduce((sum, [, { rows }]) => sum + rows, 0) + 2;
    await expect.poll(async () => (await readLog(directory)).rows.length, { timeout: 90_000, interval: 500 }).toBe(expected);
    const { rows, computed } = await readLog(directory, server?.url as string);
    expect(computed).toBeGreaterThan(40);
    for (const [id, answer] of answers) {
      expect(rows.filter(({ values }) => values.request_id === id).map(shown), id).toEqual(rowsOf(id, answer));
    }
    const ranked = rows.filter(({ service }) => service === 'ranker');
    expect(ranked.map(({ values }) => values.factor)).toEqual([2, 2, 2]);
    expect(String(ranked[0]?.values['__progress_0.user_profile'])).toMatch(/^20\d\d-/);
    const asFeast = rows
      .filter(({ values }) => values.request_id === 'feast')
      .map(({ values }) => [values.user_profile__age, values.user_profile__visits]);
    expect(asFeast).toEqual([0, 1].map((row) => [feast.results[1]?.values[row], stringOf(feast.results[2]?.values[row])]));

    const metrics = (await call(`${server?.http}/metrics`)).text;
    expect(metrics).toContain(`featherflight_feature_log_rows_total ${expected}`);
    expect(metrics).toContain('featherflight_feature_log_dropped_rows_total{reason="buffer"} 0');
    expect(Number(/featherflight_feature_log_bytes (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(1000);
  }, 240_000);

  it('is without an entity that is erased, in files and in what is not written yet', async () => {
    const directory = await serve(kind, { sample: 1, flushSeconds: 3600 });
    const features = ['user_profile:age'];
    for (let each = 0; each < 10; each++) await ask(`before-${each}`, { features, entities: { user_id: [1, 3] } });
    const erased = await post(`${server?.http}/api/v1/erasures`, { entity: 'user', keys: { user_id: 1 } });
    expect(erased.json()).toMatchObject({ feature_log: { rows: 0 } });
    expect((await readLog(directory)).rows.map(({ values }) => values.user_id)).toEqual(new Array(10).fill('3'));
    const again = await post(`${server?.http}/api/v1/erasures`, { entity: 'user', keys: { user_id: 3 } });
    expect(again.json()).toMatchObject({ feature_log: { files: 1, rows: 10 } });
    await ask('after', { features, entities: { user_id: [1, 3, 4] } });
    expect((await server?.stop())?.status).toBe(0);
    expect((await readLog(directory)).rows.map(({ values }) => values.user_id)).toEqual(['4']);
    if (kind === 'redis') return;
    const { stdout, status } = await runProgram(process.execPath, [
      cliPath,
      '-C',
      directory,
      'erase',
      'user',
      'user_id=4',
      '--json',
    ]);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { feature_log: { files: 1, rows: 1 } }]);
    expect((await readLog(directory)).rows).toEqual([]);
  }, 240_000);
});

it('is nothing where the config does not ask for it', async () => {
  const directory = await makeHttpStore();
  server = await startServer(directory);
  await ask('one', { features: ['user_profile:age'], entities: { user_id: [1] } });
  await server.stop();
  expect(existsSync(logOf(directory))).toBe(false);
});

it('has only whole files after kill -9 in the middle of writing, and goes on', async () => {
  const directory = await serve('lmdb', { sample: 1, flushSeconds: 1 });
  for (let round = 0; round < 3; round++) {
    let isKilled = false;
    const body = {
      service: 'plain',
      entities: { user_id: ['1'], item_id: Array.from({ length: 4 }, (_, at) => `item ${at}`) },
    };
    const load = async () => {
      while (!isKilled) {
        await ask('load', body).catch(() => {});
        await sleep(10);
      }
    };
    const running = [load(), load()];
    await sleep(2500 + round * 600);
    isKilled = true;
    await server?.stop('SIGKILL');
    await Promise.all(running);
    const { rows } = await readLog(directory);
    expect(rows.every(({ values }) => values.price__status === 'PRESENT')).toBe(true);
    server = await startServer(directory);
    const files = readdirSync(logOf(directory)).flatMap((folder) => readdirSync(join(logOf(directory), folder)));
    expect(files.filter((name) => name.endsWith('.draft'))).toEqual([]);
  }
  await ask('last', { features: ['user_profile:age'], entities: { user_id: [1] } });
  await server?.stop();
  const { rows } = await readLog(directory);
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter(({ values }) => values.request_id === 'last')).toHaveLength(1);
}, 240_000);

/** int64 is a number with Feast, and text here. */
function stringOf(value: unknown): unknown {
  return value === null || value === undefined ? null : String(value);
}

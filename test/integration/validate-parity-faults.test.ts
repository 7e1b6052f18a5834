/**
 * Faults of streams, clocks and defaults, each planted in a running server over Redis and a stream of Redis: the report out of what was
 * served names its cause, for the keys that it concerns, and nothing else.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ParityReport } from '../../src/validate/parity/report.ts';
import { call } from '../support/http-client.ts';
import { type Link, startLink } from '../support/start-link.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-faults-'));
const clockFile = join(directory, 'clock');
const users = ['1', '2', '3', '4', '5'];
const everything = ['user_activity:clicks', 'user_activity:spent', 'user_profile:age', 'user_profile:score'];

let redis: RedisServer;
let stream: RedisServer;
let link: Link;
let server: ServerProcess;
/** Events that the server has taken from the stream so far, wherever they count. */
let sent = 0;

beforeAll(async () => {
  redis = await startRedis();
  stream = await startRedis();
  link = await startLink(stream.port);
  mkdirSync(join(directory, 'features'));
  mkdirSync(join(directory, 'data'));
  setClock(0);
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
  onlineStore: { kind: 'redis', url: 'redis://${redis.address}', commandTimeoutMs: 10000, connectTimeoutMs: 10000 },
});\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, count, entity, eventSource, featureView, fitted, parquet, redisStream, streamFeatureView, sum } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profiles.parquet'), eventTimestamp: 'at' });
export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles, features: { age: { type: 'int64' }, score: { type: 'float64', default: fitted('mean') } },
});
export const clicks = eventSource('clicks', {
  stream: redisStream({ url: 'redis://${link.address}', keys: ['clicks'] }),
  eventTimestamp: 'at', lateness: '10m', columns: { user_id: 'int64', amount: 'float64' },
});
export const userActivity = streamFeatureView('user_activity', {
  entities: [user], source: clicks, features: { clicks: count({ window: '30d' }), spent: sum('amount', { window: '30d' }) },
});\n`,
  );
  // User 5 has no row. The mean of all rows before a day is another one every day.
  await writeTables(directory, [
    [
      'data/profiles.parquet',
      `select i::bigint as user_id, now() - to_days(d) as "at", (20 + i)::bigint as age, (i + 10 * d)::double as score
       from range(1, 5) as a(i), range(-9, 3) as b(d)`,
    ],
  ]);
  await applyRepository(directory);
  server = await startServer(directory, {
    environment: {
      NODE_OPTIONS: `--import=${fileURLToPath(new URL('../support/shifted-clock.mjs', import.meta.url))}`,
      FEATHERFLIGHT_TEST_CLOCK: clockFile,
    },
  });
  await post('/api/v1/materialize', {});
});

afterAll(async () => {
  await server?.stop();
  await link?.stop();
  await Promise.all([redis?.stop(), stream?.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

/** By how many milliseconds the server's clock is wrong. */
function setClock(shiftMs: number): void {
  writeFileSync(clockFile, String(Math.round(shiftMs)));
}

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

interface Sent {
  readonly user: string;
  /** By the clock of whoever sends it. */
  readonly secondsAgo: number;
}

async function send(events: readonly Sent[]): Promise<void> {
  for (const { user, secondsAgo } of events) {
    const at = new Date(Date.now() - 1000 * secondsAgo).toISOString();
    await stream.command('xadd', 'clicks', '*', 'value', JSON.stringify({ user_id: Number(user), at, amount: Number(user) / 7 }));
  }
  sent += events.length;
}

interface Partition {
  readonly records: number;
  readonly late: number;
  readonly set_aside: number;
}

/** Waits until all that was sent has been taken. */
async function settle(): Promise<Partition> {
  const readStream = async () => {
    const { partitions } = (await call(`${server.http}/api/v1/streams/clicks`)).json() as { partitions: Partition[] };
    return partitions[0];
  };
  await expect.poll(async () => (await readStream())?.records, { timeout: 60_000 }).toBe(sent);
  return (await readStream()) as Partition;
}

/** T of an answer, which is logged. */
async function ask(of = users): Promise<string> {
  const { evaluated_at: at } = await post('/api/v1/online-features', { features: everything, entities: { user_id: of } });
  return at as string;
}

/** What was served from then on, as a check of it tells: user -> cause by feature, of those with a difference. */
async function check(request: object) {
  const report = (await post('/api/v1/validate/parity', request)) as unknown as ParityReport;
  const told = report.features.filter(({ n, within_tolerance: within }) => n > within);
  const causes = Object.fromEntries(
    told.map(({ view, feature, worst }) => [
      `${view}:${feature}`,
      Object.fromEntries(worst.map(({ keys, cause }) => [(keys as { user_id: string }).user_id, cause])),
    ]),
  );
  return { report, causes };
}

/** Both features of the stream, for one user. */
const ofStream = (user: string, cause: string) => ({
  'user_activity:clicks': { [user]: cause },
  'user_activity:spent': { [user]: cause },
});

async function expectClean(): Promise<void> {
  const from = await ask();
  for (const request of [{ from }, { live: true }]) {
    const { report, causes } = await check(request);
    expect(causes, JSON.stringify(report)).toEqual({});
    expect([report.result, report.summary.failed, report.features.length]).toEqual(['PASS', 0, 4]);
  }
}

test('where nothing went wrong nothing is told', async () => {
  await send(users.map((user) => ({ user, secondsAgo: 300 })));
  await settle();
  await expectClean();
});

test('events that wait in the stream while its way is cut are a processing lag, and nothing once they are applied', async () => {
  link.cut();
  await send([{ user: '2', secondsAgo: 5 }]);
  const from = await ask();
  const waiting = await check({ from });
  link.join();
  await settle();
  const { report, causes } = await check({ from });
  expect(causes, JSON.stringify(report)).toEqual(ofStream('2', 'processing_lag'));
  // Not even history had them yet.
  expect(waiting.causes).toEqual({});
  await expectClean();
});

test('events of a sender whose clock is ahead wait for their time, or are set aside; neither differs', async () => {
  const from = await ask();
  await send([
    { user: '4', secondsAgo: -20 },
    { user: '4', secondsAgo: -600 },
  ]);
  expect(await settle()).toMatchObject({ set_aside: 1 });
  await ask();
  const { report, causes } = await check({ from });
  expect(causes, JSON.stringify(report)).toEqual({});
});

test("what comes until a server's clock is right, which was ahead when it answered, is a processing lag", async () => {
  setClock(300_000);
  let from = await ask();
  while (Date.parse(from) < Date.now() + 200_000) from = await ask();
  await send([{ user: '2', secondsAgo: 0 }]);
  await settle();
  const { report, causes } = await check({ from });
  expect(causes, JSON.stringify(report)).toEqual(ofStream('2', 'processing_lag'));
  setClock(0);
  while (Date.parse(await ask()) > Date.now() + 100_000);
  await expectClean();
});

test("an event whose sender's clock is behind is a late event", async () => {
  const from = await ask();
  await send([{ user: '3', secondsAgo: 1800 }]);
  expect(await settle()).toMatchObject({ late: 1 });
  await ask();
  for (const request of [{ from }, { live: true }]) {
    const { report, causes } = await check(request);
    expect(causes, JSON.stringify(report)).toEqual(ofStream('3', 'late_event'));
  }
});

test('an event that is dropped on its way into the online store is a bug', async () => {
  await send([{ user: '1', secondsAgo: 30 }]);
  await settle();
  const before = await readEntities();
  await send([{ user: '1', secondsAgo: 10 }]);
  await settle();
  // Archived, and the stream's progress has passed it, but it is in no state any more.
  await putBack(before);
  const from = await ask();
  for (const request of [{ from }, { live: true }]) {
    const { report, causes } = await check(request);
    expect(causes, JSON.stringify(report)).toEqual({
      'user_activity:clicks': { 1: 'bug', 3: 'late_event' },
      'user_activity:spent': { 1: 'bug', 3: 'late_event' },
    });
  }
});

test('a fitted default of a day before, served until that of today is there, is told with its day', async () => {
  // The server may have computed it between the jump of its clock and the question: then the next midnight comes.
  for (let day = Math.ceil(Date.now() / 86_400_000); ; day++) {
    const midnight = day * 86_400_000;
    setClock(midnight + 1000 - Date.now());
    let from = await ask(['5']);
    while (Date.parse(from) < midnight) from = await ask(['5']);
    const { report, causes } = await check({ from, features: ['user_profile:age', 'user_profile:score'] });
    if (report.summary.differences === 0 && report.summary.pairs > 0) continue;
    expect(causes, JSON.stringify(report)).toEqual({ 'user_profile:score': { 5: 'default_not_computed' } });
    const text = report.features.find(({ feature }) => feature === 'score')?.worst[0]?.evidence.text;
    expect(text).toMatch(/^the fitted default of \d{4}-\d\d-\d\d was served/);
    return;
  }
});

/** Of every entity the value that the online store has. */
async function readEntities(): Promise<ReadonlyMap<string, Buffer>> {
  const client = redis.connect();
  try {
    const keys = await client.keysBuffer('*');
    const entities = keys.filter((key) => key.subarray(0, 6).equals(Buffer.from('shop\0\u0002')));
    const values = await Promise.all(entities.map((key) => client.getBuffer(key)));
    return new Map(entities.map((key, at) => [key.toString('hex'), values[at] as Buffer]));
  } finally {
    client.disconnect();
  }
}

async function putBack(entities: ReadonlyMap<string, Buffer>): Promise<void> {
  const client = redis.connect();
  try {
    for (const [key, value] of entities) await client.set(Buffer.from(key, 'hex'), value);
  } finally {
    client.disconnect();
  }
}

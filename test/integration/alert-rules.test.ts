/** Rules of parity, drift and lag against a running server: each fault fires once at a real webhook, and resolves once when it is mended. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ShownStream } from '../../src/http/stream-answers.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { whileFilling } from '../../src/stream/filling.ts';
import { call } from '../support/http-client.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { startWebhook, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-alert-rules-'));
const users = Array.from({ length: 120 }, (_, at) => String(at + 1));
let redis: RedisServer;
let hook: WebhookReceiver;
let store: ReturnType<typeof openTestRedis>;
let server: ServerProcess;

beforeAll(async () => {
  mkdirSync(join(directory, 'features'));
  mkdirSync(join(directory, 'data/profiles'), { recursive: true });
  [redis, hook] = await Promise.all([startRedis(), startWebhook()]);
  store = openTestRedis({ url: `redis://${redis.address}` });
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig, redis } from 'featherflight';
export default defineConfig({
  project: 'test', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
  onlineStore: redis({ url: 'redis://${redis.address}' }),
  alerts: {
    every: '1s', webhook: { url: '${hook.url}' },
    rules: [{ when: 'parity', severity: 'critical' }, { when: 'drift', view: 'profile' }, { when: 'lag', source: 'clicks', above: 1 }],
  },
});\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, count, entity, eventSource, featureView, parquet, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profiles/*.parquet'), eventTimestamp: 'at' });
export const profile = featureView('profile', {
  entities: [user], source: profiles, features: { age: { type: 'int64' }, score: { type: 'int64' } },
});
export const clicks = eventSource('clicks', { eventTimestamp: 'at', columns: { user_id: 'int64' } });
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks, features: { n: count({ window: '1d' }) },
});
`,
  );
  await land('first', `now() - interval 2 day as "at", (20 + i % 40)::bigint as age`);
  await applyRepository(directory);
  server = await startServer(directory);
  await post('/api/v1/materialize', {});
});
afterAll(async () => {
  await server?.stop();
  await store?.close();
  await hook?.stop();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function land(name: string, columns: string): Promise<void> {
  const sql = `select i::bigint as user_id, ${columns}, (i * 37 % 101)::bigint as score from range(1, 121) as t(i)`;
  await writeTables(directory, [[`${name}.parquet`, sql]]);
  renameSync(join(directory, `${name}.parquet`), join(directory, 'data/profiles', `${name}.parquet`));
}

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

/** What was told of a feature or a partition by rules of a kind. */
const told = (kind: string, of: string) =>
  hook.messages
    .filter(({ alert: { rule, labels } }) => rule.startsWith(kind) && (labels.feature ?? labels.partition) === of)
    .map(({ alert }) => alert.status);
const now = () => new Date().toISOString();

/** Also after the next look: once is once. */
async function toldInAll(kind: string, of: string, expected: readonly string[]): Promise<void> {
  await expect.poll(() => told(kind, of)).toEqual(expected);
  const { checked_at: seen } = await shown();
  await expect.poll(async () => String((await shown()).checked_at) > String(seen)).toBe(true);
  expect(told(kind, of)).toEqual(expected);
}

const shown = async () => (await call(`${server.http}/api/v1/alerts`)).json() as { checked_at: string | null };

it('parity: a check of other features resolves nothing, one that passes does', async () => {
  const check = async (...features: string[]) => (await post('/api/v1/validate/parity', { live: true, features })).result;
  expect(await check('profile:age', 'profile:score')).toBe('PASS');
  const wrong = users.slice(0, 40);
  const rows = {
    user_id: wrong,
    at: wrong.map(now),
    age: wrong.map(() => '999'),
    score: wrong.map((id) => String((Number(id) * 37) % 101)),
  };
  await post('/api/v1/write-to-online-store', { view: 'profile', rows });
  expect(await check('profile:age', 'profile:score')).toBe('FAIL');
  await toldInAll('parity', 'age', ['firing']);
  await check('activity:n');
  await check('profile:score');
  await toldInAll('parity', 'age', ['firing']);
  await land('mended', `now() as "at", (20 + i % 40)::bigint as age`);
  await post('/api/v1/materialize', {});
  expect(await check('profile:age', 'profile:score')).toBe('PASS');
  await toldInAll('parity', 'age', ['firing', 'resolved']);
});

it('drift: fires by the last check of each feature, and resolves when that passes', async () => {
  const serve = () =>
    post('/api/v1/online-features', { features: ['profile:age', 'profile:score'], entities: { user_id: users } });
  const check = async (body: object) => (await post('/api/v1/validate/drift', body)).result;
  const start = now();
  await serve();
  const middle = now();
  await serve();
  const changed = now();
  await land('older', `now() as "at", (60 + i % 40)::bigint as age`);
  await post('/api/v1/materialize', {});
  await serve();
  expect(await check({ from: changed, reference_from: start, reference_to: changed })).toBe('FAIL');
  await toldInAll('drift', 'age', ['firing']);
  expect(await check({ from: changed, reference_from: start, reference_to: changed, features: ['profile:score'] })).toBe('PASS');
  await toldInAll('drift', 'age', ['firing']);
  expect(await check({ from: middle, to: changed, reference_from: start, reference_to: middle })).toBe('PASS');
  await toldInAll('drift', 'age', ['firing', 'resolved']);
});

it('lag: fires while events wait for longer than allowed, and resolves when they are applied', async () => {
  const push = (secondsAgo: number) => {
    const at = new Date(Date.now() - 1000 * secondsAgo).toISOString();
    return post('/api/v1/push', { source: 'clicks', rows: { user_id: ['1'], at: [at] } });
  };
  const lag = async () =>
    ((await call(`${server.http}/api/v1/streams/clicks`)).json() as ShownStream).partitions.map(
      ({ lag_seconds: seconds }) => seconds,
    );
  await push(120);
  await expect.poll(async () => (await call(`${server.http}/api/v1/streams/clicks`)).text).toContain('"events":1');
  expect(await lag()).toEqual([0]);
  expect(told('lag', 'push')).toEqual([]);
  await whileFilling(createOnlineRecords(store, 'test'), 'clicks', async () => {
    await push(1);
    await toldInAll('lag', 'push', ['firing']);
    expect(hook.messages.at(-1)?.alert.text).toMatch(/^records have waited for \d+ s$/);
  });
  await toldInAll('lag', 'push', ['firing', 'resolved']);
});

/** Erasure over HTTP and Flight (rule 8.4), on Redis: who may, what is refused, what a killed server leaves, what the page says. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFlightClient } from '../../src/client/flight-client.ts';
import { call, post } from '../support/http-client.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

let redis: RedisServer;
let server: ServerProcess;
let directory: string;
beforeAll(async () => {
  redis = await startRedis();
  directory = await makeHttpStore({ onlineStore: { kind: 'redis', url: `redis://${redis.address}` } });
  server = await startServer(directory);
});
afterAll(async () => {
  await server?.stop();
  await redis?.stop();
});

const tokens: Record<string, string> = {};
const bearer = (name?: string): Record<string, string> => (name === undefined ? {} : { authorization: `Bearer ${tokens[name]}` });
const erase = (keys: unknown, name?: string, entity = 'user') =>
  post(`${server.http}/api/v1/erasures`, { entity, keys }, bearer(name));

async function push(user: number, name?: string): Promise<void> {
  const others = ['made', 'score', 'ratio', 'city', 'spent', 'since', 'born', 'token', 'active', 'path', 'age'];
  const rows = { user_id: [user], at: ['2026-03-01T00:00:00Z'], visits: [user] };
  const nulls = Object.fromEntries(others.map((column) => [column, [null]]));
  const answer = await post(`${server.http}/api/v1/push`, { source: 'profiles', rows: { ...rows, ...nulls } }, bearer(name));
  expect(answer.status, answer.text).toBe(200);
}

async function statuses(users: readonly number[], name?: string): Promise<readonly string[]> {
  const asked = { features: ['user_profile:visits'], entities: { user_id: users } };
  const answer = await post(`${server.http}/api/v1/online-features`, asked, bearer(name));
  return (answer.json() as { columns: { visits: { statuses: string[] } } }).columns.visits.statuses;
}

it('refuses what names no entity, and says what would', async () => {
  for (const [keys, entity, status, said] of [
    [{ user_id: 'x' }, 'user', 400, 'whole number'],
    [{}, 'user', 400, 'user_id'],
    [[1], 'user', 400, '\\"keys\\"'],
    [{ user_id: 1 }, 'usr', 404, 'did you mean'],
  ] as const) {
    const answer = await erase(keys, undefined, entity);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(said)]);
  }
  const wrong = await post(`${server.http}/api/v1/erasures`, { entity: 'user', key: {} });
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('did you mean \\"keys\\"?')]);
});

it('is on the page that describes every address', async () => {
  const { paths } = (await call(`${server.http}/openapi.json`)).json() as { paths: Record<string, Record<string, object>> };
  expect(Object.keys(paths['/api/v1/erasures'] as object)).toEqual(['post', 'get']);
  expect(paths['/api/v1/erasures/lift']?.post).toMatchObject({ 'x-scope': 'admin', requestBody: { required: true } });
});

it('goes on after a server was killed in the midst of it, and then is whole', async () => {
  const users = Array.from({ length: 12 }, (_, at) => 100 + at);
  for (const user of users) await push(user);
  const archive = join(directory, '.featherflight/storage/archive/profiles');
  // Beside the files of rows and the manifest stand, for a moment, what is being written and a lock.
  const lasting = () => readdirSync(archive).filter((name) => name.endsWith('.parquet'));
  const bytes = () => lasting().reduce((sum, name) => sum + statSync(join(archive, name)).size, 0);
  const before = bytes();
  for (const user of users) {
    const asked = erase({ user_id: String(user) }).then(
      (answer) => answer.status,
      () => 'cut short',
    );
    if (user % 4 === 3) {
      await sleep(Math.random() * 40);
      await server.stop('SIGKILL');
      expect(['cut short', 200]).toContain(await asked);
      server = await startServer(directory);
      expect((await erase({ user_id: user })).status).toBe(200);
    } else expect(await asked).toBe(200);
  }
  expect(new Set(await statuses(users))).toEqual(new Set(['NOT_FOUND']));
  const list = (await call(`${server.http}/api/v1/erasures`)).json() as { erasures: { keys: object; finished: boolean }[] };
  expect(list.erasures.map(({ keys, finished }) => [keys, finished])).toEqual(
    users.map((user) => [{ user_id: String(user) }, true]),
  );
  expect(lasting()).toEqual([]);
  expect(bytes()).toBeLessThan(before);
});

it('is for admin tokens of every view alone, on both doors', async () => {
  await push(200);
  for (const [name, request] of [
    ['admin', { scopes: ['admin'] }],
    ['writer', { scopes: ['write', 'read-online'] }],
    ['items', { scopes: ['admin'], views: ['item_stats'] }],
  ] as const) {
    const made = await post(`${server.http}/api/v1/tokens`, request, name === 'admin' ? {} : bearer('admin'));
    tokens[name] = (made.json() as { token: string }).token;
  }
  for (const name of ['writer', 'items']) {
    expect((await erase({ user_id: 200 }, name)).status).toBe(403);
    expect((await call(`${server.http}/api/v1/erasures`, { headers: bearer(name) })).status).toBe(403);
    const client = openFlightClient({ url: server.url, token: tokens[name] });
    for (const action of ['erase', 'lift_erasure', 'list_erasures']) {
      const asked = client.action(action, { entity: 'user', keys: { user_id: 200 } });
      await expect(asked).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    client.close();
  }
  expect(await statuses([200], 'admin')).toEqual(['PRESENT']);
  expect((await erase({ user_id: 200 }, 'admin')).json()).toMatchObject({
    archives: [{ source: 'profiles', files: 1, rows: 1 }],
    feature_log: { files: 0, rows: 0 },
    datasets: [],
  });
  const lifted = await post(`${server.http}/api/v1/erasures/lift`, { entity: 'user', keys: { user_id: '200' } }, bearer('admin'));
  expect(lifted.json()).toEqual({ lifted: true, erased_at: expect.any(String) });
  await push(200, 'writer');
  expect(await statuses([200], 'writer')).toEqual(['PRESENT']);
});

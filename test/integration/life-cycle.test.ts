/** Who read what last, and what follows from it, at every door of real servers on both online stores. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFlightClient } from '../../src/client/flight-client.ts';
import { runCommand } from '../cli/run-command.ts';
import { call, post } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

interface Row {
  readonly name: string;
  readonly last_read: string | null;
  readonly readers: Readonly<Record<string, string>>;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.stop();
});

const stores = [
  ['LMDB', () => ({})],
  ['Redis', () => ({ onlineStore: { kind: 'redis', url: `redis://${redis.address}` } })],
] as const;

describe.each(stores)('with %s', (name, config) => {
  let directory: string;
  let server: ServerProcess;
  let tokens: { admin: string; ranker: string };
  const headers = (token: string) => ({ authorization: `Bearer ${token}` });
  const rowsOf = async (kind: string, of = server): Promise<readonly Row[]> => {
    const answer = await call(`${of.http}/api/v1/${kind}`, { headers: headers(tokens.admin) });
    return (answer.json() as { rows: readonly Row[] }).rows;
  };
  const readersOf = async (kind: string, of = server) =>
    Object.fromEntries((await rowsOf(kind, of)).map((row) => [row.name, Object.keys(row.readers).sort()]));

  beforeAll(async () => {
    directory = await makeHttpStore({ readable: ['data'], ...config() });
    await writeTables(directory, [
      ['data/frame.parquet', "select 1::bigint as user_id, 'item 1' as item_id, timestamptz '2026-06-01' as event_timestamp"],
    ]);
    server = await startServer(directory);
    const make = async (request: object, token?: string) =>
      (
        (await post(`${server.http}/api/v1/tokens`, request, token === undefined ? {} : headers(token))).json() as {
          token: string;
        }
      ).token;
    const admin = await make({ scopes: ['admin'], description: 'the admin' });
    tokens = { admin, ranker: await make({ scopes: ['read-online', 'read-offline'], description: 'ranker' }, admin) };
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('nothing was read yet', async () => {
    for (const kind of ['features', 'feature-views', 'feature-services'])
      for (const row of await rowsOf(kind)) expect(row).toMatchObject({ last_read: null, readers: {} });
  });

  it('reads online and for training are told by feature and reader, also what only a transform read', async () => {
    const before = Date.now() - 1000;
    const asked = { features: ['doubled:times_age'], entities: { user_id: [1] }, request: { factor: [2] } };
    expect((await post(`${server.http}/api/v1/online-features`, asked, headers(tokens.ranker))).status).toBe(200);
    const feast = { features: ['item_stats:price'], entities: { item_id: ['item 1'] } };
    expect((await post(`${server.http}/get-online-features`, feast, headers(tokens.admin))).status).toBe(200);
    const client = openFlightClient({ url: server.url, token: tokens.ranker });
    try {
      const answer = await client.getHistoricalFeatures({ service: 'plain', path: 'data/frame.parquet' });
      for await (const _ of answer.batches());
      const [row] = (await client.describe('plain', 'feature_services')) as unknown as readonly Row[];
      expect(Object.keys(row?.readers ?? {})).toEqual(['ranker']);
    } finally {
      client.close();
    }
    const features = await readersOf('features');
    expect(features).toMatchObject({
      'doubled:times_age': ['ranker'],
      'user_profile:age': ['ranker'],
      'user_profile:score': ['ranker'],
      'user_profile:visits': [],
      'item_stats:price': ['ranker', 'the admin'],
      'item_stats:sold': ['ranker'],
    });
    expect(await readersOf('feature-views')).toEqual({
      doubled: ['ranker'],
      item_stats: ['ranker', 'the admin'],
      user_profile: ['ranker'],
    });
    expect(await readersOf('feature-services')).toEqual({ plain: ['ranker'], ranker: [] });
    const age = (await rowsOf('features')).find((row) => row.name === 'user_profile:age');
    expect(age?.last_read).toBe(age?.readers.ranker);
    expect(Date.parse(age?.last_read ?? '')).toBeGreaterThanOrEqual(before);
    expect(Date.parse(age?.last_read ?? '')).toBeLessThanOrEqual(Date.now());
  });

  it('a command without a server reads the same records', async () => {
    const here = await runCommand(['list', 'features', '--json'], { directory });
    const rows = (JSON.parse(here.stdout) as { rows: readonly Row[] }).rows;
    expect(rows.map(({ name, readers }) => [name, readers])).toEqual(
      (await rowsOf('features')).map(({ name, readers }) => [name, readers]),
    );
  });

  it('the command line and Python show it by feature and reader', async () => {
    const environment = { FEATHERFLIGHT_TOKEN: tokens.admin };
    for (const where of [[], ['--url', server.url]]) {
      const run = await runCommand(['usage', 'item_stats', ...where], { directory, environment });
      expect(run).toMatchObject({ status: 0, stderr: '' });
      const lines = run.stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
      expect(lines[0]).toEqual(['NAME', 'READER', 'LAST READ']);
      const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(lines.slice(1, -1).sort()).toEqual([
        ['item_stats:price', 'ranker', instant],
        ['item_stats:price', 'the admin', instant],
        ['item_stats:sold', 'ranker', instant],
      ]);
      const json = await runCommand(['usage', '--json', ...where], { directory, environment });
      const { rows } = JSON.parse(json.stdout) as { rows: readonly object[] };
      expect(rows).toContainEqual({ kind: 'feature service', name: 'plain', reader: 'ranker', last_read: instant });
      expect(rows).toContainEqual({ kind: 'feature service', name: 'ranker', reader: null, last_read: null });
      expect(await runCommand(['usage', 'item_stat', ...where], { directory, environment })).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('did you mean "item_stats"?'),
      });
    }
    const code = `
import featherflight as ff

store = ff.connect(${JSON.stringify(server.url)}, token=${JSON.stringify(tokens.admin)})
print(sorted((row["name"], row["reader"]) for row in store.usage("item_stats")))
print([(row["reader"], row["last_read"]) for row in store.usage("user_profile:visits")])
`;
    const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
    const run = await runProgram(python, ['-c', code], {
      environment: { PYTHONPATH: fileURLToPath(new URL('../../python_client/src', import.meta.url)) },
    });
    expect(run).toMatchObject({
      status: 0,
      stdout:
        "[('item_stats:price', 'ranker'), ('item_stats:price', 'the admin'), ('item_stats:sold', 'ranker')]\n[(None, None)]\n",
    });
  });

  it('a server that ends has stored what was read, and another one goes on', async () => {
    const asked = { features: ['user_profile:city'], entities: { user_id: [1] } };
    expect((await post(`${server.http}/api/v1/online-features`, asked, headers(tokens.ranker))).status).toBe(200);
    await server.stop();
    server = await startServer(directory);
    expect((await readersOf('features'))['user_profile:city']).toEqual(['ranker']);
    expect((await readersOf('features'))['item_stats:price']).toEqual(['ranker', 'the admin']);
  });

  it('what was read is refused to go at every door, naming who read it, until it is forced', async () => {
    const file = join(directory, 'features/shop.ts');
    const definitions = readFileSync(file, 'utf8');
    const without = definitions.replace("city: { type: 'string' }, ", '');
    writeFileSync(file, without);
    const loss = { kind: 'feature', name: 'user_profile:city', change: 'is removed', readers: { ranker: expect.any(String) } };
    const admin = headers(tokens.admin);
    const planned = await post(`${server.http}/api/v1/plan`, {}, admin);
    expect(planned.json()).toMatchObject({ changes: [{ name: 'user_profile' }], refused: [loss] });
    const refusal = await post(`${server.http}/api/v1/apply`, {}, admin);
    expect(refusal.status).toBe(409);
    expect(refusal.json()).toMatchObject({
      error: { code: 'FAILED_PRECONDITION', message: expect.stringMatching(/user_profile:city is removed; read by ranker/) },
    });
    const environment = { FEATHERFLIGHT_TOKEN: tokens.admin };
    const plan = await runCommand(['plan', '--url', server.url], { directory, environment });
    expect(plan).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('feature user_profile:city is removed; read by ranker'),
    });
    expect(plan.stdout).toContain('- features.city');
    expect(await runCommand(['plan', '--force', '--url', server.url], { directory, environment })).toMatchObject({ status: 0 });
    expect(await runCommand(['apply', '--url', server.url], { directory, environment })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('read by ranker'),
    });
    expect((await post(`${server.http}/api/v1/apply`, { force: 1 }, admin)).status).toBe(400);

    await server.stop();
    const here = await runCommand(['plan', '--json'], { directory });
    expect(here.status).toBe(1);
    expect(JSON.parse(here.stdout)).toMatchObject({ refused: [loss] });
    expect(await runCommand(['apply', '--yes'], { directory })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('read by ranker'),
    });
    expect(await runCommand(['apply', '--yes', '--force'], { directory })).toMatchObject({ status: 0 });
    writeFileSync(file, without.replace("visits: { type: 'int64' }, ", ''));
    expect(await runCommand(['plan'], { directory })).toMatchObject({ status: 0 });

    server = await startServer(directory);
    expect((await post(`${server.http}/api/v1/plan`, {}, admin)).json()).toMatchObject({ refused: [] });
    writeFileSync(file, without.replace("'age', 'score'), itemStats, doubled]", "'age', 'score'), itemStats]"));
    const asked = { service: 'ranker', entities: { user_id: [1], item_id: ['item 1'] }, request: { factor: [2] } };
    expect((await post(`${server.http}/api/v1/online-features`, asked, headers(tokens.ranker))).status).toBe(200);
    const client = openFlightClient({ url: server.url, token: tokens.admin });
    try {
      await expect(client.apply()).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringContaining('feature service ranker loses doubled:times_age'),
      });
      expect(await client.apply({ force: true })).toMatchObject({ changes: [{ name: 'ranker' }] });
    } finally {
      client.close();
    }
  });

  it.runIf(name === 'Redis')('two servers of one project merge what each has seen', async () => {
    const otherDirectory = await makeHttpStore({ readable: ['data'], ...config() });
    const other = await startServer(otherDirectory);
    try {
      const asked = { features: ['item_stats:sold'], entities: { item_id: ['item 1'] } };
      expect((await post(`${other.http}/api/v1/online-features`, asked)).status).toBe(200);
      await call(`${other.http}/api/v1/features`);
      expect((await readersOf('features'))['item_stats:sold']).toEqual(['anonymous', 'ranker']);
    } finally {
      await other.stop();
    }
  });
});

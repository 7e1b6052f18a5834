/** Checks of parity that a running server makes by its schedule: kept, told in the log and to a webhook, resolved; and what the command line ends with. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { startPython } from '../support/start-python.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-scheduled-'));
const profiles = join(directory, 'data/profiles.parquet');
const users = ['1', '2', '3', '4'];
const messages: { readonly status: string; readonly labels: Readonly<Record<string, string>> }[] = [];
let hook: Server;
let server: ServerProcess;

beforeAll(async () => {
  hook = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      messages.push(JSON.parse(text).alert);
      response.end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  mkdirSync(join(directory, 'features'));
  mkdirSync(join(directory, 'data'));
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
  validate: { parity: { schedule: '* * * * * *', from: '1h' } },
  alerts: {
    every: '1s', rules: [{ when: 'parity', severity: 'critical' }],
    webhook: { url: 'http://127.0.0.1:${(hook.address() as AddressInfo).port}/' },
  },
});\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, entity, featureService, featureView, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profiles.parquet'), eventTimestamp: 'at' });
export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles, features: { age: { type: 'int64' }, city: { type: 'string' } },
});
export const ranker = featureService('ranker', { features: [userProfile] });\n`,
  );
  await writeTables(directory, [
    [
      'data/profiles.parquet',
      `select i::bigint as user_id, now() - interval 1 day as "at", (20 + i)::bigint as age, 'city ' || i as city from range(1, 5) as t(i)`,
    ],
  ]);
  await applyRepository(directory);
  server = await startServer(directory);
  await post('/api/v1/materialize', {});
});

afterAll(async () => {
  await server?.stop();
  hook?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

interface Kept {
  readonly id: string;
  readonly result: string;
  readonly summary: { readonly causes: Readonly<Record<string, number>> };
}

/** The newest report that is kept. */
async function newest(): Promise<Kept | undefined> {
  return ((await call(`${server.http}/api/v1/reports?kind=parity`)).json() as { reports: Kept[] }).reports[0];
}

const ask = () => post('/api/v1/online-features', { service: 'ranker', entities: { user_id: users } });
const edit = (age: number) =>
  post('/api/v1/write-to-online-store', {
    view: 'user_profile',
    rows: { user_id: ['2'], event_timestamp: [new Date().toISOString()], age: [age], city: ['nowhere'] },
  });

/** `featherflight validate parity` by the server, or without it. */
function check(args: readonly string[], url: string | undefined = server.url) {
  const environment: Record<string, string> = url === '' ? {} : { FEATHERFLIGHT_URL: url };
  return runProgram(process.execPath, [cliPath, '-C', directory, 'validate', 'parity', ...args], { environment });
}

test('a report of each tick is kept; the command line ends with 1 where nothing was served, with 0 where all agrees', async () => {
  await expect.poll(async () => (await newest())?.result).toBe('NO DATA');
  expect((await check([])).status).toBe(1);
  await ask();
  await expect.poll(async () => (await newest())?.result).toBe('PASS');
  for (const url of [server.url, '']) {
    const { status, stdout, stderr } = await check(['--json'], url);
    expect({ status, result: JSON.parse(stdout).result }, stdout + stderr).toEqual({ status: 0, result: 'PASS' });
  }
  expect(messages).toEqual([]);
});

test('a value that is edited fails the next report, is told once, and ends the command line with 1', async () => {
  await edit(999);
  await ask();
  await expect.poll(async () => (await newest())?.result).toBe('FAIL');
  const { id, summary } = (await newest()) as Kept;
  expect(summary.causes).toEqual({ bug: 2 });
  const report = (await call(`${server.http}/api/v1/reports/${id}`)).json() as { features: { worst: object[] }[] };
  expect(report.features.map(({ worst }) => worst)).toMatchObject([[{ keys: { user_id: '2' } }], [{ keys: { user_id: '2' } }]]);
  await expect.poll(() => messages.length).toBe(2);
  expect(messages.map(({ status, labels }) => [status, labels.view, labels.feature]).sort()).toEqual([
    ['firing', 'user_profile', 'age'],
    ['firing', 'user_profile', 'city'],
  ]);
  expect(server.log()).toContain('online and offline features differ');
  const { status, stdout } = await check([]);
  expect(status).toBe(1);
  expect(stdout).toContain('FAIL');
});

test('Python sees the same out of the log and live, as rows of a frame and as a table of a notebook', async () => {
  const python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), { FEATHERFLIGHT_URL: server.url });
  try {
    const found = await python.run(`
      logged = store.check_parity("ranker", progress=False)
      live = store.check_parity(["user_profile:age"], live=True, sample=10, progress=False)
      within = store.check_parity(["user_profile:age"], live=True, tolerances={"user_profile:age": (0.0, 1000.0)}, progress=False)
      none = store.check_parity(start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z", progress=False)
      frame = live.to_pandas()
      {"logged": [logged.result, logged.passed, logged.summary["causes"]],
       "live": [live.mode, live.result, [[one.keys["user_id"], one.cause] for one in live.features[0].worst]],
       "frame": [list(frame["feature"]), int(frame["cause_bug"][0]), int(frame["n"][0])],
       "page": "bug 1" in live._repr_html_(), "within": within.features[0].mean_abs_error > 0,
       "none": [none.result, none.passed, none.features, none.summary["pairs"]]}
    `);
    expect(found).toEqual({
      logged: ['FAIL', false, { bug: 2 }],
      live: ['live', 'FAIL', [['2', 'bug']]],
      frame: [['age'], 1, 4],
      page: true,
      within: true,
      none: ['NO DATA', false, [], 0],
    });
    await expect(python.run('store.check_parity(["user_profile:agee"], progress=False)')).rejects.toThrow(/age/);
    await expect(python.run('store.check_parity(live=True, start="2020-01-01T00:00:00Z")')).rejects.toThrow(/leave out/);
  } finally {
    await python.close();
  }
});

test('what is asked wrongly ends the command line with 2, what the server refuses with 1 and the reason', async () => {
  for (const args of [['--examine', 'many'], ['--pairs', 'a'], ['--nix']]) expect((await check(args)).status, args[0]).toBe(2);
  const { status, stderr } = await check(['--features', 'user_profile:agee']);
  expect([status, stderr]).toEqual([1, expect.stringContaining('age')]);
});

test('a tick whose check cannot be made says so where a team looks, keeps no report, and the next one that can goes on', async () => {
  const notMade = async () =>
    (
      (await call(`${server.http}/api/v1/health/checks?kind=parity`)).json() as {
        not_made: { since: string; error: string } | null;
      }
    ).not_made;
  const missed = async () =>
    /^featherflight_scheduled_check_missed\{kind="parity"\} (\d)$/m.exec((await call(`${server.http}/metrics`)).text)?.[1];
  expect([await notMade(), await missed()]).toEqual([null, '0']);
  renameSync(profiles, `${profiles}.away`);
  await expect.poll(() => server.log()).toContain('parity could not be checked; the next tick tries again');
  expect(server.log()).toContain('data/profiles.parquet');
  expect(await notMade()).toEqual({ since: expect.any(String), error: expect.stringContaining('data/profiles.parquet') });
  expect(await missed()).toBe('1');
  const before = await newest();
  renameSync(`${profiles}.away`, profiles);
  await expect.poll(async () => (await newest())?.id === before?.id).toBe(false);
  await expect.poll(notMade).toBe(null);
  expect(await missed()).toBe('0');
});

test('a schedule that never comes is refused by its name before anything starts', async () => {
  const path = join(directory, 'featherflight.config.ts');
  writeFileSync(path, `export default { project: 'shop', validate: { parity: { schedule: '0 99 * * *' } } };\n`);
  const { status, stderr } = await runProgram(process.execPath, [cliPath, '-C', directory, 'serve']);
  expect(status).toBe(1);
  expect(stderr).toContain('"validate.parity.schedule" is no cron expression, "0 99 * * *"');
});

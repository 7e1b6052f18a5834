/** What the audit log promises when a server is killed, when its disk fails it, when others share its storage, and where none runs. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/audit/entry.ts';
import type { AuditPage } from '../../src/audit/read.ts';
import { call, post } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { makeStore, writeTables } from './make-store.ts';

type Line = AuditEntry & { readonly begun?: true };

const running: ServerProcess[] = [];
const folders: string[] = [];
const user = userInfo().username;

afterAll(async () => {
  await Promise.all(running.map((server) => server.stop('SIGKILL')));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function start(directory: string, environment: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const server = await startServer(directory, { environment });
  running.push(server);
  return server;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'featherflight-audit-'));
  folders.push(folder);
  return folder;
}

async function readLog(server: ServerProcess, query = '?limit=1000', token?: string): Promise<AuditPage> {
  const answer = await call(`${server.http}/api/v1/audit${query}`, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json() as AuditPage;
}

function linesOf(storage: string): readonly Line[] {
  const files = readdirSync(join(storage, 'audit')).map((name) => readFileSync(join(storage, 'audit', name), 'utf8'));
  return files.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line) as Line);
}

it('a materialization whose server is killed is unfinished in the log, and everything acknowledged before is done', async () => {
  const directory = await makeStore({ events: 1_500_000 });
  const storage = join(directory, '.featherflight/storage');
  const server = await start(directory);
  expect((await post(`${server.http}/api/v1/materialize`, { views: ['trip_fare'] })).status).toBe(200);
  const cut = post(`${server.http}/api/v1/materialize`, { views: ['activity'] }).catch(() => undefined);
  await expect.poll(() => linesOf(storage).some(({ names, begun }) => begun === true && names[0] === 'activity')).toBe(true);
  await server.stop('SIGKILL');
  await cut;
  const again = await start(directory);
  const { entries, damaged } = await readLog(again, '?action=materialize');
  expect(damaged).toEqual([]);
  expect(entries.map(({ names, outcome, caller }) => [names, outcome, caller])).toEqual([
    [['activity'], 'unfinished', 'anonymous'],
    [['trip_fare'], 'done', 'anonymous'],
  ]);
  await again.stop();
});

it('whenever a server is killed, what it acknowledged is in the log, and what is in its state too', async () => {
  const directory = await makeHttpStore();
  const { stdout: first } = await runProgram(process.execPath, [cliPath, '-C', directory, 'token', 'create', '--scope', 'admin']);
  const token = first.trim();
  const headers = { authorization: `Bearer ${token}` };
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round++) {
    const server = await start(directory);
    const before = acknowledged.length;
    let going = true;
    const makers = [0, 1, 2].map(async () => {
      while (going) {
        const made = await post(`${server.http}/api/v1/tokens`, { scopes: ['write'] }, headers).catch(() => undefined);
        if (made?.status === 201) acknowledged.push((made.json() as { id: string }).id);
        else break;
      }
    });
    await expect.poll(() => acknowledged.length).toBeGreaterThan(before + 2 + round);
    await server.stop('SIGKILL');
    going = false;
    await Promise.all(makers);
  }
  const server = await start(directory);
  const listed = ((await call(`${server.http}/api/v1/tokens`, { headers })).json() as { tokens: { id: string }[] }).tokens;
  const { entries } = await readLog(server, '?limit=1000&action=create_token', token);
  const done = new Set(entries.filter(({ outcome }) => outcome === 'done').map(({ names }) => names[0]));
  expect(acknowledged.filter((id) => !done.has(id))).toEqual([]);
  // Of one that was made and not acknowledged, only that something was begun may be known.
  const unfinished = entries.filter(({ outcome }) => outcome === 'unfinished').length;
  expect(listed.filter(({ id }) => !done.has(id)).length).toBeLessThanOrEqual(unfinished);
  await server.stop();
});

it('nothing is changed while the log cannot be written, and everything goes on when it can', async () => {
  const directory = await makeHttpStore();
  const storage = join(directory, '.featherflight/storage');
  const server = await start(directory);
  renameSync(join(storage, 'audit'), join(storage, 'aside'));
  writeFileSync(join(storage, 'audit'), '');
  const refused = await post(`${server.http}/api/v1/tokens`, { scopes: ['admin'] });
  expect(refused.status).toBe(503);
  expect(refused.text).toContain('the audit log cannot be written, so nothing was done');
  expect((await call(`${server.http}/api/v1/tokens`)).json()).toEqual({ tokens: [] });
  rmSync(join(storage, 'audit'));
  renameSync(join(storage, 'aside'), join(storage, 'audit'));
  expect((await post(`${server.http}/api/v1/materialize`, {})).status).toBe(200);
  expect((await readLog(server)).entries.map(({ action }) => action)).toEqual(['materialize', 'apply']);
  await server.stop();
});

it('servers that share a storage tell of each other, each with files of its own', async () => {
  const directory = await makeHttpStore();
  const storage = makeFolder();
  const [one, other] = await Promise.all(
    [0, 1].map((at) =>
      start(directory, { FEATHERFLIGHT_STORAGE: storage, FEATHERFLIGHT_STATE: join(makeFolder(), `state-${at}`) }),
    ),
  );
  const servers = [one as ServerProcess, other as ServerProcess];
  for (const server of servers) expect((await post(`${server.http}/api/v1/apply`, {})).status).toBe(200);
  await Promise.all(
    servers.flatMap((server, at) =>
      Array.from({ length: 10 }, (_, row) =>
        post(`${server.http}/api/v1/erasures`, { entity: 'user', keys: { user_id: 100 * at + row } }),
      ),
    ),
  );
  const pages = await Promise.all(servers.map((server) => readLog(server)));
  expect(pages[0]).toEqual(pages[1]);
  expect(pages[0]?.entries.map(({ action, outcome }) => `${action} ${outcome}`).sort()).toEqual([
    ...Array.from({ length: 2 }, () => 'apply done'),
    ...Array.from({ length: 20 }, () => 'erase done'),
  ]);
  expect(readdirSync(join(storage, 'audit'))).toHaveLength(2);
  await Promise.all(servers.map((server) => server.stop()));
});

it('commands without a server are told as those of their user, and schedules as those of the server', async () => {
  const directory = await makeHttpStore({ materialize: { schedule: '* * * * * *', views: ['item_stats'] } });
  await writeTables(directory, [
    [
      'rows.parquet',
      `select 5::bigint as user_id, timestamptz '2026-03-01' as "at", timestamptz '2026-03-01' as made, 1::integer as age, 1::bigint as visits,
        1::double as score, 1::float as ratio, 'x' as city, 1::decimal(12,2) as spent, timestamptz '2026-03-01' as since, date '2026-03-01' as born,
        ''::blob as token, true as active, [1]::bigint[] as path from range(12000)`,
    ],
  ]);
  const run = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await runProgram(process.execPath, [cliPath, '-C', directory, ...args]);
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  await run('push', 'profiles', 'rows.parquet');
  await run('erase', 'user', 'user_id=5', '--yes');
  await run('materialize-incremental', 'user_profile');
  const server = await start(directory);
  await expect.poll(async () => (await readLog(server, '?caller=scheduler')).entries[0]?.outcome).toBe('done');
  await server.stop();
  const { entries } = JSON.parse(await run('audit', '--json')) as AuditPage;
  const told = entries.filter(({ action }) => action !== 'fit_defaults');
  expect(told.map(({ action, caller, user: who, door, names }) => [action, caller, who, door, names])).toEqual([
    ['materialize', 'scheduler', null, 'server', ['item_stats']],
    ['materialize', 'local', user, 'cli', ['user_profile']],
    ['erase', 'local', user, 'cli', ['user']],
    ['push', 'local', user, 'cli', ['profiles']],
    ['apply', 'local', user, 'cli', expect.arrayContaining(['user_profile'])],
  ]);
  expect(told.map(({ what }) => what)).toEqual([
    expect.stringContaining('600 rows written of item_stats'),
    expect.stringContaining('rows written of user_profile'),
    expect.stringMatching(/^erased_at .*: 1 rows online, 12000 archived/),
    '12000 rows of a file',
    expect.stringContaining('version 0 -> 1'),
  ]);
});

/** Who changed what, through every door of a real server: what stands in the audit log, also after it was killed, and of two servers. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/audit/entry.ts';
import type { AuditPage } from '../../src/audit/read.ts';
import { openFlightClient } from '../../src/client/flight-client.ts';
import { call, post } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

interface Made {
  readonly id: string;
  readonly token: string;
}

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const row = { user_id: ['77'], at: ['2026-03-01T00:00:00Z'], made: ['2026-03-01T00:00:00Z'], age: [20] };
const others = { visits: [1], score: [0.5], ratio: [0.5], city: ['x'], spent: ['1.00'], since: [null], born: [null] };
const profile = { ...row, ...others, token: [null], active: [true], path: [[1]] };
const user = userInfo().username;

async function readLog(server: ServerProcess, token: string, query = ''): Promise<AuditPage> {
  const answer = await call(`${server.http}/api/v1/audit${query}`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json() as AuditPage;
}

const cli = (directory: string, args: readonly string[], environment = {}) =>
  runProgram(process.execPath, [cliPath, '-C', directory, ...args], { environment });

const auditFiles = (storage: string) => readdirSync(join(storage, 'audit'));
const textOf = (storage: string) =>
  auditFiles(storage)
    .map((file) => readFileSync(join(storage, 'audit', file), 'utf8'))
    .join('');
const linesOf = (storage: string) =>
  textOf(storage)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as AuditEntry & { begun?: true });

describe('a server with tokens', () => {
  let directory: string;
  let storage: string;
  let server: ServerProcess;
  const tokens: Record<string, Made> = {};
  const bearer = (name: string) => ({ authorization: `Bearer ${tokens[name]?.token}` });
  const admin = () => tokens.admin?.token as string;
  const make = async (name: string, request: object) => {
    tokens[name] = (
      await post(
        `${server.http}/api/v1/tokens`,
        { description: name, ...request },
        tokens.admin === undefined ? {} : bearer('admin'),
      )
    ).json() as Made;
  };
  const newest = async (query: string) => (await readLog(server, admin(), query)).entries[0];

  beforeAll(async () => {
    directory = await makeHttpStore();
    storage = join(directory, '.featherflight/storage');
    server = await startServer(directory);
    await make('admin', { scopes: ['admin'] });
    await make('writer', { scopes: ['write'] });
    await make('items', { scopes: ['write'], views: ['item_stats'] });
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('tells of the apply before it, by the command line, and of its tokens without their text', async () => {
    const { entries } = await readLog(server, admin());
    expect(entries.map(({ action, caller }) => [action, caller]).slice(0, 4)).toEqual([
      ['create_token', 'admin'],
      ['create_token', 'admin'],
      ['create_token', 'anonymous'],
      ['apply', 'local'],
    ]);
    expect(entries[3]).toMatchObject({
      ...{ door: 'cli', user, outcome: 'done', token: null, address: null },
      ...{ what: expect.stringContaining('version 0 -> 1: + entity item'), details: { version_before: 0, version_after: 1 } },
    });
    expect(entries[0]).toMatchObject({
      ...{ names: [tokens.items?.id], token: tokens.admin?.id, door: 'http', address: '127.0.0.1' },
      ...{ what: 'write; for "items"; views item_stats', details: { views: ['item_stats'] }, ms: expect.any(Number) },
    });
    for (const { token } of Object.values(tokens)) expect(textOf(storage)).not.toContain(token.slice(16));
    expect(textOf(storage)).not.toMatch(/"hash"|ff_/);
  });

  it('tells an apply with its request, trace and what changed, and one that changes nothing', async () => {
    const path = join(directory, 'features/shop.ts');
    writeFileSync(path, readFileSync(path, 'utf8').replace("featureService('plain'", "featureService('plainer'"));
    const headers = { ...bearer('admin'), 'x-request-id': 'change-7', traceparent: `00-${trace}-00f067aa0ba902b7-01` };
    expect((await post(`${server.http}/api/v1/apply`, {}, headers)).status).toBe(200);
    const told = {
      what: 'version 1 -> 2: - feature service plain, + feature service plainer',
      request_id: 'change-7',
      trace_id: trace,
    };
    expect(await newest('?action=apply')).toMatchObject({ ...told, names: ['plain', 'plainer'], details: { force: false } });
    const client = openFlightClient({ url: server.url, token: admin() });
    try {
      await client.apply({ force: true });
    } finally {
      client.close();
    }
    const again = {
      door: 'flight',
      address: '127.0.0.1',
      caller: 'admin',
      token: tokens.admin?.id,
      what: 'version 2, no changes (forced)',
    };
    expect(await newest('?action=apply')).toMatchObject(again);
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8')}\nexport const broken = featureView('broken', { entities: [user], source: profiles, features: { none: { type: 'int64' } } });\n`,
    );
    expect((await post(`${server.http}/api/v1/apply`, {}, bearer('admin'))).status).toBe(400);
    expect(await newest('?action=apply')).toMatchObject({ outcome: 'refused', code: 'INVALID_ARGUMENT' });
    writeFileSync(path, readFileSync(path, 'utf8').replace(/\nexport const broken.*\n/, ''));
  });

  it('counts pushes and writes, whichever way they come', async () => {
    for (let at = 0; at < 20; at++)
      expect((await post(`${server.http}/api/v1/push`, { source: 'profiles', rows: profile }, bearer('writer'))).status).toBe(
        200,
      );
    expect(
      (await post(`${server.http}/push`, { push_source_name: 'profiles', df: profile, to: 'offline' }, bearer('writer'))).status,
    ).toBe(200);
    expect((await post(`${server.http}/api/v1/push`, { source: 'profiles', rows: { at: [1] } }, bearer('writer'))).status).toBe(
      400,
    );
    const { entries } = await readLog(server, admin(), '?action=push');
    expect(
      entries.map(({ outcome, code, requests, rows, names, caller }) => [outcome, code, requests, rows, names, caller]).sort(),
    ).toEqual([
      ['done', null, 21, 21, ['profiles'], 'writer'],
      ['refused', 'INVALID_ARGUMENT', 1, null, ['profiles'], 'writer'],
    ]);
    expect(linesOf(storage).filter(({ action }) => action === 'push')).toHaveLength(2);
  });

  it('tells who was refused what, with and without a token that is known', async () => {
    const refused = [
      post(`${server.http}/api/v1/apply`, {}, bearer('writer')),
      post(`${server.http}/api/v1/push`, { source: 'profiles', rows: profile }, bearer('items')),
      call(`${server.http}/api/v1/tokens/${tokens.admin?.id}`, { method: 'DELETE', headers: bearer('writer') }),
      post(`${server.http}/api/v1/erasures`, { entity: 'user', keys: { user_id: 1 } }),
    ];
    expect((await Promise.all(refused)).map(({ status }) => status)).toEqual([403, 403, 403, 401]);
    const client = openFlightClient({ url: server.url, token: tokens.items?.token });
    try {
      for (const at of [1, 2]) await expect(client.action('materialize', {}), String(at)).rejects.toThrow(/user_profile/);
      await expect(client.action('create_token', { scopes: ['admin'] })).rejects.toThrow(/admin/);
    } finally {
      client.close();
    }
    const { entries } = await readLog(server, admin());
    const denied = entries.filter(({ code }) => code === 'PERMISSION_DENIED' || code === 'UNAUTHENTICATED');
    expect(denied.map(({ action, caller, door, names, requests }) => [action, caller, door, names, requests]).sort()).toEqual([
      ['apply', 'writer', 'http', [], 1],
      ['create_token', 'items', 'flight', [], 1],
      ['erase', 'nobody', 'http', [], 1],
      ['materialize', 'items', 'flight', ['user_profile'], 2],
      ['push', 'items', 'http', ['user_profile'], 1],
      ['revoke_token', 'writer', 'http', [], 1],
    ]);
    for (const { address, outcome } of denied) expect([address, outcome]).toEqual(['127.0.0.1', 'refused']);
  });

  it('tells materializations, erasures and lifts, and no key of whom', async () => {
    expect((await post(`${server.http}/api/v1/materialize`, {}, bearer('writer'))).status).toBe(200);
    expect(await newest('?action=materialize&caller=writer')).toMatchObject({
      ...{
        names: ['item_stats', 'user_profile'],
        outcome: 'done',
        what: expect.stringMatching(/^\d+ rows written of item_stats, user_profile, up to/),
      },
      ...{ details: { views: [{ view: 'item_stats', written: 600 }, { view: 'user_profile' }] } },
    });
    const key = { entity: 'user', keys: { user_id: '9007199254740993' } };
    const erased = (await post(`${server.http}/api/v1/erasures`, key, bearer('admin'))).json() as { erased_at: string };
    const told = { names: ['user'], what: expect.stringContaining('1 rows online'), details: { erased_at: erased.erased_at } };
    expect(await newest('?action=erase&name=user')).toMatchObject(told);
    expect((await post(`${server.http}/api/v1/erasures/lift`, key, bearer('admin'))).json()).toEqual({
      lifted: true,
      erased_at: erased.erased_at,
    });
    expect(await newest('?action=lift_erasure')).toMatchObject({
      names: ['user'],
      details: { lifted: true, erased_at: erased.erased_at },
    });
    await post(`${server.http}/api/v1/erasures`, { entity: '9007199254740993', keys: {} }, bearer('admin'));
    expect(await newest('?action=erase')).toMatchObject({ names: [], outcome: 'refused', code: 'NOT_FOUND' });
    expect(textOf(storage)).not.toContain('9007199254740993');
    await call(`${server.http}/api/v1/tokens/${tokens.writer?.token}`, { method: 'DELETE', headers: bearer('admin') });
    expect(textOf(storage)).not.toContain(tokens.writer?.token);
  });

  it('tells of datasets made, tagged and deleted, at every door, and of whom a dataset is not for', async () => {
    mkdirSync(join(directory, 'frames'), { recursive: true });
    const frame = `select i::bigint as user_id, timestamptz '2026-03-01' as event_timestamp from range(1, 5) as r(i)`;
    await writeTables(directory, [['frames/rows.parquet', frame]]);
    const file = join(directory, 'frames/rows.parquet');
    const local = ['--entities', file, '--features', 'user_profile:age'];
    expect(await cli(directory, ['dataset', 'create', 'own', ...local])).toMatchObject({ status: 0 });
    const here = { door: 'cli', caller: 'local', user, outcome: 'done' };
    expect(await newest('?action=create_dataset')).toMatchObject({
      ...{ ...here, names: ['own@1'], what: 'own@1: 4 rows' },
      details: { created: true, rows: 4, splits: { all: 4 }, features: ['user_profile:age'], views: ['user_profile'] },
    });
    const asked = { FEATHERFLIGHT_URL: server.url, FEATHERFLIGHT_TOKEN: admin() };
    for (const what of ['own@2: 4 rows', 'nothing new, the newest is the same: own@2']) {
      expect(await cli(directory, ['dataset', 'create', 'own', ...local], asked)).toMatchObject({ status: 0 });
      expect(await newest('?action=create_dataset')).toMatchObject({
        ...{ caller: 'admin', token: tokens.admin?.id, outcome: 'done', door: 'flight', names: ['own@2'], what },
      });
    }
    const there = { caller: 'writer', token: tokens.writer?.id, outcome: 'done' };
    const url = (path: string) => `${server.http}/api/v1/datasets/${path}`;
    expect((await post(url('own@1/tags'), { model: 'ctr', version: '5' }, bearer('writer'))).status).toBe(200);
    expect(await newest('?action=tag_dataset&name=own@1')).toMatchObject({
      ...{ ...there, door: 'http', what: 'own@1: ctr@5', details: { model: 'ctr', version: '5', remove: false } },
    });
    expect(await cli(directory, ['dataset', 'export', 'own@1', '--out', 'own.csv'])).toMatchObject({ status: 0 });
    expect(await newest('?action=export_dataset')).toMatchObject({
      ...{ ...here, names: ['own@1'], what: '4 rows of own@1 to own.csv', details: { split: null, out: 'own.csv', rows: 4 } },
    });
    expect((await call(url('own@1'), { method: 'DELETE', headers: bearer('writer') })).status).toBe(409);
    expect(await newest('?action=delete_dataset')).toMatchObject({
      ...{ names: ['own@1'], outcome: 'refused', code: 'FAILED_PRECONDITION', details: { force: false } },
    });
    expect((await call(url('own@1'), { method: 'DELETE', headers: bearer('items') })).status).toBe(403);
    expect(await newest('?action=delete_dataset&caller=items')).toMatchObject({
      ...{ names: ['user_profile'], outcome: 'refused', code: 'PERMISSION_DENIED', requests: 1 },
    });
    expect((await call(url('own@1?force=true'), { method: 'DELETE', headers: bearer('writer') })).status).toBe(200);
    expect(await newest('?action=delete_dataset')).toMatchObject({
      ...there,
      what: 'deleted own@1 (forced)',
      details: { force: true },
    });
    const begun = linesOf(storage).filter(({ action, begun: isBegin }) => isBegin === true && action.endsWith('_dataset'));
    const acts = ['create', 'create', 'create', 'delete', 'delete', 'export', 'tag'];
    expect(begun.map(({ action }) => action).sort()).toEqual(acts.map((act) => `${act}_dataset`));
  });

  it('is asked by who may do everything alone, page by page, and says what is wrong with a question', async () => {
    const status = async (query: string, name: string) =>
      (await call(`${server.http}/api/v1/audit${query}`, { headers: bearer(name) })).status;
    expect([await status('', 'writer'), await status('', 'items'), await status('', 'admin')]).toEqual([403, 403, 200]);
    expect([
      await status('?limit=0', 'admin'),
      await status('?action=look', 'admin'),
      await status('?from=now', 'admin'),
    ]).toEqual([400, 400, 400]);
    const whole = (await readLog(server, admin(), '?limit=1000')).entries;
    const pages: AuditEntry[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const page = await readLog(server, admin(), `?limit=3${next === '' ? '' : `&before=${next}`}`);
      pages.push(...page.entries);
      next = page.next;
    }
    expect(pages).toEqual(whole);
    const [last] = whole;
    expect((await readLog(server, admin(), `?from=${last?.at}`)).entries).toContainEqual(last);
    expect((await readLog(server, admin(), `?to=${last?.at}`)).entries).not.toContainEqual(last);
    const { paths } = (await call(`${server.http}/openapi.json`)).json() as { paths: Record<string, unknown> };
    expect(Object.keys(paths)).toContain('/api/v1/audit');
  });

  it('is read by the command line, of the folder and of the server, and says how to go on', async () => {
    const here = await cli(directory, ['audit', '--action', 'apply']);
    expect(here.stdout).toMatch(/^AT +ACTION +CALLER +OUTCOME +WHAT\n/);
    expect(here.stdout).toContain(`local ${user}`);
    const asked = ['audit', '--json', '--limit', '2', '--url', server.url];
    expect((await cli(directory, asked)).stderr).toContain('UNAUTHENTICATED');
    const there = await cli(directory, asked, { FEATHERFLIGHT_TOKEN: admin() });
    expect(JSON.parse(there.stdout)).toMatchObject({ entries: [{}, {}], next: expect.any(String) });
    expect((await cli(directory, ['audit', '--from', 'yesterday'])).status).toBe(2);
    expect((await cli(directory, ['audit', '--limit', '1'])).stderr).toMatch(/there are older acts: --before \S+/);
  });
});

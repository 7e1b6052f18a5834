/** Saved datasets at every door of a real server: commands, HTTP and Flight, with tokens for certain views. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FlightClient, openFlightClient } from '../../src/client/flight-client.ts';
import type { Reproduction } from '../../src/dataset/reproduce.ts';
import type { ShownDataset } from '../../src/dataset/shown.ts';
import { runCommand } from '../cli/run-command.ts';
import { call, post } from '../support/http-client.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore, users, writeTables } from './make-store.ts';

let directory: string;
let server: ServerProcess;
const tokens: Record<string, string> = {};
const bearer = (name: string) => ({ authorization: `Bearer ${tokens[name]}` });
const url = (path: string) => `${server.http}/api/v1/datasets${path}`;

const frame = `
  select (i % 1000)::bigint as user_id, 'item ' || i % 100 as item_id, timestamptz '2026-03-01' + to_hours(i::integer % 120) as event_timestamp,
    (i % 3 = 0)::integer as clicked from range(0, 3000) as r(i)`;

async function command(...args: string[]) {
  return await runCommand(['-C', directory, 'dataset', ...args]);
}

async function there(...args: string[]) {
  const environment = { FEATHERFLIGHT_URL: server.url, FEATHERFLIGHT_TOKEN: tokens.admin as string };
  return await runCommand(['-C', directory, 'dataset', ...args], { environment });
}

async function asking<T>(name: string, work: (client: FlightClient) => Promise<T>): Promise<T> {
  const client = openFlightClient({ url: server.url, token: tokens[name] });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

beforeAll(async () => {
  directory = await makeStore();
  await writeTables(directory, [['frames/rows.parquet', frame]]);
  server = await startServer(directory);
  const make = async (name: string, request: object) => {
    const headers = tokens.admin === undefined ? undefined : bearer('admin');
    tokens[name] = ((await post(`${server.http}/api/v1/tokens`, request, headers)).json() as { token: string }).token;
  };
  await make('admin', { scopes: ['admin'], description: 'the admin' });
  await make('users', { scopes: ['write', 'read-offline'], views: ['user_profile'], description: 'users alone' });
  await make('reader', { scopes: ['read-offline'], description: 'a reader' });
});
afterAll(async () => {
  await server?.stop();
});

const request = {
  name: 'ranker',
  features: ['user_profile:age', 'user_profile:score', 'user_profile:city'],
  path: 'frames/rows.parquet',
  labels: ['clicked'],
  split: { time: { boundaries: [{ name: 'train', until: '2026-03-04T00:00:00Z' }, { name: 'test' }] } },
};

describe('datasets', () => {
  it('are made over HTTP, and told of at every door', async () => {
    const made = await post(url(''), { ...request, description: 'the first' }, bearer('admin'));
    expect(made.text).toContain('"created":true');
    const shown = made.json() as ShownDataset;
    expect(shown).toMatchObject({
      name: 'ranker',
      version: 1,
      rows: 3000,
      created_by: 'the admin',
      recipe: { views: ['user_profile'] },
    });
    expect(shown.splits.map(({ name, rows }) => [name, rows])).toEqual([
      ['train', 1800],
      ['test', 1200],
    ]);
    const list = (await call(url(''), { headers: bearer('admin') })).json();
    expect(list).toMatchObject({
      kind: 'datasets',
      rows: [
        {
          name: 'ranker@1',
          rows: 3000,
          splits: { train: 1800, test: 1200 },
          views: { user_profile: ['age', 'score', 'city'] },
        },
      ],
    });
    expect((await call(url('/ranker@1'), { headers: bearer('admin') })).json()).toMatchObject({
      readers: { streams: 0, processes: 0 },
    });
    expect(await asking('admin', (client) => client.catalogue('datasets'))).toMatchObject([{ name: 'ranker@1' }]);
    expect(await asking('admin', (client) => client.describe('ranker@1'))).toMatchObject([
      { name: 'ranker@1', kind_of: 'datasets' },
    ]);
    const listed = await there('list');
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(listed.stdout).toMatch(/ranker@1 +3000 +train: 1800, test: 1200/);
    const described = await there('describe', 'ranker');
    expect(described.stdout).toContain('dataset ranker@1\n');
    for (const line of described.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(await command('describe', 'ranker@1')).toMatchObject({ stdout: described.stdout });
  });

  it('are made by commands, here and by a server, and the same is not saved twice', async () => {
    const options = ['--entities', 'frames/rows.parquet', '--features', 'user_profile:age,item_stats:clicks'];
    const first = await there('create', 'clicks', ...options, '--split-entity', 'train=0.8,test=0.2', '--split-by', 'user_id');
    expect(first.stdout).toMatch(/^saved clicks@1 with 3,000 rows \(train 2,\d+, test \d+\)\nid [0-9a-f]{64}\n$/);
    const again = await there('create', 'clicks', ...options, '--split-entity', 'train=0.8,test=0.2', '--split-by', 'user_id');
    expect(again.stdout).toContain('nothing new: the newest version is the same, clicks@1');
    const here = await command('create', 'clicks', ...options, '--split-random', 'a=0.5,b=0.5', '--seed', '7');
    expect(here.stdout).toContain('saved clicks@2 with 3,000 rows');
    const refused = await there('create', 'clicks', ...options, '--expect', 'age:max=100', '--warn', 'clicks:max=1');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /nothing was saved, as the rows are not what is expected: "age" must be at most 100, and \d+ of 3000 rows/,
    );
    const warned = await there('create', 'clicks', ...options, '--warn', 'age:max=100');
    expect(warned.stdout).toMatch(/saved clicks@3 with 3,000 rows\nwarning: "age" must be at most 100/);
  });

  it('are compared, tagged, kept while a model names them, and deleted for good', async () => {
    const diff = await there('diff', 'clicks@1', 'clicks@2');
    expect(diff.stdout).toContain('clicks@1 and clicks@2 differ');
    expect(diff.stdout).toContain('split: ');
    expect(await there('tag', 'clicks@2', 'ctr@5')).toMatchObject({ stdout: 'clicks@2: ctr@5\n' });
    const kept = await there('delete', 'clicks@2');
    expect(kept).toMatchObject({ status: 1 });
    expect(kept.stderr).toContain('dataset clicks@2 made model ctr@5; take the tags away, or delete it with force');
    expect((await call(url('/clicks@2'), { method: 'DELETE', headers: bearer('admin') })).status).toBe(409);
    expect(await there('tag', 'clicks@2', 'ctr', '--remove')).toMatchObject({ stdout: 'clicks@2: no model\n' });
    expect(await there('delete', 'clicks@2')).toMatchObject({ status: 0, stdout: 'deleted clicks@2\n' });
    const gone = await there('describe', 'clicks@2');
    expect(gone.stderr).toMatch(/dataset clicks@2 was deleted at .*; there are clicks@1, clicks@3/);
    expect(readdirSync(join(directory, '.featherflight/storage/datasets/clicks')).sort()).toEqual(['1', '2.deleted', '3']);
  });

  it('are compared for drift by who may read them whole', async () => {
    const ask = (name: string, dataset: string) => ({
      input: { reference: { dataset }, current: { dataset }, features: ['user_profile:age'] },
      caller: name,
    });
    const overHttp = async ({ input, caller }: ReturnType<typeof ask>) =>
      (await post(`${server.http}/api/v1/validate/drift`, input, bearer(caller))).status;
    const overFlight = async ({ input, caller }: ReturnType<typeof ask>) =>
      await asking(caller, (client) => client.action('validate', { kind: 'drift', ...input }, { onResult: () => {} }));
    expect(await overHttp(ask('users', 'ranker@1'))).toBe(200);
    await expect(overFlight(ask('users', 'ranker@1'))).resolves.toMatchObject({ done: { result: 'PASS' } });
    // It holds features of items besides.
    expect(await overHttp(ask('reader', 'clicks@1'))).toBe(200);
    expect(await overHttp(ask('users', 'clicks@1'))).toBe(403);
    await expect(overFlight(ask('users', 'clicks@1'))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    // Where nothing is named, what the datasets hold is compared.
    const whole = { reference: { dataset: 'ranker@1' }, current: { dataset: 'ranker@1', split: 'train' } };
    expect((await post(`${server.http}/api/v1/validate/drift`, whole, bearer('users'))).status).toBe(200);
  });

  it('come out bit for bit, or say which file of which source is another', async () => {
    const same = await there('reproduce', 'ranker@1');
    expect(same).toMatchObject({ status: 0, stdout: 'ranker@1 came out bit for bit: 3,000 rows\n' });
    await writeTables(directory, [['data/users/part-1.parquet', users(500, 1000, 3)]]);
    const other = await there('reproduce', 'ranker@1', '--json');
    expect(other.status).toBe(1);
    const found = JSON.parse(other.stdout) as Reproduction;
    expect(found).toMatchObject({ same: false, same_identity: false });
    expect(found.sources).toMatchObject([{ source: 'user_profiles', changed: ['data/users/part-1.parquet'] }]);
    expect(found.columns).toEqual([{ column: 'age', rows: expect.any(Number) }]);
    const second = await post(url(''), request, bearer('admin'));
    expect(second.json()).toMatchObject({ created: true, version: 2 });
    const diff = (await call(url('/ranker@1/diff?to=ranker@2'), { headers: bearer('admin') })).json();
    expect(diff).toMatchObject({
      same: false,
      recipe: [],
      sources: [{ source: 'user_profiles', changed: ['data/users/part-1.parquet'] }],
      statistics: [{ column: 'age' }],
    });
  });

  it('stand in the lineage with their models, in the plan of what touches them, and in what erasing tells', async () => {
    await there('tag', 'ranker@1', 'ctr@7');
    const lineage = (await call(`${server.http}/api/v1/lineage/user_profile:age`, { headers: bearer('admin') })).json();
    const below = (lineage as { downstream: { id: string }[] }).downstream.map(({ id }) => id);
    expect(below).toEqual(expect.arrayContaining(['dataset/ranker@1', 'dataset/clicks@1', 'model/ctr@7']));
    const model = await asking('admin', (client) => client.lineage('ctr@7'));
    expect(model.upstream.map(({ id }) => id)).toEqual(expect.arrayContaining(['dataset/ranker@1', 'feature_view/user_profile']));
    expect((await runCommand(['-C', directory, 'lineage', 'ranker@1'])).stdout).toContain('ctr@7');
    await there('tag', 'ranker@1', 'ctr', '--remove');
    const path = join(directory, 'features/store.ts');
    const definitions = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      definitions
        .replace("ttl: '30d'", "ttl: '20d'")
        .replace("city: { type: 'string' }", "city: { type: 'string', description: 'where' }"),
    );
    const planned = await runCommand(['-C', directory, 'plan'], {});
    expect(planned.stdout).toContain('~ feature view user_profile  (features/store.ts, touches ranker_v1, dataset clicks@3');
    const changed = await asking('admin', (client) => client.plan());
    expect(changed.changes).toMatchObject([{ name: 'user_profile', datasets: expect.arrayContaining(['clicks@1', 'ranker@1']) }]);
    writeFileSync(path, definitions);
    const erased = await post(`${server.http}/api/v1/erasures`, { entity: 'user', keys: { user_id: 7 } }, bearer('admin'));
    const { datasets } = erased.json() as { datasets: { dataset: string; rows: number }[] };
    expect(datasets).toEqual(expect.arrayContaining([{ dataset: 'ranker@1', rows: 3 }]));
  });

  it('are listed, traced, planned and erased from where one of them is damaged, and that one is deleted', async () => {
    await there('create', 'hurt', '--entities', 'frames/rows.parquet', '--features', 'user_profile:age');
    const manifest = join(directory, '.featherflight/storage/datasets/hurt/1/manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').slice(0, 500));
    const damaged = expect.stringContaining('datasets/hurt/1/manifest.json is damaged; restore it, or delete this version');
    const listed = (await call(url(''), { headers: bearer('admin') })).json() as { rows: { name: string }[] };
    expect(listed.rows).toMatchObject([{ name: 'clicks@3', damaged: null }, { name: 'hurt@1', rows: null, damaged }, {}]);
    expect((await there('list')).stdout).toMatch(/hurt@1 .*datasets\/hurt\/1\/manifest.json is damaged/);
    expect(await asking('admin', (client) => client.catalogue('datasets'))).toMatchObject([{}, { name: 'hurt@1' }, {}]);
    for (const refused of [
      await there('describe', 'hurt'),
      await there('export', 'hurt@1', '--out', join(directory, 'hurt.csv')),
    ])
      expect(refused).toMatchObject({ status: 1, stderr: damaged });
    const lineage = await call(`${server.http}/api/v1/lineage/user_profile:age`, { headers: bearer('admin') });
    expect(lineage.text).toContain('dataset/ranker@1');
    expect((await runCommand(['-C', directory, 'lineage', 'ranker@1'])).stdout).toContain('user_profile');
    expect((await runCommand(['-C', directory, 'plan'])).status).toBe(0);
    expect(await asking('admin', (client) => client.plan())).toMatchObject({ changes: [] });
    const erased = await post(`${server.http}/api/v1/erasures`, { entity: 'user', keys: { user_id: 8 } }, bearer('admin'));
    expect((erased.json() as { datasets: unknown[] }).datasets).toEqual(
      expect.arrayContaining([
        { dataset: 'ranker@1', rows: 3 },
        { dataset: 'hurt@1', rows: null, problem: damaged },
      ]),
    );
    expect((await call(url(''), { headers: bearer('users') })).text).not.toContain('hurt');
    expect((await call(url('/hurt@1'), { method: 'DELETE', headers: bearer('users') })).status).toBeGreaterThanOrEqual(400);
    expect(await there('delete', 'hurt@1')).toMatchObject({ status: 0, stdout: 'deleted hurt@1\n' });
    expect((await there('list')).stdout).not.toContain('hurt');
  });

  it('are for the tokens of their views', async () => {
    const both = { ...request, name: 'both', features: ['user_profile:age', 'item_stats:clicks'] };
    expect((await post(url(''), both, bearer('users'))).json()).toMatchObject({ error: { code: 'PERMISSION_DENIED' } });
    expect((await post(url(''), both, bearer('admin'))).status).toBe(200);
    expect((await post(url(''), request, bearer('users'))).status).toBe(200);
    expect((await post(url(''), request, bearer('reader'))).json()).toMatchObject({ error: { code: 'PERMISSION_DENIED' } });
    expect((await call(url('/both'), { headers: bearer('users') })).json()).toMatchObject({
      error: { code: 'PERMISSION_DENIED' },
    });
    expect((await call(url('/both'), { headers: bearer('reader') })).status).toBe(200);
    const names = async (token: string) =>
      (await asking(token, (client) => client.catalogue('datasets'))).map(({ name }) => name);
    expect(await names('users')).toEqual(['ranker@2']);
    expect(await names('reader')).toEqual(['both@1', 'clicks@3', 'ranker@2']);
    await expect(asking('users', (client) => client.action('delete_dataset', { dataset: 'both' }))).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });

  it('are not named to tokens for other views by a check that finds none of the name', async () => {
    const drift = (token: string) =>
      asking(token, (client) => client.action('validate', { kind: 'drift', reference: { dataset: 'bothh@1' } })).then(
        () => '',
        (error: Error) => error.message,
      );
    expect(await drift('reader')).toContain('there is no dataset "bothh"; did you mean "both"?');
    expect(await drift('users')).toMatch(/^there is no dataset "bothh"/);
    expect(await drift('users')).not.toContain('"both"');
  });

  it('are written to files, and not where a file of theirs was changed', async () => {
    const out = join(directory, 'train.csv');
    expect(await command('export', 'ranker@1', '--out', out, '--split', 'train')).toMatchObject({ status: 0 });
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('user_id,item_id,event_timestamp,clicked,age,score,city,__row');
    expect(lines).toHaveLength(1801);
    const other = join(directory, 'there.csv');
    expect(await there('export', 'ranker@1', '--out', other, '--split', 'train')).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(other, 'utf8')).toBe(readFileSync(out, 'utf8'));
    expect((await there('export', 'ranker@1', '--out', join(directory, 'all.arrow'))).stdout).toContain('3,000 rows of ranker@1');
    const file = join(directory, '.featherflight/storage/datasets/ranker/1/data/test-00000.parquet');
    const bytes = readFileSync(file);
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(file, bytes);
    const refused = await command('export', 'ranker@1', '--out', join(directory, 'all.parquet'));
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain('dataset ranker@1: "data/test-00000.parquet" is not what it was: its checksum is another');
  });
});

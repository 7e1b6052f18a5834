/** Checks of parity against a running server: faults planted one by one, each named by its cause and no other, at every door. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFlightClient } from '../../src/client/flight-client.ts';
import type { ParityReport } from '../../src/validate/parity/report.ts';
import { call } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-parity-'));
let server: ServerProcess;
let pushed = 0;

const users = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];
const stored = ['user_profile:age', 'user_profile:score', 'user_points:points'];
const streamed = ['user_activity:clicks', 'user_activity:spent'];

function define(column: string, more = ''): void {
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, count, entity, eventSource, featureView, fitted, parquet, streamFeatureView, sum } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', {
  table: parquet('data/profiles/*.parquet'), eventTimestamp: 'at', createdTimestamp: 'made',
});
export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles, features: { age: { type: 'int64' }, score: { type: 'float64', default: fitted('mean') } },
});
export const userPoints = featureView('user_points', {
  entities: [user], source: profiles, features: { points: { type: 'int64', column: '${column}' } },
});
export const clicks = eventSource('clicks', {
  eventTimestamp: 'at', lateness: '10m', columns: { user_id: 'int64', amount: 'float64' },
});
export const userActivity = streamFeatureView('user_activity', {
  entities: [user], source: clicks,
  features: { clicks: count({ window: '1d' }), spent: sum('amount', { window: '7d' }) },
});
export const again = streamFeatureView('again', { entities: [user], source: clicks, features: { clicks: count({ window: '1d' }) } });
${more}`,
  );
}

const gone = `export const gone = featureView('gone', { entities: [user], source: profiles, features: { age: { type: 'int64' } } });\n`;

beforeAll(async () => {
  mkdirSync(join(directory, 'features'));
  mkdirSync(join(directory, 'data/profiles'), { recursive: true });
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
});\n`,
  );
  await land(
    'first',
    `select i::bigint as user_id, now() - interval 1 day as "at", now() - interval 1 day as made,
    (20 + i)::bigint as age, (i / 3)::double as score, i::bigint as p1, (10 * i)::bigint as p2 from range(1, 10) as t(i)`,
  );
  define('p1', gone);
  await applyRepository(directory);
  server = await startServer(directory);
  await post('/api/v1/materialize', {});
  await push(users.map((user) => ({ user, secondsAgo: 60 })));
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A file whole at once. */
async function land(name: string, sql: string): Promise<void> {
  await writeTables(directory, [[`${name}.parquet`, sql]]);
  renameSync(join(directory, `${name}.parquet`), join(directory, 'data/profiles', `${name}.parquet`));
}

async function post(path: string, body: unknown, status = 200): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(status);
  return answer.json() as Record<string, unknown>;
}

async function ask(features: readonly string[]): Promise<Record<string, { readonly values: readonly unknown[] }>> {
  const answer = await post('/api/v1/online-features', { features, entities: { user_id: users } });
  return answer.columns as Record<string, { readonly values: readonly unknown[] }>;
}

/** Events of users, and waits until one of them that counts is counted. */
async function push(events: readonly { readonly user: string; readonly secondsAgo: number }[]): Promise<void> {
  const rows = {
    user_id: events.map(({ user }) => user),
    at: events.map(({ secondsAgo }) => new Date(Date.now() - 1000 * secondsAgo).toISOString()),
    amount: events.map(({ user }) => Number(user) / 7),
  };
  await post('/api/v1/push', { source: 'clicks', rows });
  pushed += events.length;
  for (let tries = 0; ; tries++) {
    const stream = (await call(`${server.http}/api/v1/streams/clicks`)).json() as { partitions: { events: number }[] };
    if (stream.partitions.reduce((sum, { events: counted }) => sum + counted, 0) >= pushed) return;
    expect(tries, JSON.stringify(stream)).toBeLessThan(400);
    await pause(50);
  }
}

const now = () => new Date().toISOString();
const check = async (request: object) => (await post('/api/v1/validate/parity', request)) as unknown as ParityReport;

/** user -> cause, by feature. */
function causesOf({ features }: ParityReport): Record<string, Record<string, unknown>> {
  const told = features.filter(({ worst }) => worst.length > 0);
  return Object.fromEntries(
    told.map(({ view, feature, worst }) => [
      `${view}:${feature}`,
      Object.fromEntries(worst.map(({ keys, cause }) => [(keys as { user_id: string }).user_id, cause])),
    ]),
  );
}

test('nothing that was served differs where nothing went wrong', async () => {
  const from = now();
  await ask([...stored, ...streamed]);
  const report = await check({ from });
  expect(report.summary, JSON.stringify(report)).toMatchObject({ rows: 9, pairs: 45, differences: 0, causes: {}, passed: 5 });
  expect(report.result).toBe('PASS');
  expect(await check({ live: true })).toMatchObject({ result: 'PASS', mode: 'live', summary: { differences: 0 } });
});

test('each planted fault is named, and no other', async () => {
  const from = now();
  // An edited value: no row of the source says so.
  await post('/api/v1/write-to-online-store', {
    view: 'user_profile',
    rows: { user_id: ['1'], at: [now()], made: [now()], age: [999], score: [0.5] },
  });
  const row = (
    user: number,
    event: string,
  ) => `select ${user}::bigint as user_id, ${event} as "at", now() as made, 77::bigint as age,
    (${user} / 3)::double as score, ${user}::bigint as p1, (10 * ${user})::bigint as p2`;
  await land('lag', row(2, `now() - interval 1 microsecond`));
  const original = `(select "at" from read_parquet('${directory}/data/profiles/first.parquet') limit 1)`;
  await land('correction', row(3, original));
  await land('landing', row(7, `${original} + interval 1 hour`));
  await push([{ user: '5', secondsAgo: 7200 }]);
  await ask(['user_profile:age', ...streamed]);
  const report = await check({ from, features: ['user_profile:age', ...streamed] });
  expect(causesOf(report), JSON.stringify(report)).toEqual({
    'user_profile:age': { 1: 'bug', 2: 'materialization_lag', 3: 'correction', 7: 'late_landing' },
    'user_activity:clicks': { 5: 'late_event' },
    'user_activity:spent': { 5: 'late_event' },
  });
  expect(report.result).toBe('FAIL');
  expect(report.features[0]?.worst.find(({ cause }) => cause === 'correction')?.evidence).toMatchObject({
    online: [{ file: 'data/profiles/first.parquet' }],
    offline: [{ file: 'data/profiles/correction.parquet' }],
  });

  const { status, stdout } = await cli(['validate', 'parity', '--from', from, '--features', 'user_profile:age']);
  expect(status).toBe(1);
  expect(stdout).toContain('bug 1');
  expect(stdout).toContain('FAIL');
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThan(80);
  const asJson = await cli(['validate', 'parity', '--json', '--from', from, '--features', 'user_activity:clicks'], server.url);
  expect(asJson.status).toBe(1);
  expect(causesOf(JSON.parse(asJson.stdout))).toEqual({ 'user_activity:clicks': { 5: 'late_event' } });

  const client = openFlightClient({ url: server.url });
  try {
    const last = await client.action('validate', { kind: 'parity', from, features: ['user_activity:clicks'] });
    expect((last as { done: ParityReport }).done.result).toBe('FAIL');
  } finally {
    client.close();
  }
  const metrics = (await call(`${server.http}/metrics`)).text;
  expect(metrics).toContain('featherflight_parity_result{view="user_activity",feature="clicks",against=""} 0');
  // The last check of it was made by a command, and one of another feature came after.
  expect(metrics).toContain('featherflight_parity_result{view="user_profile",feature="age",against=""} 0');
  const { features } = (await call(`${server.http}/api/v1/health/checks?kind=parity`)).json() as Pick<ParityReport, 'features'>;
  expect(features).toContainEqual(
    expect.objectContaining({ feature: 'age', result: 'FAIL', causes: expect.objectContaining({ bug: 1 }), worst: [] }),
  );

  await post('/api/v1/erasures', { entity: 'user', keys: { user_id: '4' } });
  const live = await check({ live: true, features: ['user_points:points', 'user_profile:age'] });
  expect(causesOf(live), JSON.stringify(live)).toMatchObject({
    'user_points:points': { 4: 'erased' },
    'user_profile:age': { 1: 'bug', 4: 'erased' },
  });
});

test('a definition that changes half-way is told, and a view that is gone is named and fails nothing', async () => {
  await post('/api/v1/materialize', {});
  const from = now();
  await ask(['user_points:points', 'gone:age']);
  define('p2');
  await post('/api/v1/apply', { force: true });
  // Nothing is stored under the new definition yet.
  await ask(['user_points:points']);
  await post('/api/v1/materialize', {});
  const after = now();
  await ask(['user_points:points']);
  const report = await check({ from });
  expect(report.summary.gone).toEqual(['gone:age']);
  const { causes, n } = report.features.find(({ feature }) => feature === 'points') as ParityReport['features'][number];
  expect({ causes, n }, JSON.stringify(report)).toEqual({ causes: { definition_version: 16 }, n: 24 });
  expect(await check({ from: after })).toMatchObject({ summary: { differences: 0 } });
});

test('what cannot be compared is refused with what to do', async () => {
  const refuse = async (request: object, status = 400) => JSON.stringify(await post('/api/v1/validate/parity', request, status));
  expect(await refuse({ features: ['user_profile:agee'], live: true }, 404)).toMatch(/did you mean/);
  expect(await refuse({ from: '2999-01-01T00:00:00Z' })).toContain('future');
  expect(await refuse({ to: '2999-01-01T00:00:00Z' })).toContain('future');
  expect(await refuse({ live: true, from: now() })).toContain('leave out');
  expect(await refuse({ pairs: [['user_profile:age', 'user_profile:nix']] }, 404)).toContain('nix');
  const none = await check({ from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' });
  expect(none).toMatchObject({ result: 'NO DATA', summary: { pairs: 0, advice: expect.stringContaining('live') } });
  expect((await cli(['validate', 'parity', '--from', '2020-01-01T00:00:00Z', '--to', '2020-01-02T00:00:00Z'])).status).toBe(1);
  const reports = (await call(`${server.http}/api/v1/reports?kind=parity`)).json() as { reports: { id: string }[] };
  expect(reports.reports.map(({ id }) => id)).toContain(none.id);
  expect((await call(`${server.http}/api/v1/reports/${none.id}`)).json()).toEqual(none);
  expect((await call(`${server.http}/api/v1/reports/nix`)).status).toBe(404);
  expect((await call(`${server.http}/api/v1/reports?kind=nix`)).status).toBe(400);
});

test('batch is compared with stream in history', async () => {
  const same = await check({ pairs: [['user_activity:clicks', 'again:clicks']], sample: 5 });
  expect(same).toMatchObject({ mode: 'pairs', result: 'PASS', summary: { pairs: 5 } });
  const itself = [['again:clicks', 'again:clicks']];
  expect(JSON.stringify(await post('/api/v1/validate/parity', { pairs: itself }, 400))).toContain('itself');
  const other = await check({ pairs: [['user_activity:clicks', 'user_profile:age']] });
  expect(other).toMatchObject({ result: 'FAIL', features: [{ against: 'user_profile:age' }] });
});

test('the last checks are told to a token of the views that it is for, pairs where it is for both, and the rest is counted', async () => {
  interface Told {
    readonly features: readonly { readonly view: string; readonly feature: string; readonly against?: string }[];
    readonly left_out: number;
  }
  await check({ live: true, sample: 5 });
  await check({ pairs: [['user_activity:clicks', 'again:clicks']] });
  const make = async (request: object, headers = {}) => {
    const answer = await call(`${server.http}/api/v1/tokens`, { body: JSON.stringify(request), headers });
    return { authorization: `Bearer ${(answer.json() as { token: string }).token}` };
  };
  const admin = await make({ scopes: ['admin'] });
  const read = async (headers: Record<string, string>) => {
    const { features, left_out: left } = (
      await call(`${server.http}/api/v1/health/checks?kind=parity`, { headers })
    ).json() as Told;
    const names = features.map(({ view, feature, against }) => `${view}:${feature}${against === undefined ? '' : ` ${against}`}`);
    return { names, left };
  };
  const all = await read(admin);
  expect(all.left).toBe(0);
  const pair = 'user_activity:clicks again:clicks';
  expect(all.names).toEqual(expect.arrayContaining(['user_profile:age', 'user_activity:spent', 'again:clicks', pair]));
  for (const views of [['user_profile'], ['user_activity'], ['again'], ['user_activity', 'again']]) {
    const seen = await read(await make({ scopes: ['read-offline'], views }, admin));
    const isSeen = (reference: string) => views.includes(reference.split(':')[0] as string);
    const expected = all.names.filter((name) => name.split(' ').every(isSeen));
    expect(expected.includes(pair), views.join()).toBe(views.length === 2);
    expect(seen, views.join()).toEqual({ names: expected, left: all.names.length - expected.length });
  }
  const online = await make({ scopes: ['read-online'] }, admin);
  const refused = await call(`${server.http}/api/v1/health/checks?kind=parity`, { headers: online });
  expect(refused.status).toBe(403);
});

function cli(args: readonly string[], url?: string) {
  const environment: Record<string, string> = url === undefined ? {} : { FEATHERFLIGHT_URL: url };
  return runProgram(process.execPath, [cliPath, '-C', directory, ...args], { environment });
}

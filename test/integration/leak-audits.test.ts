/** Leak audits at every door: here and at a server, files and paths, services with prefixes, tokens for some views. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { call, post } from '../support/http-client.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore, writeTables } from './make-store.ts';

let directory: string;
let server: ServerProcess | undefined;

/** Users 0 to 99 at noon of days 1 to 5: their age then is 10 user + day; `ahead` days later it is another. */
const table = (ahead: number, keys = 'u::bigint as user_id,') => `
  select ${keys} timestamptz '2026-03-01 12:00:00+00' + to_days(d - 1) as event_timestamp, (10 * u + least(5, d + ${ahead}))::integer as age,
    'item ' || u as item_id, 'item ' || (u + 1) % 100 as candidate_id, (u * 7 + d * 3) % 2 as label
  from range(0, 100) as a(u), range(1, 6) as b(d)`;

beforeAll(async () => {
  directory = await makeStore();
  await writeTables(directory, [
    ['frames/honest.parquet', table(0)],
    ['frames/leaking.parquet', table(1)],
    ['frames/keyless.parquet', table(0, '')],
    ['frames/entities.parquet', `select * exclude (age) from (${table(0)})`],
  ]);
});

afterAll(async () => {
  await server?.stop();
});

const leaks = (...args: readonly string[]) => runCommand(['validate', 'leaks', ...args], { directory });
const age = ['--table', '--columns', 'age=user_profile:age'];

it('passes, fails and refuses on the command line, by its exit status', async () => {
  const honest = await leaks('--entities', 'frames/honest.parquet', ...age);
  expect(honest).toMatchObject({ status: 0, stderr: '' });
  expect(honest.stdout).toMatch(/^column +rows +agree +leak +hindsight +result\nage +500 +500 +0 +0 +PASS$/m);
  const leaking = await leaks('--entities', 'frames/leaking.parquet', ...age);
  expect(leaking.status).toBe(1);
  expect(leaking.stdout).toMatch(
    /^age: leak, 400 of 500 rows rest on what happened after their time: equal to the\n {4}value 12h after T; up to 12.0 h ahead$/m,
  );
  expect(leaking.stdout).toMatch(/^FAIL {2}leaking: age$/m);
  expect(leaking.stdout).toMatch(/^label: not audited, no feature has this name/m);
  for (const line of `${honest.stdout}${leaking.stdout}`.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const json = await leaks('--entities', 'frames/leaking.parquet', ...age, '--json');
  const report = JSON.parse(json.stdout);
  expect(report).toMatchObject({
    kind: 'leaks',
    result: 'FAIL',
    leaking: ['age'],
    rows: 500,
    features: [{ reach_seconds: 43_200 }],
  });
  const ambiguous = await leaks('--entities', 'frames/honest.parquet', '--table');
  expect(ambiguous).toMatchObject({ status: 1, stderr: expect.stringContaining('no column of the table is known as a feature') });
  const keyless = await leaks('--entities', 'frames/keyless.parquet', ...age);
  expect(keyless).toMatchObject({ status: 1, stderr: expect.stringContaining('view "user_profile" needs join key "user_id"') });
  expect(await leaks('--entities', 'frames/honest.parquet')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--service'),
  });
  expect((await leaks('--entities', 'frames/honest.parquet', '--table', '--columns', 'age')).status).toBe(2);
});

it('audits a service whose views stand under prefixes and other keys, and leaves no copies behind', async () => {
  const own = await leaks('--entities', 'frames/entities.parquet', '--service', 'ranker_v1', '--label', 'label', '--json');
  expect(own).toMatchObject({ status: 0, stderr: '' });
  const report = JSON.parse(own.stdout);
  expect(report).toMatchObject({ result: 'PASS', leaking: [], labels: [] });
  const columns = report.features.map((one: { column: string; verdict: string }) => [one.column, one.verdict]);
  expect(columns).toEqual([
    ['user_profile:age', 'clean'],
    ['user_profile:score', 'clean'],
    ['item_stats:price', 'clean'],
    ['item_stats@candidate:clicks', 'clean'],
  ]);
  expect(report.features[2].text).toContain('source "item_daily" has no created timestamp');
  expect(readdirSync(join(directory, '.featherflight/audits'))).toEqual([]);
});

it('is asked of a server by path, line by line, within what a token is for, and its reports are kept', async () => {
  server = await startServer(directory);
  const { http } = server;
  const body = { path: 'frames/leaking.parquet', table: true, columns: { age: 'user_profile:age' } };
  const lines = await call(`${http}/api/v1/validate/leaks`, {
    headers: { accept: 'application/x-ndjson', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = lines.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(told.at(-1).done).toMatchObject({ result: 'FAIL', leaking: ['age'] });
  expect(told.slice(0, -1).every((line) => typeof line.progress.step === 'number')).toBe(true);
  const reports = await call(`${http}/api/v1/reports?kind=leaks`);
  const [newest] = (reports.json() as { reports: { id: string; result: string }[] }).reports;
  expect(newest).toMatchObject({ id: told.at(-1).done.id, result: 'FAIL' });
  const there = await leaks('--url', server.url, '--entities', 'frames/honest.parquet', ...age);
  expect(there).toMatchObject({ status: 0, stderr: '' });
  for (const [wrong, message] of [
    [{ ...body, path: '/etc/passwd' }, /readable|may not|outside/],
    [{ ...body, path: null }, /validate leaks: name the frame by `upload` or by `path`/],
    [{ ...body, tabel: true }, /"tabel" is no member of the body; did you mean "table"/],
    [{ ...body, columns: { age: 'user_profil:age' } }, /user_profil.*did you mean "user_profile"/],
  ] as const) {
    const answer = await post(`${http}/api/v1/validate/leaks`, wrong);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect((answer.json() as { error: { message: string } }).error.message).toMatch(message);
  }
  const admin = (await post(`${http}/api/v1/tokens`, { scopes: ['admin'] })).json() as { token: string };
  const asAdmin = { authorization: `Bearer ${admin.token}` };
  const items = (await post(`${http}/api/v1/tokens`, { scopes: ['read-offline'], views: ['item_stats'] }, asAdmin)).json() as {
    token: string;
  };
  const asItems = { authorization: `Bearer ${items.token}` };
  expect((await post(`${http}/api/v1/validate/leaks`, body, asItems)).status).toBe(403);
  expect((await post(`${http}/api/v1/validate/leaks`, { ...body, columns: {} }, asItems)).status).toBe(403);
  const allowed = { path: 'frames/entities.parquet', features: ['item_stats:price'] };
  expect((await post(`${http}/api/v1/validate/leaks`, allowed, asItems)).status).toBe(200);
});

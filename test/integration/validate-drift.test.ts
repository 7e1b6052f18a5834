/** Drift of what a running server serves, over HTTP, Flight and the command line, against a period, a training set and saved datasets. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFlightClient } from '../../src/client/flight-client.ts';
import { FeatherflightClient } from '../../src/client/index.ts';
import type { DriftReport } from '../../src/validate/drift/report.ts';
import { call } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { startPython } from '../support/start-python.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-drift-'));
const users = Array.from({ length: 120 }, (_, at) => String(at + 1));
const features = ['age', 'score', 'city', 'plan'];
let server: ServerProcess;
/** Between what was served of good values and what was served of broken ones. */
let broken = '';
let start = '';
let middle = '';

beforeAll(async () => {
  mkdirSync(join(directory, 'features'));
  mkdirSync(join(directory, 'data/profiles'), { recursive: true });
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 }, readable: ['data'],
  validate: { drift: { schedule: '0 3 * * *', thresholds: { 'user_profile:age': { mean: 0.4 }, 'gone:age': { psi: 1 } } } },
});\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, entity, featureService, featureView, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profiles/*.parquet'), eventTimestamp: 'at' });
export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles,
  features: { age: { type: 'int64' }, score: { type: 'float64', default: 0.5 }, city: { type: 'string' }, plan: { type: 'string' } },
});
export const ranker = featureService('ranker', { features: [userProfile] });
`,
  );
  await land(
    'good',
    2,
    `(20 + i % 40)::bigint as age, (i * 37 % 101 / 100)::double as score, 'city' || (i % 3) as city, 'plan' || (i % 2) as plan`,
  );
  await applyRepository(directory);
  server = await startServer(directory);
  await post('/api/v1/materialize', {});
  start = new Date().toISOString();
  await serve();
  middle = new Date().toISOString();
  await serve();
  broken = new Date().toISOString();
  await land(
    'broken',
    1,
    `(60 + i % 40)::bigint as age, 0.0::double as score, case when i % 4 = 0 then 'cty' else 'city' || (i % 3) end as city, 'plan' || (i % 2) as plan`,
  );
  await post('/api/v1/materialize', {});
  await serve();
});
afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function land(name: string, days: number, columns: string): Promise<void> {
  const sql = `select i::bigint as user_id, now() - interval ${days} day as "at", ${columns} from range(1, 121) as t(i)`;
  await writeTables(directory, [[`${name}.parquet`, sql]]);
  renameSync(join(directory, `${name}.parquet`), join(directory, 'data/profiles', `${name}.parquet`));
}

async function post(path: string, body: unknown, status = 200): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(status);
  return answer.json() as Record<string, unknown>;
}

const serve = () => post('/api/v1/online-features', { service: 'ranker', entities: { user_id: users } });
const check = async (body: object) => (await post('/api/v1/validate/drift', body)) as unknown as DriftReport;
const alarmsOf = (report: DriftReport) =>
  Object.fromEntries(report.features.map(({ feature, alarms }) => [feature, alarms.map(({ alarm }) => alarm)]));
const brokenPeriod = () => ({ from: broken, reference_from: start, reference_to: broken });

it('passes what is served as before', async () => {
  const report = await check({ from: middle, to: broken, reference_from: start });
  expect(report.features.map(({ feature }) => feature).sort()).toEqual(features.toSorted());
  expect([report.result, alarmsOf(report)]).toEqual(['PASS', { age: [], score: [], city: [], plan: [] }]);
  expect(report.features[0]?.current).toMatchObject({ n: 120, units: 120, null_rate: 0, default_rate: 0 });
});

it('names each fault that was planted, keeps the report, and gives it at every door', async () => {
  const report = await check(brokenPeriod());
  expect(report.result).toBe('FAIL');
  const alarms = alarmsOf(report);
  expect(alarms.age).toEqual(['psi', 'js', 'ks', 'mean']);
  expect(alarms.score).toContain('constant');
  expect(alarms.city).toContain('unseen_category');
  expect(alarms.plan).toEqual([]);
  const kept = (await call(`${server.http}/api/v1/reports/${report.id}`)).json();
  expect(kept).toEqual(JSON.parse(JSON.stringify(report)));

  const client = openFlightClient({ url: server.url });
  try {
    const input = { kind: 'drift', ...brokenPeriod() };
    const { done } = (await client.action('validate', input, { onResult: () => {} })) as { done: DriftReport };
    expect(alarmsOf(done)).toEqual(alarms);
  } finally {
    client.close();
  }
});

it('has its own threshold for a feature, from the request above the config', async () => {
  const lenient = { psi: 99, js: 1, ks: 1 };
  const one = { ...brokenPeriod(), features: ['user_profile:age'] };
  expect(alarmsOf(await check({ ...one, thresholds: { 'user_profile:age': { ...lenient, mean: 99 } } }))).toEqual({ age: [] });
  const text = await post('/api/v1/validate/drift', { thresholds: { 'user_profile:ag': {} } }, 404);
  expect(JSON.stringify(text)).toContain('age');
});

it('compares with a training set, on the command line, within 80 columns', async () => {
  await writeTables(directory, [
    [
      'training.parquet',
      `select i::bigint as user_id, (20 + i % 40)::bigint as age, (i * 37 % 101 / 100)::double as user_profile__score, 'city' || (i % 3) as city, 1 as label from range(1, 121) as t(i)`,
    ],
  ]);
  const run = (...args: readonly string[]) =>
    runProgram(process.execPath, [
      cliPath,
      '-C',
      directory,
      'validate',
      'drift',
      '--training',
      join(directory, 'training.parquet'),
      ...args,
    ]);
  for (const where of [['--url', server.url], []]) {
    const good = await run('--from', start, '--to', broken, ...where);
    expect(good.status, good.stdout + good.stderr).toBe(0);
    expect(good.stdout).toContain('against a training set (120 rows)');
    const bad = await run('--from', broken, ...where);
    expect(bad.status).toBe(1);
    expect(bad.stdout).toMatch(/^user_profile:score\n {2}constant: all 120 values are 0;/m);
    for (const line of bad.stdout.split('\n')) expect(line.length, line).toBeLessThan(80);
  }
});

it('is checked from Python, against a period and against a frame, and rendered', async () => {
  const python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), { FEATHERFLIGHT_URL: server.url });
  try {
    const found = (await python.run(`
      report = store.drift("ranker", progress=False, start="${broken}", reference_start="${start}", reference_end="${broken}")
      training = pa.table({"age": [20 + i % 40 for i in range(1, 121)]})
      beside = store.drift(training=training, progress=False, start="${start}", end="${broken}")
      {"result": report.result, "alarms": {one.feature: [each["alarm"] for each in one.alarms] for one in report.features},
       "page": report._repr_html_(), "beside": beside.result, "kind": beside.reference["kind"],
       "names": [one.feature for one in beside.features if one.result != "NO DATA"]}
    `)) as Record<string, unknown> & { alarms: Record<string, string[]>; page: string };
    expect(found).toMatchObject({ result: 'FAIL', beside: 'PASS', kind: 'frame', names: ['age'] });
    expect(found.alarms.score).toContain('constant');
    expect(found.alarms.plan).toEqual([]);
    expect(found.page).toContain('user_profile:city, unseen_category: ');
  } finally {
    await python.close();
  }
});

it('compares saved datasets with each other and with what is served, at every door', async () => {
  const frame = (at: string) =>
    `select i::bigint as user_id, timestamptz '${at}' as event_timestamp from range(1, 121) as t(i), range(0, 3)`;
  await writeTables(directory, [['data/frame.parquet', frame(start)]]);
  const features = { features: ['user_profile:age', 'user_profile:score', 'user_profile:plan'] };
  // Of the rows that landed last history knows from a day ago on.
  const made = { name: 'trained', path: 'data/frame.parquet', ...features };
  await post('/api/v1/datasets', { ...made, at: new Date(Date.parse(start) - 36 * 3_600_000).toISOString() });
  const half = { split: { random: { parts: { train: 0.5, test: 0.5 } } }, at: start };
  await post('/api/v1/datasets', { ...made, ...half });
  const reference = { dataset: 'trained@1' };
  const checks = async () => (await call(`${server.http}/api/v1/health/checks?kind=drift`)).json();
  const before = await checks();

  const report = await check({ reference, current: { dataset: 'trained' } });
  expect([report.result, report.reference, report.current]).toEqual([
    'FAIL',
    { kind: 'dataset', dataset: 'trained@1', split: null, from: null, to: null, rows: 360 },
    { kind: 'dataset', dataset: 'trained@2', split: null, from: null, to: null, rows: 360 },
  ]);
  expect(report.features[0]?.reference).toMatchObject({ n: 360, units: 120 });
  const alarms = alarmsOf(report);
  expect(alarms.age).toEqual(['psi', 'js', 'ks', 'mean']);
  expect(alarms.score).toContain('constant');
  expect(alarms.plan).toEqual([]);
  expect((await call(`${server.http}/api/v1/reports/${report.id}`)).json()).toEqual(JSON.parse(JSON.stringify(report)));
  // It tells nothing of what is served.
  expect(await checks()).toEqual(before);

  const flight = openFlightClient({ url: server.url });
  const node = new FeatherflightClient({ url: server.http });
  try {
    const input = { kind: 'drift', reference, current: { dataset: 'trained@2', split: 'train' } };
    const { done } = (await flight.action('validate', input, { onResult: () => {} })) as { done: DriftReport };
    expect([done.current.split, alarmsOf(done).age]).toEqual(['train', alarms.age]);
    const asked = await node.drift({ reference, current: { dataset: 'trained@2', split: 'test' } });
    expect(asked).toMatchObject({ result: 'FAIL', current: { dataset: 'trained@2', split: 'test' } });
  } finally {
    flight.close();
    await node.close();
  }

  const served = await check({ reference, from: start, to: broken });
  expect([served.result, Object.keys(alarmsOf(served)).sort()]).toEqual(['PASS', ['age', 'plan', 'score']]);
  const other = await check({ reference_from: start, reference_to: broken, current: { dataset: 'trained@2' } });
  expect(alarmsOf(other).age).toEqual(alarms.age);

  const run = (...args: readonly string[]) =>
    runProgram(process.execPath, [cliPath, '-C', directory, 'validate', 'drift', '--reference-dataset', 'trained@1', ...args]);
  for (const where of [['--url', server.url], []]) {
    const same = await run('--from', start, '--to', broken, ...where);
    expect(same.status, same.stdout + same.stderr).toBe(0);
    expect(same.stdout).toContain('against dataset trained@1 (360 rows)');
    const moved = await run('--current-dataset', 'trained@2:train', ...where);
    expect(moved.status).toBe(1);
    expect(moved.stdout).toMatch(/^Drift of dataset trained@2, split train \(\d+ rows\)\n {2}against dataset trained@1 /);
    const unknown = await run('--current-dataset', 'trained@2:trian', ...where);
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('did you mean "train"?')]);
  }

  const python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), { FEATHERFLIGHT_URL: server.url });
  try {
    const found = (await python.run(`
      moved = store.drift(reference=store.dataset("trained@1"), current="trained@2:test", progress=False)
      served = store.drift(reference="trained@1", start="${start}", end="${broken}", progress=False)
      {"moved": moved.result, "head": str(moved).splitlines()[0], "served": served.result, "split": moved.current["split"]}
    `)) as Record<string, unknown>;
    expect(found).toMatchObject({ moved: 'FAIL', served: 'PASS', split: 'test' });
    expect(found.head).toMatch(/^drift of \d+ rows of trained@2:test, against 360 of trained@1: FAIL$/);
  } finally {
    await python.close();
  }
});

it('says what to do where there is nothing to compare', async () => {
  const report = await check({ from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' });
  expect([report.result, report.summary.advice]).toEqual(['NO DATA', expect.stringContaining('too few keys')]);
  const refused = await post('/api/v1/validate/drift', { from: '2020-01-02T00:00:00Z', to: '2020-01-01T00:00:00Z' }, 400);
  expect(JSON.stringify(refused)).toContain('the period is empty');
  await post('/api/v1/validate/drift', { path: 'a.parquet', reference_from: start }, 400);
});

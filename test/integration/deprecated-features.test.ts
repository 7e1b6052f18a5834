/** Deprecated views and features tell their readers so at every door: HTTP, Flight, both clients and the command line. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFlightClient } from '../../src/client/flight-client.ts';
import { runCommand } from '../cli/run-command.ts';
import { call, post } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

const definitions = `
export const oldStats = featureView('old_stats', {
  entities: [item], source: stock, features: { price: { type: 'float64' }, sold: { type: 'int64' } },
  deprecated: { since: '2026-05-01', replacement: 'item_stats' },
});
export const people = featureView('people', {
  entities: [user], source: profiles,
  features: {
    age: {
      type: 'int32',
      deprecated: { since: '2026-06-01', reason: 'whole years alone', replacement: 'people:born', removeAfter: '2026-12-01' },
    },
    born: { type: 'date' },
  },
});
export const twice = onDemandFeatureView('twice', {
  inputs: [people.select('age')], features: { twice_age: 'int64' },
  transform: ({ features }) => ({ twice_age: features.people.age === null ? null : 2 * features.people.age }),
});
export const mixed = featureService('mixed', { features: [people.select('born'), oldStats.select('price'), twice] });
`;
const ofAge = {
  kind: 'deprecated',
  feature_view: 'people',
  feature: 'age',
  since: '2026-06-01',
  reason: 'whole years alone',
  replacement: 'people:born',
  remove_after: '2026-12-01',
};
const ageMessage =
  'feature "people:age" is deprecated since 2026-06-01; whole years alone; use "people:born"; it may be removed after 2026-12-01';
const ageRead = { ...ofAge, read_by: ['twice'], message: `${ageMessage}; it is read for "twice"` };
const statsRead = {
  kind: 'deprecated',
  feature_view: 'old_stats',
  features: ['price'],
  since: '2026-05-01',
  replacement: 'item_stats',
  message: 'feature view "old_stats" is deprecated since 2026-05-01; use "item_stats"',
};
const entities = { user_id: [1], item_id: ['item 1'] };
let directory: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await makeHttpStore({ readable: ['data'] }, definitions);
  await writeTables(directory, [
    ['data/frame.parquet', "select 1::bigint as user_id, 'item 1' as item_id, timestamptz '2026-06-01' as event_timestamp"],
  ]);
  server = await startServer(directory);
});
afterAll(async () => {
  await server?.stop();
});

it('online answers name each with all that is said of it, and what is read of it for others', async () => {
  const path = `${server.http}/api/v1/online-features`;
  const ask = async (asked: object) => (await post(path, { entities, ...asked })).json() as { readonly warnings?: unknown };
  expect((await ask({ service: 'mixed' })).warnings).toEqual([ageRead, statsRead]);
  const user = { user_id: [1] };
  expect((await ask({ features: ['people:age'], entities: user })).warnings).toEqual([{ ...ofAge, message: ageMessage }]);
  expect((await ask({ features: ['people@friend:age'], entities: user })).warnings).toEqual([{ ...ofAge, message: ageMessage }]);
  expect(await ask({ features: ['people:born'], entities: user })).not.toHaveProperty('warnings');
  const feast = await post(`${server.http}/get-online-features`, { feature_service: 'mixed', entities });
  expect(feast.json()).toMatchObject({ metadata: { warnings: [ageRead, statsRead] } });
  const arrow = await post(path, { service: 'mixed', entities }, { accept: 'application/vnd.apache.arrow.stream' });
  expect(arrow.text).toContain(JSON.stringify([ageRead, statsRead]));
});

it('the catalogue says it of the view, and of every feature that it concerns', async () => {
  const rowsOf = async (kind: string) => {
    const { rows } = (await call(`${server.http}/api/v1/${kind}`)).json() as { rows: { name: string; deprecated: unknown }[] };
    return Object.fromEntries(rows.map((row) => [row.name, row.deprecated]));
  };
  const ofStats = { since: '2026-05-01', replacement: 'item_stats' };
  expect(await rowsOf('feature-views')).toMatchObject({ old_stats: ofStats, people: null, twice: null });
  expect(await rowsOf('features')).toMatchObject({
    'old_stats:price': ofStats,
    'old_stats:sold': ofStats,
    'people:age': { since: '2026-06-01', removeAfter: '2026-12-01' },
    'people:born': null,
    'twice:twice_age': null,
  });
  const list = await runCommand(['list', 'features'], { directory });
  expect(list.stdout).toMatch(/^people:age .* since: 2026-06-01, reason: whole years alone, /m);
  const describe = await runCommand(['describe', 'old_stats', '--url', server.url], { directory });
  expect(describe.stdout).toMatch(/^ {2}deprecated +since: 2026-05-01, replacement: item_stats$/m);
});

it('training sets say it in their schema and in their report', async () => {
  const client = openFlightClient({ url: server.url });
  try {
    const set = await client.getHistoricalFeatures({ service: 'mixed', path: 'data/frame.parquet' });
    expect(set.warnings).toEqual([ageRead, statsRead]);
    for await (const _ of set.batches());
    expect(set.report().warnings).toEqual([ageRead, statsRead]);
    const plain = await client.getHistoricalFeatures({ service: 'plain', path: 'data/frame.parquet' });
    for await (const _ of plain.batches());
    expect([plain.warnings, plain.report().warnings]).toEqual([[], []]);
  } finally {
    client.close();
  }
});

it('the Node client has them with the answer, and Node tells a process of each once', async () => {
  const code = `
import { FeatherflightClient } from ${JSON.stringify(new URL('../../dist/client/index.js', import.meta.url).href)};
const client = new FeatherflightClient({ url: '${server.http}', flightUrl: '${server.url}' });
const codes = [];
process.on('warning', ({ name, code, message }) => codes.push([name, code, message]));
const asked = { service: 'mixed', entities: { user_id: [1], item_id: ['item 1'] } };
const answer = await client.getOnlineFeatures(asked);
const again = await client.getOnlineFeatures(asked);
const set = await client.getHistoricalFeatures({ service: 'mixed', path: 'data/frame.parquet' });
const plain = await client.getOnlineFeatures({ ...asked, service: 'plain' });
await client.close();
console.log(JSON.stringify([codes, answer.warnings, again.warnings, set.warnings, plain.warnings]));
`;
  const run = await runProgram(process.execPath, ['--input-type=module', '-e', code]);
  const told = [ageRead, statsRead].map(({ message }) => ['DeprecationWarning', 'FEATHERFLIGHT_DEPRECATED', message]);
  const warnings = [ageRead, statsRead];
  expect({ ...run, stdout: JSON.parse(run.stdout) }).toMatchObject({
    status: 0,
    stdout: [told, warnings, warnings, warnings, []],
  });
  expect(run.stderr.match(/\[FEATHERFLIGHT_DEPRECATED\] DeprecationWarning/g)).toHaveLength(2);
});

it('Python warns of each name once, and keeps them with the answer', async () => {
  const code = `
import warnings
import featherflight as ff

store = ff.connect(${JSON.stringify(server.url)})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    job = store.get_historical_features("data/frame.parquet", features="mixed")
    job.to_arrow()
    online = store.get_online_features("mixed", entities={"user_id": [1], "item_id": ["item 1"]})
    store.get_online_features(["people:age"], entities={"user_id": [1]})
    plain = store.get_online_features("plain", entities={"user_id": [1], "item_id": ["item 1"]})
for one in caught:
    print(one.category.__name__, one.message)
print(job.warnings == online.warnings, [one["message"] for one in online.warnings] == list(job.report.warnings), plain.warnings)
print("warning: feature view" in str(job.report), "warning: feature view" in job.report._repr_html_())
print(store.feature_views()["old_stats"]["deprecated"], store.features()["people:born"]["deprecated"])
`;
  const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
  const environment = { PYTHONPATH: fileURLToPath(new URL('../../python_client/src', import.meta.url)) };
  const run = await runProgram(python, ['-c', code], { environment });
  expect(run).toMatchObject({
    status: 0,
    stdout: `DeprecatedWarning ${ageRead.message}
DeprecatedWarning ${statsRead.message}
True True []
True True
{'since': '2026-05-01', 'replacement': 'item_stats'} None
`,
  });
});

it('the command line tells it on standard error, here and of a server', async () => {
  const folded = `warning: feature "people:age" is deprecated since 2026-06-01; whole years alone;
  use "people:born"; it may be removed after 2026-12-01; it is read for "twice"
warning: feature view "old_stats" is deprecated since 2026-05-01; use
  "item_stats"
`;
  const online = ['get-online-features', '--service', 'mixed', '--entities', JSON.stringify(entities)];
  const training = ['get-historical-features', '--service', 'mixed', '--entities', 'data/frame.parquet', '--out', '-'];
  const preview = ['preview', 'mixed', '--entities', 'data/frame.parquet'];
  for (const args of [online, training, preview, [...online, '--url', server.url], [...training, '--url', server.url]]) {
    const run = await runCommand(args, { directory });
    expect(run, args.join(' ')).toMatchObject({ status: 0, stderr: expect.stringContaining(folded) });
    const json = await runCommand([...args, '--json'], { directory });
    const lines = json.stderr.split('\n').filter((line) => line.startsWith('{"warning":'));
    expect(
      lines.map((line) => JSON.parse(line)),
      args.join(' '),
    ).toEqual([{ warning: ageRead }, { warning: statsRead }]);
  }
  const file = await runCommand([...training.slice(0, -1), 'data/out.arrow', '--json'], { directory });
  expect(JSON.parse(file.stdout)).toMatchObject({ report: { warnings: [ageRead, statsRead] } });
  const plain = await runCommand(['preview', 'plain', '--entities', 'data/frame.parquet'], { directory });
  expect(plain.stderr).not.toContain('warning');
});

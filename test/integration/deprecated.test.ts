/** A deprecated feature service says so beside every answer, online and for training, and Python warns of it once. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFlightClient } from '../../src/client/flight-client.ts';
import { call, post } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

const deprecated = `
export const old = featureService('old', {
  features: [itemStats],
  deprecated: { since: '2026-05-01', reason: 'prices are in Zürich alone', replacement: 'plain', removeAfter: '2026-09-01' },
});
`;
const warning = {
  kind: 'deprecated',
  feature_service: 'old',
  since: '2026-05-01',
  reason: 'prices are in Zürich alone',
  replacement: 'plain',
  remove_after: '2026-09-01',
  message:
    'feature service "old" is deprecated since 2026-05-01; prices are in Zürich alone; use "plain"; it may be removed after 2026-09-01',
};
const entities = { item_id: ['item 1'] };
let directory: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await makeHttpStore({ readable: ['data'] }, deprecated);
  await writeTables(directory, [
    ['data/frame.parquet', "select 1::bigint as user_id, 'item 1' as item_id, timestamptz '2026-06-01' as event_timestamp"],
  ]);
  server = await startServer(directory);
});
afterAll(async () => {
  await server?.stop();
});

it('online answers warn in JSON, in Arrow and in the form of Feast, and only where that service was named', async () => {
  const path = `${server.http}/api/v1/online-features`;
  expect((await post(path, { service: 'old', entities })).json()).toMatchObject({ warnings: [warning] });
  const same = { features: ['item_stats:price', 'item_stats:sold'], entities };
  expect((await post(path, same)).json()).not.toHaveProperty('warnings');
  const feast = (await post(`${server.http}/get-online-features`, { feature_service: 'old', entities })).json();
  expect(feast).toMatchObject({ metadata: { warnings: [warning] } });
  const plain = (await post(`${server.http}/get-online-features`, same)).json() as { metadata: object };
  expect(plain.metadata).not.toHaveProperty('warnings');
  const arrow = { accept: 'application/vnd.apache.arrow.stream' };
  expect((await post(path, { service: 'old', entities }, arrow)).text).toContain(JSON.stringify([warning]));
  expect((await post(path, same, arrow)).text).not.toContain('featherflight.warnings');
  const spec = (await call(`${server.http}/openapi.json`)).json();
  expect(JSON.stringify(spec)).toContain('"remove_after"');
});

it('training sets warn in their schema', async () => {
  const client = openFlightClient({ url: server.url });
  try {
    const metadataOf = async (service: string) =>
      (await client.getHistoricalFeatures({ service, path: 'data/frame.parquet' })).schema.metadata.get('featherflight.warnings');
    expect(JSON.parse(String(await metadataOf('old')))).toEqual([warning]);
    expect(await metadataOf('plain')).toBeUndefined();
  } finally {
    client.close();
  }
});

it('Python warns once a process and service, of online answers and training sets', async () => {
  const code = `
import datetime, warnings
import featherflight as ff
import pyarrow as pa

store = ff.connect(${JSON.stringify(server.url)})
at = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
frame = pa.table({"item_id": ["item 1"], "event_timestamp": pa.array([at], pa.timestamp("us", "UTC"))})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    store.get_historical_features(frame, features=["item_stats:price"]).to_arrow()
    print(len(caught))
    store.get_historical_features(frame, features="old").to_arrow()
    store.get_online_features("old", entities={"item_id": ["item 1"]})
    print(len(caught), caught[0].category is ff.DeprecatedWarning, issubclass(ff.DeprecatedWarning, FutureWarning))
    print(caught[0].message)
`;
  const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
  const environment = { PYTHONPATH: fileURLToPath(new URL('../../python_client/src', import.meta.url)) };
  const run = await runProgram(python, ['-c', code], { environment });
  expect(run).toMatchObject({ status: 0, stdout: `0\n1 True True\n${warning.message}\n` });
});

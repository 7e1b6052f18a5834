/** Materialization and pushes through a running server: Flight's action, HTTP, Feast's addresses, and its own schedule. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FlightClient, openFlightClient } from '../../src/client/flight-client.ts';
import { call } from '../support/http-client.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore, users, writeTables } from './make-store.ts';

let server: ServerProcess | undefined;
let client: FlightClient | undefined;
afterEach(async () => {
  client?.close();
  await server?.stop();
  server = undefined;
});

let directory: string;
beforeEach(async () => {
  directory = await makeStore();
});

/** Says in the definitions that the users' source takes pushes. */
async function takePushes(): Promise<void> {
  const path = join(directory, 'features/push.ts');
  writeFileSync(
    path,
    `import { batchSource, entity, featureView, fitted, parquet } from 'featherflight';
export const buyer = entity('buyer', { joinKeys: { buyer_id: 'int64' } });
export const pushed = batchSource('pushed', {
  table: parquet('data/users/*.parquet'), eventTimestamp: 'event_timestamp', createdTimestamp: 'created_timestamp', push: true,
});
export const buyers = featureView('buyers', {
  entities: [buyer], source: pushed, keys: { buyer_id: 'uid' },
  features: { age: { type: 'int32' }, score: { type: 'float64', default: fitted('mean') }, path: { type: 'list(int64)' } },
});
`,
  );
  await applyRepository(directory);
}

async function start(): Promise<string> {
  server = await startServer(directory);
  client = openFlightClient({ url: server.url });
  let url: string | undefined;
  while (url === undefined) {
    url = /http:\/\/[\d.]+:\d+/.exec(server.log())?.[0];
    if (url === undefined) await pause(20);
  }
  return url;
}

const post = async (url: string, body: unknown) => {
  const { status, text } = await call(url, { body: JSON.stringify(body) });
  return { status, body: JSON.parse(text) as Record<string, unknown> };
};

async function readOnline(url: string, id: string): Promise<unknown> {
  const request = { features: ['buyers:age', 'buyers:path'], entities: { buyer_id: [id] } };
  const { body } = await post(`${url}/api/v1/online-features`, request);
  return body;
}

test('the action tells how far it is, and the values are served', async () => {
  await takePushes();
  const url = await start();
  const report = await client?.action('materialize', { views: ['buyers'] });
  expect(report).toEqual({
    done: {
      ...{ start: null, end: expect.any(String), seconds: expect.any(Number) },
      views: [expect.objectContaining({ view: 'buyers', keys: 1000, rows: 1000, written: 1000, of: 5000 })],
    },
  });
  expect(JSON.stringify(await readOnline(url, '7'))).toContain('75');
  await expect(client?.action('materialize', { views: ['buyer'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(client?.action('materialize', { view: ['buyers'] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(client?.action('materialize', { end: 'now' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('pushed rows are served, are there after a restart, and count once', async () => {
  await takePushes();
  let url = await start();
  const rows = {
    ...{ uid: ['9007199254740993'], age: [33], score: [null], city: ['Lyon'], path: [['1', null]] },
    ...{ event_timestamp: ['2026-03-10T00:00:00Z'], created_timestamp: ['2026-03-10T01:00:00Z'] },
  };
  const push = { source: 'pushed', rows, idempotency_key: 'a' };
  expect(await post(`${url}/api/v1/push`, push)).toMatchObject({ status: 200, body: { rows: 1, archived: true, written: 1 } });
  expect(await post(`${url}/api/v1/push`, push)).toMatchObject({ status: 200, body: { archived: false, unchanged: 1 } });
  expect(JSON.stringify(await readOnline(url, '9007199254740993'))).toContain('33');
  const refused = await post(`${url}/api/v1/push`, { source: 'pushed', rows: { ...rows, age: ['x'] } });
  expect(refused).toMatchObject({
    status: 400,
    body: { error: { code: 'INVALID_ARGUMENT', details: { column: 'age', row: 0 } } },
  });
  await server?.stop('SIGKILL');
  rmSync(join(directory, '.featherflight', 'online.mdb'), { force: true });
  rmSync(join(directory, '.featherflight', 'online.mdb-lock'), { force: true });
  client?.close();
  url = await start();
  expect(await post(`${url}/api/v1/materialize`, { views: ['buyers'] })).toMatchObject({ status: 200 });
  expect(JSON.stringify(await readOnline(url, '9007199254740993'))).toContain('33');
  expect(await post(`${url}/api/v1/push`, push)).toMatchObject({ body: { archived: false } });
});

test('a schedule materializes by itself, and SIGTERM ends it cleanly', async () => {
  const config = { project: 'test', offlineEngine: { kind: 'duckdb', threads: 2 }, materialize: { schedule: '* * * * * *' } };
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';\nexport default defineConfig(${JSON.stringify(config)});\n`,
  );
  await takePushes();
  const url = await start();
  const until = async (text: string, id: string) => {
    while (!JSON.stringify(await readOnline(url, id)).includes(text)) await pause(50);
  };
  await until('75', '7');
  await writeTables(directory, [['data/users/part-2.parquet', users(2000, 2001)]]);
  await until('20005', '2000');
  expect(await server?.stop()).toEqual({ status: 0, signal: null });
});

/** Our clients through TLS of a self-signed certificate, with tokens that may all, some or nothing, on HTTP and Flight. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FeatherflightClient, type FeatherflightClientOptions } from '../../src/client/index.ts';
import { runProgram } from '../support/run-program.ts';
import { cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const pem = (name: string) => path(`../flight/support/localhost.${name}.pem`);
const ca = readFileSync(pem('cert'), 'utf8');

let directory: string;
let server: ServerProcess;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  directory = await makeHttpStore({ tls: { cert: pem('cert'), key: pem('key') }, readable: ['data'] });
  await writeTables(directory, [
    ['data/frame.parquet', "select 1::bigint as user_id, 'item 4' as item_id, timestamptz '2026-03-01' as event_timestamp"],
  ]);
  const items = ['--scope', 'read-online', '--scope', 'read-offline', '--view', 'item_stats'];
  for (const [name, options] of [
    ['admin', ['--scope', 'admin']],
    ['items', items],
    ['revoked', items],
    ['expired', ['--scope', 'admin', '--expires', '2020-01-01T00:00:00Z']],
    ['foreign', ['--scope', 'admin', '--project', 'bakery']],
  ] as const) {
    const made = await runProgram(process.execPath, [cliPath, '-C', directory, 'token', 'create', ...options]);
    tokens[name] = made.stdout.trim();
  }
  server = await startServer(directory);
});
afterAll(() => server?.stop());

async function withClient<T>(
  options: Partial<FeatherflightClientOptions>,
  work: (client: FeatherflightClient) => Promise<T>,
): Promise<T> {
  const client = new FeatherflightClient({ url: server.http, flightUrl: server.url, ca, timeoutMs: 60_000, ...options });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

async function ask(client: FeatherflightClient, feature: string): Promise<unknown> {
  const entities: Record<string, (number | string)[]> = feature.startsWith('user') ? { user_id: [1] } : { item_id: ['item 4'] };
  const answer = await client.getOnlineFeatures({ features: [feature], entities });
  return answer.columns[feature.split(':')[1] as string]?.values[0];
}

async function train(client: FeatherflightClient, feature: string): Promise<number> {
  const set = await client.getHistoricalFeatures({ features: [feature], path: 'data/frame.parquet' });
  let rows = 0;
  for await (const { batch } of set.batches()) rows += batch.length;
  return rows;
}

describe('the Node client', () => {
  it('asks, writes, materializes and trains with a token that may', async () => {
    await withClient({ token: tokens.admin }, async (client) => {
      await client.materialize();
      expect([await ask(client, 'user_profile:age'), await train(client, 'user_profile:age')]).toEqual([30, 1]);
      const rows = { item_id: ['one'], price: [1.5], sold: [2n], event_timestamp: ['2026-01-02T00:00:00Z'] };
      expect(await client.writeToOnlineStore('item_stats', rows)).toMatchObject({ written: 1 });
      expect((await client.catalogue('feature-services')).length).toBe(2);
    });
  });

  it('is held to the scopes and views of its token on both doors', async () => {
    await withClient({ token: tokens.items }, async (client) => {
      expect([await ask(client, 'item_stats:sold'), await train(client, 'item_stats:sold')]).toEqual([4n, 1]);
      for (const refused of [
        () => ask(client, 'user_profile:age'),
        () => train(client, 'user_profile:age'),
        () => client.materialize(),
        () => client.push('profiles', { user_id: [1] }),
        () => client.writeToOnlineStore('item_stats', { item_id: ['two'] }),
      ])
        expect(await outcome(refused())).toBe('PERMISSION_DENIED');
    });
  });

  it.each(['expired', 'foreign', 'nobody'])('is refused with a token that does not stand: %s', async (name) => {
    await withClient({ token: tokens[name] }, async (client) => {
      expect(await outcome(ask(client, 'item_stats:sold'))).toBe('UNAUTHENTICATED');
      expect(await outcome(train(client, 'item_stats:sold'))).toBe('UNAUTHENTICATED');
    });
  });

  it('does not speak to a server that nothing vouches for, or without TLS', async () => {
    const plain = { url: server.http.replace('https', 'http'), flightUrl: server.url.replace('grpc+tls', 'grpc'), ca: undefined };
    for (const options of [{ ca: undefined }, plain]) {
      await withClient({ token: tokens.admin, retries: 0, ...options }, async (client) => {
        expect(await outcome(ask(client, 'item_stats:sold'))).toBe('UNAVAILABLE');
        expect(await outcome(train(client, 'item_stats:sold'))).toBe('UNAVAILABLE');
      });
    }
    expect(server.log()).not.toContain(tokens.admin);
  });
});

it('the Python client does the same', async () => {
  const python = join(path('../..'), '.venv/bin/python');
  const args = [path('secure_client.py'), server.url, pem('cert'), JSON.stringify(tokens)];
  const { status, stdout, stderr } = await runProgram(python, args);
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: 'done\n' });
});

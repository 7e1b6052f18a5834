/** Commands that ask a server: what they send it, and what they make of how it ends. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import type { FlightHandler } from '../../src/flight/protocol.ts';
import type { FlightServer } from '../../src/flight/server.ts';
import {
  batchMessage,
  batchOf,
  infoOf,
  reportOf,
  schemaMessage,
  startScriptedServer,
} from '../client/support/scripted-server.ts';
import { runCommand } from './run-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-remote-'));
writeFileSync(join(directory, 'frame.csv'), 'n\n1\n');
let server: FlightServer;
const start = async (script: Partial<FlightHandler>) => {
  server = await startScriptedServer(script);
  return `grpc://127.0.0.1:${server.port}`;
};
const retrieve = (url: string, out: string, interrupted?: AbortSignal) =>
  runCommand(['get-historical-features', '--entities', 'frame.csv', '--service', 'x', '--out', out, '--url', url], {
    directory,
    interrupted,
  });
afterEach(() => server.stop(0));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('send the token of the environment and the kind in full', async () => {
  const seen: unknown[] = [];
  const url = await start({
    async *doAction(type, body, { token }) {
      seen.push([type, JSON.parse(Buffer.from(body).toString()), token]);
      yield Buffer.from('{"rows":[{"name":"v"}]}');
    },
  });
  const environment = { FEATHERFLIGHT_URL: url, FEATHERFLIGHT_TOKEN: 's3cret' };
  expect(await runCommand(['list', 'views', '--json'], { environment })).toMatchObject({
    status: 0,
    stdout: '{"kind":"feature_views","rows":[{"name":"v"}]}\n',
  });
  await runCommand(['describe', 'v', '--kind', 'feature-views'], { environment: { ...environment, FEATHERFLIGHT_TOKEN: '' } });
  expect(seen).toEqual([
    ['list', { kind: 'feature_views' }, 's3cret'],
    ['describe', { name: 'v', kind: 'feature_views' }, undefined],
  ]);
});

it('leave no file of an answer that breaks off, and say the server’s own error', async () => {
  const url = await start({
    getFlightInfo: async () => infoOf(3n),
    async *doGet() {
      yield schemaMessage();
      yield batchMessage(batchOf([1n, 2n]));
      throw new FeatureStoreError('RESOURCE_EXHAUSTED', 'the spill is full');
    },
  });
  for (const out of ['a.parquet', 'a.arrow', 'a.csv']) {
    expect(await retrieve(url, out)).toMatchObject({ status: 1, stderr: 'featherflight: the spill is full\n' });
  }
  expect(readdirSync(directory)).toEqual(['frame.csv']);
});

it('leave no file of an answer that is shorter than announced', async () => {
  const url = await start({
    getFlightInfo: async () => infoOf(3n),
    async *doGet() {
      yield schemaMessage();
      yield batchMessage(batchOf([1n, 2n]), reportOf(2));
    },
  });
  expect(await retrieve(url, 'a.csv')).toMatchObject({ status: 1, stderr: expect.stringContaining('the answer is not whole') });
  expect(readdirSync(directory)).toEqual(['frame.csv']);
});

it('stop the query when they are interrupted', async () => {
  const interruption = new AbortController();
  let stopped = false;
  const url = await start({
    getFlightInfo: async () => infoOf(3n),
    async *doGet(_ticket, { signal }) {
      yield schemaMessage();
      interruption.abort('SIGINT');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      stopped = true;
    },
  });
  expect(await retrieve(url, 'a.csv', interruption.signal)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('was cancelled'),
  });
  await expect.poll(() => stopped).toBe(true);
  expect(readdirSync(directory)).toEqual(['frame.csv']);
});

/** The Flight client against a real server in a process of its own, with frames that pyarrow made. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dictionaries } from '../../src/arrow/dictionaries.ts';
import { changedDictionaries } from '../../src/arrow/dictionary-changes.ts';
import { openArrowFile } from '../../src/arrow/file-reader.ts';
import { createArrowFile } from '../../src/arrow/file-writer.ts';
import { type FlightClient, openFlightClient } from '../../src/client/flight-client.ts';
import type { EntityFrame, FrameBatch, HistoricalQuery, TrainingSet } from '../../src/client/historical-query.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const frames = join(root, 'test/client/support/frames.py');
const folder = mkdtempSync(join(tmpdir(), 'featherflight-client-'));
const python = (...args: string[]) => promisify(execFile)(join(root, '.venv/bin/python'), [frames, ...args]);
const closers: (() => unknown)[] = [];
let server: ChildProcess;
let client: FlightClient;

/** One query at a time and none waiting: a second one tells whether the first has ended. */
const files = {
  'featherflight.config.ts': `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'client_test', flight: { port: 0, limits: { maxConcurrentQueries: 1, maxQueuedQueries: 0 } }, readable: ['.'],
});`,
  'features/users.ts': `import { batchSource, entity, featureService, featureView, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const users = batchSource('users', { table: parquet('users.parquet'), eventTimestamp: 'event_timestamp' });
export const profile = featureView('profile', {
  entities: [user], source: users, features: { age: { type: 'int64', default: -1n }, score: { type: 'float64' }, city: { type: 'string' } },
});
export const all = featureService('all', { features: [profile] });`,
};

async function start(): Promise<void> {
  const serve = join(root, 'test/client/support/serve.mjs');
  server = spawn(process.execPath, [serve, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout?.on('data', (line: Buffer) => resolve(line.toString().trim()));
    server.on('exit', (code, signal) => reject(new Error(`the server ended with ${code ?? signal}`)));
  });
  client = openFlightClient({ url });
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  client.close();
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill(signal);
  await ended;
}

async function frameOf(name: string): Promise<EntityFrame> {
  const reader = await openArrowFile(join(folder, name));
  closers.push(() => reader.close());
  return { schema: reader.schema, batches: reader.batches() };
}

async function countRows(batches: AsyncIterable<FrameBatch>): Promise<number> {
  let rows = 0;
  for await (const { batch } of batches) rows += batch.length;
  return rows;
}

/** Writes an answer as an Arrow stream, in which dictionaries may change. */
async function save(set: TrainingSet, path: string): Promise<void> {
  const batches = set.batches();
  let next = await batches.next();
  if (next.done) throw new Error('no batch');
  const { schema } = next.value.batch;
  const writer = await createArrowFile(path, schema, { format: 'stream' });
  let written: Dictionaries = new Map();
  for (; !next.done; next = await batches.next()) {
    const { batch, dictionaries } = next.value;
    for (const change of changedDictionaries(schema, written, dictionaries)) await writer.writeDictionary(change);
    written = dictionaries;
    await writer.write(batch);
  }
  await writer.finish();
}

const bigQuery: HistoricalQuery = { features: ['profile:age', 'profile:score', 'profile:city'] };

async function askBig(signal?: AbortSignal): Promise<TrainingSet> {
  return await client.getHistoricalFeatures(bigQuery, await frameOf('big.arrow'), { signal });
}

beforeAll(async () => {
  mkdirSync(join(folder, 'features'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  await python('make', folder);
  await start();
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

afterAll(async () => {
  await stop('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

describe('a real server', () => {
  it('says what it is and what it has', async () => {
    expect(await client.serverInfo()).toMatchObject({ product: 'featherflight', project: 'client_test', registry_version: 1 });
    expect((await client.catalogue('features')).map(({ name }) => name)).toEqual([
      'profile:age',
      'profile:score',
      'profile:city',
    ]);
    expect(await client.describe('all')).toMatchObject([{ kind_of: 'feature_services', name: 'all' }]);
    expect(await client.describe('profile', 'feature_views')).toMatchObject([{ join_keys: { user_id: 'int64' } }]);
    expect(await client.apply()).toEqual({ version: 1, changes: [] });
  });

  it('names what is near a wrong name', async () => {
    await expect(client.catalogue('feature')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/"features"/),
    });
    await expect(client.describe('profil')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/"profile"/),
    });
    await expect(client.action('aply')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/"apply"/),
    });
    const frame = await frameOf('frame.arrows');
    await expect(client.getHistoricalFeatures({ features: ['profile:agee'] }, frame)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('age'),
    });
  });

  it('refuses a request that makes no sense, before anything streams', async () => {
    await expect(client.getHistoricalFeatures({ service: 'all' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const query = { service: 'all', timestamp: 'nowhere' };
    await expect(client.getHistoricalFeatures(query, await frameOf('frame.arrows'))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('nowhere'),
    });
    const surplus = { service: 'all', nonsense: 1 } as HistoricalQuery;
    await expect(client.getHistoricalFeatures(surplus, await frameOf('frame.arrows'))).rejects.toMatchObject({
      message: expect.stringContaining('nonsense'),
    });
  });

  it.each([undefined, 'lz4', 'zstd'] as const)(
    'gives a frame of any types back with its features, compressed by %s',
    async (compression) => {
      const query: HistoricalQuery = { features: ['profile:age', 'profile:score'], statuses: true, compression, batch_rows: 128 };
      const set = await client.getHistoricalFeatures(query, await frameOf('frame.arrows'));
      expect(set.rows).toBe(1_000);
      const path = join(folder, `answer-${compression}.arrows`);
      await save(set, path);
      expect((await python('check', folder, path)).stdout).toBe('ok\n');
      expect(set.report()).toMatchObject({
        rows: 1_000,
        features: [{ name: 'age', not_found: 2, present: 998 }, { name: 'score' }],
      });
    },
  );

  it('reads a frame by path itself', async () => {
    const set = await client.getHistoricalFeatures({ service: 'all', path: 'frame.parquet' });
    expect(await countRows(set.batches())).toBe(1_000);
    expect(set.report().rows).toBe(1_000);
    await expect(client.getHistoricalFeatures({ service: 'all', path: '../frame.parquet' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });

  it('answers a large frame whole', async () => {
    const set = await askBig();
    expect(await countRows(set.batches())).toBe(1_200_000);
    expect(set.report().features.map(({ not_found }) => not_found)).toEqual([2_400, 2_400, 2_400]);
  });

  it.each(['signal', 'leaving the loop'])('stops its query with a cancelled call, by %s', async (how) => {
    const controller = new AbortController();
    const set = await askBig(controller.signal);
    const other = await client.getHistoricalFeatures({ service: 'all', path: 'frame.parquet' });
    const batches = set.batches();
    await batches.next();
    await expect(countRows(other.batches())).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: { retry_after_seconds: expect.any(Number) },
    });
    if (how === 'signal') {
      controller.abort();
      await expect(countRows(batches)).rejects.toMatchObject({ code: 'ABORTED' });
    } else await batches.return();
    await expect.poll(() => countRows(other.batches()).catch(() => undefined), { interval: 50 }).toBe(1_000);
    expect(await client.action('cancel', { query: set.query })).toEqual({ cancelled: false });
  });

  it('says so when somebody else cancels the query', async () => {
    const set = await askBig();
    const batches = set.batches();
    await batches.next();
    expect(await client.action('cancel', { query: set.query })).toEqual({ cancelled: true });
    await expect(countRows(batches)).rejects.toMatchObject({ code: 'ABORTED', details: { query: set.query } });
  });

  it('that is killed in the midst of an answer leaves UNAVAILABLE, never a shorter answer', async () => {
    const set = await askBig();
    const batches = set.batches();
    await batches.next();
    server.kill('SIGKILL');
    await expect(countRows(batches)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(client.address),
      details: { address: client.address },
    });
    expect(() => set.report()).toThrow();
    await expect(client.serverInfo()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/is the server running/),
    });
    await stop('SIGKILL');
    await start();
  });

  it('that is killed in the midst of an upload leaves UNAVAILABLE', async () => {
    const { schema, batches } = await frameOf('big.arrow');
    async function* dying() {
      for await (const each of batches) {
        for (let round = 0; round < 20; round++) {
          if (round === 2) server.kill('SIGKILL');
          yield each;
        }
      }
    }
    await expect(client.getHistoricalFeatures(bigQuery, { schema, batches: dying() })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await stop('SIGKILL');
    await start();
  });

  it('that stops lets a running answer finish', async () => {
    const set = await askBig();
    const batches = set.batches();
    const first = await batches.next();
    server.kill('SIGTERM');
    const rest = await countRows(batches);
    expect(rest + (first.value?.batch.length ?? 0)).toBe(1_200_000);
    await stop('SIGTERM');
    await start();
  });
});

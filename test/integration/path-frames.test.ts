/** Entity frames that a server reads by path, and the command line from a file: every column comes back as it was (rule 4.1). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dictionaries } from '../../src/arrow/dictionaries.ts';
import { changedDictionaries } from '../../src/arrow/dictionary-changes.ts';
import { createArrowFile } from '../../src/arrow/file-writer.ts';
import { type FlightClient, openFlightClient } from '../../src/client/flight-client.ts';
import type { TrainingSet } from '../../src/client/historical-query.ts';
import { runCommand } from '../cli/run-command.ts';
import { runProgram } from '../support/run-program.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let store: string;
let frames: string;
let server: ServerProcess;
let client: FlightClient;

const python = async (...args: string[]) => {
  const done = await runProgram(fromRoot('.venv/bin/python'), [fromRoot('test/support/path_frames.py'), ...args]);
  expect(done).toMatchObject({ status: 0, stderr: '' });
};

beforeAll(async () => {
  store = await makeStore();
  frames = join(store, 'frames');
  await python('make', frames);
  server = await startServer(store);
  client = openFlightClient({ url: server.url });
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

async function save(set: TrainingSet, path: string): Promise<void> {
  let writer: Awaited<ReturnType<typeof createArrowFile>> | undefined;
  let known: Dictionaries = new Map();
  for await (const { batch, dictionaries } of set.batches()) {
    writer ??= await createArrowFile(path, batch.schema, { format: 'stream' });
    for (const change of changedDictionaries(batch.schema, known, dictionaries)) await writer.writeDictionary(change);
    known = dictionaries;
    await writer.write(batch);
  }
  await writer?.finish();
}

/** Frames, by the name of what they must equal. */
const files = [
  ['arrow', 'arrow.parquet'],
  ['plain', 'plain.parquet'],
  ['old', 'old.parquet'],
  ['empty', 'empty.parquet'],
  ['file', 'file.arrow'],
  ['changing', 'changing.arrows'],
  ['none', 'none.arrow'],
] as const;

describe('a frame', () => {
  it.each(files)('%s comes back through the server by path', async (name, file) => {
    const answer = join(store, `${name}.answer`);
    const set = await client.getHistoricalFeatures({ features: ['user_profile:age'], path: `frames/${file}`, batch_rows: 1500 });
    expect(set.rows === undefined).toBe(!file.endsWith('.parquet'));
    await save(set, answer);
    await python('compare', frames, `${name}=${answer}`);
    expect(set.report()).toMatchObject({ identity: expect.stringMatching(/./), features: [{ not_found: 0 }] });
  });

  it.each(files)('%s comes back through the command line, on the state and by a server', async (name, file) => {
    const retrieve = (out: string, ...args: string[]) =>
      runCommand(
        ['get-historical-features', '--entities', join(frames, file), '--features', 'user_profile:age', '--out', out, ...args],
        { directory: store },
      );
    const [here, there] = [join(store, `${name}.arrows`), join(store, `${name}.remote.arrows`)];
    expect(await retrieve(here)).toMatchObject({ status: 0, stderr: '' });
    expect(await retrieve(there, '--url', server.url)).toMatchObject({ status: 0, stderr: '' });
    await python('compare', frames, `${name}=${here}`, `${name}=${there}`);
  });
});

describe('a frame that Parquet would cut', () => {
  const lossy = ['zone', 'inside', 'time', 'wide', 'int96'];

  it.each(lossy)('in column %s is refused by the server, naming column and fix', async (column) => {
    await expect(
      client.getHistoricalFeatures({ features: ['user_profile:age'], path: `frames/lossy_${column}.parquet` }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        new RegExp(`^column "${column}" of "frames/lossy_${column}.parquet" .*; write .*, or send it through a client$`),
      ),
      details: { column },
    });
  });

  it.each(lossy)('in column %s is refused by the command line', async (column) => {
    const frame = join(frames, `lossy_${column}.parquet`);
    const args = ['get-historical-features', '--entities', frame, '--features', 'user_profile:age', '--out', 'x.arrow'];
    expect(await runCommand(args, { directory: store })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`column "${column}" of`),
    });
    expect(readdirSync(store)).not.toContain('x.arrow');
  });
});

it('whose dictionaries change is not written to an Arrow file, which cannot hold that', async () => {
  const frame = join(frames, 'changing.arrows');
  const args = ['get-historical-features', '--entities', frame, '--features', 'user_profile:age', '--out', 'x.arrow'];
  expect(await runCommand(args, { directory: store })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('write a stream (.arrows)'),
  });
  expect(readdirSync(store).filter((name) => name.startsWith('x.arrow'))).toEqual([]);
});

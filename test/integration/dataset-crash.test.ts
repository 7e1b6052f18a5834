/** Processes killed while they save a dataset: what is there is whole, and what is not is swept. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDatasets } from '../../src/dataset/datasets.ts';
import { verifyDataset } from '../../src/dataset/verify.ts';
import { runCommand } from '../cli/run-command.ts';
import { cliPath, startServer } from '../support/start-server.ts';
import { makeStore, writeTables } from './make-store.ts';

const kills = 6;
const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Date.now() % 1_000_000);

let directory: string;
let storage: string;

/** Runs `dataset create`, and kills it after so many milliseconds; false where it was quicker. */
async function create(afterMs?: number): Promise<boolean> {
  const args = ['-C', directory, 'dataset', 'create', 'crashed', '--entities', 'frames/rows.parquet'];
  const options = ['--features', 'user_profile:age,user_profile:city', '--split-random', 'a=0.7,b=0.3', '--force-new'];
  const child = spawn(process.execPath, [cliPath, ...args, ...options], { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  if (afterMs !== undefined) await Promise.race([pause(afterMs), ended]);
  if (afterMs !== undefined) child.kill('SIGKILL');
  return (await ended) === 0;
}

beforeAll(async () => {
  directory = await makeStore();
  storage = join(directory, '.featherflight/storage');
  await writeTables(directory, [
    [
      'frames/rows.parquet',
      "select (i % 1000)::bigint as user_id, timestamptz '2026-03-01' + to_minutes(i::integer % 7200) as event_timestamp from range(0, 40000) as r(i)",
    ],
  ]);
});

describe(`processes killed while they save a dataset (seed ${seed})`, () => {
  it('leave a whole version or none, and drafts that are swept', async () => {
    const started = performance.now();
    expect(await create()).toBe(true);
    const wholeMs = performance.now() - started;
    let whole = 1;
    for (let kill = 0; kill < kills; kill++) {
      const drawn = ((seed * 9301 + kill * 49_297) % 233_280) / 233_280;
      if (await create(wholeMs * (0.2 + 0.8 * drawn))) whole += 1;
      const datasets = await openDatasets(storage);
      const versions = await datasets.list('crashed');
      // One that was killed may have been whole by then.
      expect(versions.length).toBeGreaterThanOrEqual(whole);
      whole = versions.length;
      for (const { version } of versions) await verifyDataset(await datasets.find(`crashed@${version}`));
    }
    const listed = await runCommand(['-C', directory, 'dataset', 'list', 'crashed', '--json']);
    expect(JSON.parse(listed.stdout).rows).toHaveLength(whole);
    expect(readdirSync(join(storage, 'datasets')).filter((name) => name.startsWith('.draft-'))).toEqual([]);
    await create(wholeMs * 0.7);
    const server = await startServer(directory);
    expect(readdirSync(join(storage, 'datasets')).filter((name) => name.startsWith('.draft-'))).toEqual([]);
    await server.stop();
  });
});

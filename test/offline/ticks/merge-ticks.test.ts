/** Which files of ticks are merged: small ones alone, once there are many of them. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine } from '../../../src/offline/duckdb/engine.ts';
import { mergeTicks } from '../../../src/offline/ticks/rewrite-ticks.ts';
import { listTickFiles, replaceTick } from '../../../src/offline/ticks/tick-folder.ts';

const scratch = mkdtempSync(join(tmpdir(), 'merge-ticks-'));
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ threads: 1, memory: '200MB', spillDirectory: join(scratch, 'spill'), spillLimit: '1GB' });
});
afterAll(async () => {
  await engine.close();
  rmSync(scratch, { recursive: true, force: true });
});

const folder = join(scratch, 'ticks');
const ticks = { folder, tickColumn: 'tick', readErased: async () => undefined };
/** Of a file with few rows, and not of one with many. */
const largest = 20_000;

async function run(tickUs: bigint, rows: number): Promise<void> {
  const write = (path: string) =>
    engine.session(undefined, async (session) => {
      const sql = `select make_timestamptz(${tickUs}::bigint) as tick, hash(range) as n from range(${rows})`;
      await session.rows(`copy (${sql}) to '${path}' (format parquet)`);
    });
  mkdirSync(folder, { recursive: true });
  await replaceTick(folder, tickUs, write, async () => {
    throw new Error('nothing is merged of it');
  });
}

const shapes = async () => (await listTickFiles(folder)).map(({ ticks: held, isMerged }) => [held.size, isMerged]);
const merge = () => mergeTicks(engine, ticks, { mergeAt: 3, largest });

test('large files stay as they are, however many there are, and small ones beside them are merged once they are many', async () => {
  for (let tick = 0n; tick < 4n; tick++) await run(tick, 10_000);
  for (const { name } of await listTickFiles(folder)) expect(statSync(join(folder, name)).size).toBeGreaterThan(largest);
  await merge();
  const large = Array.from({ length: 4 }, () => [1, false]);
  expect(await shapes()).toEqual(large);
  for (let tick = 4n; tick < 6n; tick++) await run(tick, 10);
  const before = await listTickFiles(folder);
  await merge();
  expect(await listTickFiles(folder)).toEqual(before);
  await run(6n, 10);
  await merge();
  expect(await shapes()).toEqual([[3, true], ...large]);
  // One that was merged is small still, and alone no reason to merge.
  const merged = (await listTickFiles(folder))[0];
  await run(7n, 10);
  await merge();
  expect((await listTickFiles(folder))[0]).toEqual(merged);
});

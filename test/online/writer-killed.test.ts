/** A process that writes online rows is killed at random instants, again and again: everything it was told is written is served. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis } from '../support/start-redis.ts';
import { auditRows, openKilledStore } from './killed-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-killed-'));
const script = join(folder, 'write-until-killed.cjs');
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const ends: (() => unknown)[] = [];
beforeAll(async () => {
  // As one file, which starts in a fraction of a second: so there are many rounds.
  const entryPoints = [path('./write-until-killed.ts')];
  await build({ entryPoints, outfile: script, bundle: true, packages: 'external', platform: 'node', format: 'cjs' });
});
afterAll(async () => {
  for (const end of ends) await end();
  rmSync(folder, { recursive: true, force: true });
});

const places = {
  LMDB: async () => `lmdb:${join(folder, 'online')}`,
  async Redis() {
    const server = await startRedis();
    ends.push(() => server.stop());
    return `redis://${server.address}`;
  },
};

const longestMs = 10_000;
const leastRounds = 3;

/** Starts a writer at the batch after the acknowledged ones, kills it some time after its first, and tells the last acknowledged. */
async function killWriter(address: string, acknowledged: number): Promise<number> {
  const child = spawn(process.execPath, [script, address, String(acknowledged + 1)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: path('../../node_modules') },
  });
  ends.push(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data;
  });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  await pause(Math.random() * 60);
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
}

it.each(Object.entries(places))('%s', { timeout: 120_000 }, async (_, open) => {
  const address = await open();
  const started = performance.now();
  let acknowledged = -1;
  for (let round = 0; round < leastRounds || performance.now() - started < longestMs; round++) {
    const last = await killWriter(address, acknowledged);
    expect(last).toBeGreaterThan(acknowledged);
    acknowledged = last;
    const store = openKilledStore(address);
    expect(await auditRows(store, acknowledged)).toEqual([]);
    await store.close();
  }
  // The audit sees a row that is not there.
  const store = openKilledStore(address);
  expect(await auditRows(store, acknowledged + 2)).not.toEqual([]);
  await store.close();
});

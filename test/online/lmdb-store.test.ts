import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { describeStore } from './store-suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-online-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

describeStore('LMDB', () => openLmdbStore(join(folder, 'suite')));

const countScript = fileURLToPath(new URL('./count-in-lmdb.mjs', import.meta.url));

const readCounts = async (directory: string, names: readonly string[]): Promise<number[]> => {
  const store = openLmdbStore(directory);
  const values = await store.read(names.map((name) => Buffer.from(name)));
  await store.close();
  return values.map((value) => Number(value === undefined ? 0 : Buffer.from(value).toString()));
};

describe('LMDB', () => {
  it('is shared by the threads of a process, whoever closes first', async () => {
    const directory = join(folder, 'threads');
    const store = openLmdbStore(directory);
    const workers = ['a', 'b'].map((name) => new Worker(countScript, { argv: [directory, '30', 'shared', name] }));
    const ends = workers.map((worker) => once(worker, 'exit'));
    for (let count = 0; count < 30; ) {
      const [expected] = await store.read([Buffer.from('shared')]);
      const value = Buffer.from(String(Number(expected === undefined ? 0 : Buffer.from(expected).toString()) + 1));
      count += 1 - (await store.replace([{ key: Buffer.from('shared'), expected, value }])).length;
    }
    expect(await Promise.all(ends)).toEqual([[0], [0]]);
    await store.check();
    await store.close();
    expect(await readCounts(directory, ['shared', 'a', 'b'])).toEqual([90, 30, 30]);
  });

  it('is read, and even written, by a second process', async () => {
    const directory = join(folder, 'processes');
    const store = openLmdbStore(directory);
    await store.replace([{ key: Buffer.from('shared'), expected: undefined, value: Buffer.from('5') }]);
    const child = spawn(process.execPath, [countScript, directory, '20', 'shared'], { stdio: ['ignore', 'ignore', 'inherit'] });
    children.push(child);
    expect((await once(child, 'exit'))[0]).toBe(0);
    const [value] = await store.read([Buffer.from('shared')]);
    expect(Buffer.from(value as Uint8Array).toString()).toBe('25');
    await store.close();
  });

  it('has everything that it acknowledged after a process was killed in mid-write, at any instant', async () => {
    const directory = join(folder, 'killed');
    const names = ['one', 'two', 'three'];
    let acknowledged = names.map(() => 0);
    for (const delay of [0, 3, 7, 15, 40, 90]) {
      const child = spawn(process.execPath, [countScript, directory, '100000', ...names], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      let said = '';
      child.stdout.on('data', (data: Buffer) => {
        said += data;
      });
      const ended = once(child, 'close');
      await once(child.stdout, 'data');
      await sleep(delay);
      child.kill('SIGKILL');
      await ended;
      const whole = said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1) as string;
      acknowledged = whole.split(' ').map(Number);
      const counts = await readCounts(directory, names);
      // One more than acknowledged may have been written, of all keys together: a batch is one transaction.
      expect([0, 1]).toContain((counts[0] as number) - (acknowledged[0] as number));
      expect(new Set(counts).size).toBe(1);
    }
    expect(acknowledged[0]).toBeGreaterThan(6);
  });

  it('refuses a file that is none of its own, and a directory that cannot be made', () => {
    const directory = mkdtempSync(join(folder, 'damaged-'));
    writeFileSync(join(directory, 'online.mdb'), 'this is a text that somebody wrote here by mistake');
    expect(() => openLmdbStore(directory)).toThrow(/online\.mdb cannot be opened: online\.mdb is no LMDB file/);
    expect(() => openLmdbStore(join(directory, 'online.mdb', 'below'))).toThrow(/cannot be opened/);
  });

  it('refuses a key that LMDB cannot hold, and takes its longest', async () => {
    const store = openLmdbStore(join(folder, 'long-keys'));
    const longest = Buffer.alloc(1978, 7);
    expect(await store.replace([{ key: longest, expected: undefined, value: Buffer.of(1) }])).toEqual([]);
    expect(await store.read([longest])).toEqual([Buffer.of(1)]);
    await expect(store.replace([{ key: Buffer.alloc(1979, 7), expected: undefined, value: Buffer.of(1) }])).rejects.toMatchObject(
      { code: 'INVALID_ARGUMENT', message: expect.stringContaining('1979 bytes') },
    );
    await store.close();
  });
});

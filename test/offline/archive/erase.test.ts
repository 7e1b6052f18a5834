/** Erasure in the archive (rule 8.4): whatever is pushed, merged, erased, lifted and copied back, readers see who is not erased. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../../src/observe.ts';
import { type Archive, openArchive } from '../../../src/offline/archive/archive.ts';
import { compileErased, type ErasedRows } from '../../../src/offline/archive/erased.ts';
import { type Engine, openEngine } from '../../../src/offline/duckdb/engine.ts';
import { compileWholeTable } from '../../../src/offline/duckdb/table.ts';
import { columnsOf, type Erased, erasedRows, isErased, type Thing, things } from './erased-things.ts';

let directory: string;
let engine: Engine;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'erase-archive-'));
  const spillDirectory = join(directory, '.spill');
  engine = await openEngine({ threads: 1, memory: '200MB', spillDirectory, spillLimit: '1GB' });
});
afterAll(() => {
  engine.close();
  rmSync(directory, { recursive: true, force: true });
});

let runs = 0;

/** An archive of its own, to which one says what is erased. */
function openErasable(mergeAt = 1000) {
  const root = join(directory, String(runs++));
  const erased: Erased[] = [];
  const readErased = async (): Promise<readonly ErasedRows[]> => erased.map(erasedRows);
  const archive = openArchive({ directory: root, logger: silentLogger, mergeAt, readErased });
  return { root, folder: join(root, 'things'), archive, erased };
}

async function push(archive: Archive, rows: readonly Thing[], key: string): Promise<void> {
  await archive.stage(things, columnsOf(rows), 0n, (file) => archive.keep(things, key, file));
}

/** The ids that a reader of the table finds, its own files included. */
async function readIds(archive: Archive, own: readonly string[] = []): Promise<number[]> {
  const { files, erased } = await archive.state(things);
  if (files.length + own.length === 0) return [];
  const states = (paths: readonly string[]) => paths.map((path) => ({ path, absolutePath: path, bytes: 0, modifiedNs: '0' }));
  const table = compileWholeTable(things.table, { files: states(own), archived: states(files), erased });
  const rows = await engine.session(undefined, (session) => session.rows(`select id from ${table}`));
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b);
}

/** The ids that stand in files, whatever is erased. */
async function storedIds(folder: string): Promise<number[]> {
  const files = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.endsWith('.parquet'));
  if (files.length === 0) return [];
  const list = files.map((name) => `'${join(folder, name)}'`).join(', ');
  const rows = await engine.session(undefined, (session) => session.rows(`select id from read_parquet([${list}])`));
  return rows.map(({ id }) => Number(id));
}

const long = 'é'.repeat(40);
const who = fc.constantFrom<bigint>(1n, -1n, 9_007_199_254_740_993n, -(2n ** 63n));
const name = fc.constantFrom('', '1', "it's", 'a\u0000b', long);
const raw = fc.constantFrom(new Uint8Array(), Uint8Array.of(0, 39, 255), new Uint8Array(80));
const thing = fc.record({
  id: fc.constant(0),
  who: fc.option(who),
  name: fc.option(name),
  raw: fc.option(raw),
  flag: fc.option(fc.boolean()),
});
const erasure = fc.oneof(
  fc.record({ who }),
  fc.record({ name }),
  fc.record({ raw }),
  fc.record({ flag: fc.boolean() }),
  fc.record({ who, name }),
  fc.record({ raw, flag: fc.boolean() }),
);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('push' as const), rows: fc.array(thing, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('tell' as const, 'erase' as const), who: erasure }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('merge' as const, 'copy back' as const, 'lift' as const) }) },
);

test('whatever happens, readers see the rows of those who are not erased, as a list of plain rows has them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const { root, folder, archive, erased } = openErasable(2);
      const own = join(root, 'own.parquet');
      /** What is to be seen, and the rows of a file that is kept aside. */
      let seen: Thing[] = [];
      let aside: readonly Thing[] = [];
      let next = 0;
      for (const one of steps) {
        if (one.do === 'push') {
          const rows = one.rows.map((row) => ({ ...row, id: next++ }));
          await archive.stage(things, columnsOf(rows), 0n, async (file) => {
            copyFileSync(file, own);
            aside = rows;
            await archive.keep(things, String(next), file);
          });
          seen.push(...rows);
        } else if (one.do === 'tell' || one.do === 'erase') {
          erased.push(one.who);
          if (one.do === 'erase') await archive.erase('things');
        } else if (one.do === 'merge') await archive.merge('things');
        else if (one.do === 'copy back' && aside.length > 0) {
          copyFileSync(own, join(folder, `${next}.${next++}.push.parquet`));
          seen.push(...aside);
        } else if (one.do === 'lift') {
          await archive.erase('things');
          erased.shift();
        }
        // Whoever is erased at one moment does not come back by itself.
        seen = seen.filter((row) => !isErased(row, erased));
        const expected = seen.map(({ id }) => id).sort((a, b) => a - b);
        expect(await readIds(archive)).toEqual(expected);
        if (one.do === 'erase') expect((await storedIds(folder)).sort((a, b) => a - b)).toEqual(expected);
        // The table's own file is foreign: nothing of it is left out.
        const both = [...expected, ...aside.map(({ id }) => id)].sort((a, b) => a - b);
        if (aside.length > 0) expect(await readIds(archive, [own])).toEqual(both);
      }
      await archive.close();
    }),
    { numRuns: 25 },
  );
}, 240_000);

test('a table that lacks a column of a key has no rows of it', async () => {
  const [first, second] = [erasedRows({ who: 1n, name: 'a' }), erasedRows({ who: 2n })];
  expect(compileErased([first], ['who', 'at'])).toBeUndefined();
  expect(compileErased([first, second], ['who', 'at'])).toBe('try_cast("who" as bigint) in (from (values ((2)::bigint)))');
});

test('a retried push is known after its file was rewritten, and after it went', async () => {
  const { archive, erased } = openErasable();
  const of = (id: number, owner: bigint): Thing => ({ id, who: owner, name: null, raw: null, flag: null });
  await push(archive, [of(1, 1n), of(2, 2n)], 'a');
  await push(archive, [of(3, 1n)], 'b');
  erased.push({ who: 1n });
  expect(await archive.erase('things')).toEqual({ files: 2, rows: 2 });
  expect(await archive.erase('things')).toEqual({ files: 0, rows: 0 });
  await push(archive, [of(1, 1n), of(2, 2n)], 'a');
  erased.pop();
  await push(archive, [of(3, 1n)], 'b');
  expect(await readIds(archive)).toEqual([2]);
  await archive.close();
});

test('an erasure that comes while a push is under way holds', async () => {
  const root = join(directory, String(runs++));
  let erased: readonly ErasedRows[] = [];
  let looks = 0;
  const readErased = async () => {
    // The push has looked once, and has not kept its file yet.
    if (++looks === 2) erased = [erasedRows({ who: 1n })];
    return erased;
  };
  const archive = openArchive({ directory: root, logger: silentLogger, readErased });
  const of = (id: number, owner: bigint): Thing => ({ id, who: owner, name: null, raw: null, flag: null });
  await push(archive, [of(1, 1n), of(2, 2n)], 'a');
  expect(await storedIds(join(root, 'things'))).toEqual([2]);
  await archive.close();
});

test('a process that erases is killed at random instants: others count once, erased ones never, and what is left is erased anew', async () => {
  const { root, folder, archive, erased } = openErasable();
  const of = (id: number): Thing => ({ id, who: BigInt(id % 10), name: null, raw: null, flag: null });
  for (let at = 0; at < 12; at++)
    await push(
      archive,
      Array.from({ length: 20 }, (_, row) => of(20 * at + row)),
      String(at),
    );
  const script = fileURLToPath(new URL('erase-apart.mjs', import.meta.url));
  for (let owner = 0; owner < 6; owner++) {
    const before = (await storedIds(folder)).length;
    erased.push({ who: BigInt(owner) });
    const child = spawn(process.execPath, [script, root, String(owner)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
    child.kill('SIGKILL');
    await ended;
    const left = Array.from({ length: 240 }, (_, id) => id).filter((id) => id % 10 > owner);
    expect(await readIds(archive)).toEqual(left);
    expect(before).toBeGreaterThan(0);
    if (owner % 2 === 0) continue;
    const again = openArchive({ directory: root, logger: silentLogger, readErased: async () => erased.map(erasedRows) });
    await again.erase('things');
    expect((await storedIds(folder)).sort((a, b) => a - b)).toEqual(left);
    expect(readdirSync(folder).filter((name) => name.endsWith('.draft'))).toEqual([]);
    await again.close();
  }
  await archive.close();
}, 120_000);

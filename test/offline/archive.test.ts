/** The archive of pushes: part of the table, once per idempotency key, whole at every instant of a merge. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/observe.ts';
import { type Archive, openArchive } from '../../src/offline/archive/archive.ts';
import type { PushedRows } from '../../src/offline/archive/writer.ts';
import { type Engine, openEngine } from '../../src/offline/duckdb/engine.ts';
import type { SourceDocument } from '../../src/registry/document.ts';

const source: SourceDocument = {
  ...{ name: 'things', kind: 'batch', tags: {}, file: 'features/things.ts', push: true, timezone: 'America/New_York' },
  table: { format: 'parquet', paths: ['data/*.parquet'], hivePartitioning: false, options: {} },
  ...{ eventTimestamp: 'at', createdTimestamp: 'made' },
  columns: [
    { name: 'id', type: 'BIGINT' },
    { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
    { name: 'made', type: 'TIMESTAMP WITH TIME ZONE' },
    { name: 'local', type: 'TIMESTAMP' },
    { name: 'small', type: 'TINYINT' },
    { name: 'large', type: 'UBIGINT' },
    { name: 'price', type: 'DECIMAL(12,2)' },
    { name: 'score', type: 'DOUBLE' },
    { name: 'text', type: 'VARCHAR' },
    { name: 'raw', type: 'BLOB' },
    { name: 'day', type: 'DATE' },
    { name: 'tags', type: 'VARCHAR[]' },
    { name: 'flag', type: 'BOOLEAN' },
    { name: 'clock', type: 'TIME' },
  ],
};

const row: Readonly<Record<string, unknown>> = {
  ...{
    id: '9007199254740993',
    at: '2026-03-10T12:00:00.000001+02:00',
    made: '2026-03-10T11:00:00Z',
    local: '2026-03-10 08:30:00',
  },
  ...{ small: -128, large: 18_446_744_073_709_551_615n, price: '12.5', score: 'NaN', text: 'a\u0000\u{1f600}', raw: 'AAH/' },
  ...{ day: '1969-12-31', tags: ['x', null, ''], flag: true, clock: '12:30:00' },
};

const columnsOf = (rows: readonly Readonly<Record<string, unknown>>[]): PushedRows =>
  Object.fromEntries(Object.keys(row).map((name) => [name, rows.map((one) => one[name])]));

let directory: string;
let archive: Archive;
let engine: Engine;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'archive-'));
  archive = open();
  const spillDirectory = join(directory, '.spill');
  engine = await openEngine({ threads: 1, memory: '200MB', spillDirectory, spillLimit: '1GB' });
});
afterEach(async () => {
  await archive.close();
  engine.close();
  rmSync(directory, { recursive: true, force: true });
});

const open = (mergeAt = 1000) => openArchive({ directory: join(directory, 'archive'), logger: silentLogger, mergeAt });
const folder = () => join(directory, 'archive', 'things');

async function push(rows: PushedRows, key: string): Promise<boolean> {
  return await archive.stage(source, rows, 1_773_144_000_000_000n, async (file) => (await archive.keep(source, key, file)).isNew);
}

async function read(sql = '*'): Promise<Record<string, unknown>[]> {
  const files = await archive.files('things');
  if (files.length === 0) return [];
  const list = files.map((file) => `'${file}'`).join(', ');
  return await engine.session(undefined, (session) =>
    session.rows(`select ${sql} from read_parquet([${list}], union_by_name = true)`),
  );
}

const ids = async () => (await read('id')).map(({ id }) => Number(id)).sort((a, b) => a - b);

test('values of every type are kept exactly', async () => {
  expect(
    await push(columnsOf([row, { ...row, ...Object.fromEntries(Object.keys(row).map((name) => [name, null])), at: 1n }]), 'a'),
  ).toBe(true);
  const [first, second] = await read(
    'id, epoch_us("at") as "at", epoch_us(made) as made, epoch_us(local) as local, small, large, price::varchar as price, score, text, raw, day::varchar as day, tags::varchar as tags, flag, clock::varchar as clock',
  );
  expect(first).toEqual({
    ...{ id: 9_007_199_254_740_993n, at: 1_773_136_800_000_001n, made: 1_773_140_400_000_000n, local: 1_773_131_400_000_000n },
    ...{ small: -128, large: 18_446_744_073_709_551_615n, price: '12.50', score: Number.NaN, text: 'a\u0000\u{1f600}' },
    ...{ raw: expect.anything(), day: '1969-12-31', tags: "[x, NULL, '']", flag: true, clock: '12:30:00' },
  });
  expect(Buffer.from((first as { raw: Uint8Array }).raw)).toEqual(Buffer.of(0, 1, 255));
  expect(second).toMatchObject({ id: null, at: 1n, text: null, tags: null, clock: null });
});

test('a time with an offset becomes a local one and the other way round, unless that is not clear (rule 1.2)', async () => {
  await push(columnsOf([{ ...row, at: '2026-03-10T08:00:00', local: '2026-03-10T12:00:00Z' }]), 'a');
  expect(await read('epoch_us("at") as "at", epoch_us(local) as local')).toEqual([
    { at: 1_773_144_000_000_000n, local: 1_773_129_600_000_000n },
  ]);
  for (const [column, value, text] of [
    ['at', '2026-11-01T01:30:00', /exists twice/],
    ['at', '2026-03-08T02:30:00', /does not exist/],
    ['local', '2026-11-01T01:30:00', /exists twice/],
    ['local', '2026-11-01T06:30:00Z', /exists twice/],
  ] as const) {
    await expect(push(columnsOf([{ ...row, [column]: value }]), 'b')).rejects.toThrow(text);
  }
});

test.each([
  ['id', 1.5, 'write a whole number'],
  ['id', 9_007_199_254_740_992, 'write a whole number'],
  ['small', 128, 'it does not fit'],
  ['large', -1, 'it does not fit'],
  ['price', '1.234', 'more than 2 digits'],
  ['score', 'x', 'write a number'],
  ['text', 5, 'write'],
  ['text', '\ud800', 'half a surrogate'],
  ['raw', '***', 'base64'],
  ['day', '2026-02-30', 'write a date'],
  ['tags', 'x', 'write an array'],
  ['flag', 'true', 'true or false'],
  ['at', '2026-13-01T00:00:00Z', 'no such time'],
  ['at', '10 March', 'write a time'],
  ['at', null, 'event timestamp'],
  ['clock', 'noon', 'Conversion Error'],
])('%s cannot be %j', async (column, value, text) => {
  const error: unknown = await push(columnsOf([row, { ...row, [column]: value }]), 'a').catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { source: 'things' } });
  expect(String(error)).toContain(text);
  if (column !== 'clock') expect(String(error)).toMatch(/row 1/);
  expect(await archive.files('things')).toEqual([]);
});

test('columns are those of the source, or are named', async () => {
  const { price: _, ...rest } = columnsOf([row]);
  await expect(push(rest, 'a')).rejects.toThrow('source "things" needs column "price", which the rows do not have');
  await expect(push({ ...columnsOf([row]), prise: [1] }, 'a')).rejects.toThrow('has no column "prise"; did you mean "price"?');
  await expect(push({ ...columnsOf([row]), flag: [true, false] }, 'a')).rejects.toThrow('"id" has 1, "flag" 2');
  const { made: __, ...unmade } = columnsOf([row]);
  await push(unmade, 'a');
  expect(await read('epoch_us(made) as made')).toEqual([{ made: 1_773_144_000_000_000n }]);
});

const numbered = (from: number, count = 1) => columnsOf(Array.from({ length: count }, (_, at) => ({ ...row, id: from + at })));

test('a push counts once per key, whoever tries how often, through merges and restarts', async () => {
  const tries = await Promise.all([push(numbered(1), 'a'), push(numbered(1), 'a'), push(numbered(2), 'b')]);
  expect(tries.sort()).toEqual([false, true, true]);
  await archive.close();
  archive = open(2);
  await archive.merge('things');
  expect((await archive.files('things')).length).toBe(1);
  expect(await push(numbered(1), 'a')).toBe(false);
  await push(numbered(3), 'c');
  await archive.merge('things');
  expect(await push(numbered(3), 'c')).toBe(false);
  expect(await push(numbered(2), 'b')).toBe(false);
  expect(await ids()).toEqual([1, 2, 3]);
});

test('at every step of a merge the folder holds each row once', async () => {
  for (let id = 0; id < 5; id++) await push(numbered(id), String(id));
  // Once nothing goes on in the background: a lock that is held would be held for ever in what is restored.
  await archive.close();
  const before = snapshot();
  archive = open(2);
  await archive.merge('things');
  await archive.close();
  const after = snapshot();
  const added = [...after.keys()]
    .filter((name) => !before.has(name))
    .sort((a, b) => Number(a === 'manifest.json') - Number(b === 'manifest.json'));
  expect(added.length).toBe(2);
  // Files appear one after another; the replaced ones go in any order, or stay.
  const steps = [before, new Map([...before, [added[0] as string, after.get(added[0] as string) as Buffer]])];
  steps.push(new Map([...(steps[1] as Map<string, Buffer>), ['manifest.json', after.get('manifest.json') as Buffer]]));
  steps.push(
    new Map([...(steps[2] as Map<string, Buffer>)].filter(([name]) => !name.startsWith([...before.keys()][0] as string))),
  );
  steps.push(new Map([...(steps[2] as Map<string, Buffer>)].filter(([name]) => !before.has(name))));
  for (const [at, step] of steps.entries()) {
    await archive.close();
    restore(step);
    archive = open();
    expect([at, await ids()]).toEqual([at, [0, 1, 2, 3, 4]]);
    expect([at, await push(numbered(4), '4')]).toEqual([at, false]);
    expect([at, await push(numbered(9), '9')]).toEqual([at, true]);
    expect([at, await ids()]).toEqual([at, [0, 1, 2, 3, 4, 9]]);
  }
});

test('files of other column types are not merged with them', async () => {
  await push(numbered(1), 'a');
  await push(numbered(2), 'b');
  const wider = {
    ...source,
    columns: source.columns.map((column) => (column.name === 'small' ? { ...column, type: 'INTEGER' } : column)),
  };
  for (const key of ['c', 'd']) await archive.stage(wider, numbered(3), 0n, (file) => archive.keep(wider, key, file));
  await archive.close();
  archive = open(2);
  await archive.merge('things');
  expect((await archive.files('things')).length).toBe(2);
  expect(await ids()).toEqual([1, 2, 3, 3]);
});

test('a process that pushes and merges is killed at random instants: no row is lost, and none is there twice', async () => {
  const numbers = { ...source, createdTimestamp: undefined, columns: source.columns.slice(0, 2) };
  const script = fileURLToPath(new URL('push-apart.mjs', import.meta.url));
  let next = 0;
  for (let kills = 0; kills < 8; kills++) {
    const args = [script, join(directory, 'archive'), String(next), JSON.stringify(numbers)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    const first = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await first;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    child.kill('SIGKILL');
    await ended;
    // The push that nobody has heard of is tried again under its key.
    next = Number(said.trimEnd().split('\n').at(-1)) + 1;
  }
  await pushNumber(numbers, next);
  const stagings = readdirSync(join(directory, 'archive')).filter((name) => name.startsWith('.staging-'));
  expect(stagings).toEqual([`.staging-${process.pid}`]);
  expect(next).toBeGreaterThanOrEqual(8);
  const expected = Array.from({ length: 2 * (next + 1) }, (_, at) => Math.floor(at / 2));
  expect(await ids()).toEqual(expected);
}, 60_000);

async function pushNumber(numbers: SourceDocument, id: number): Promise<void> {
  const rows = { id: [id, id], at: ['2026-03-10T12:00:00Z', '2026-03-10T12:00:00Z'] };
  await archive.stage(numbers, rows, 0n, (file) => archive.keep(numbers, String(id), file));
}

function snapshot(): Map<string, Buffer> {
  return new Map(readdirSync(folder()).map((name) => [name, readFileSync(join(folder(), name))]));
}

function restore(files: ReadonlyMap<string, Buffer>): void {
  rmSync(folder(), { recursive: true });
  mkdirSync(folder());
  for (const [name, bytes] of files) writeFileSync(join(folder(), name), bytes);
}

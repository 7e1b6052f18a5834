/** Events in the archive: exact, once, whole through merges, and without those who are erased. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/observe.ts';
import { type Archive, openArchive } from '../../../src/offline/archive/archive.ts';
import type { ErasedRows } from '../../../src/offline/archive/erased.ts';
import { keepReplaced } from '../../../src/offline/archive/manifest.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';
import { archiveEvents, type Click, clicks } from '../events/clicks.ts';

let directory: string;
let archive: Archive;
let erased: readonly ErasedRows[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'archived-events-'));
  erased = [];
  archive = openArchive({ directory, logger: silentLogger, mergeAt: 3, readErased: async () => erased });
});
afterEach(async () => {
  await archive.close();
  rmSync(directory, { recursive: true, force: true });
});

async function read(sql: string, files: readonly string[]): Promise<readonly unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run("set timezone = 'UTC'");
  const list = files.map((file) => `'${file}'`).join(', ');
  const reader = await connection.runAndReadAll(`select ${sql} from read_parquet([${list}])`);
  const rows = reader.getRowsJS();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

test('values of every type, offsets of 112 bits and what is null are kept exactly', async () => {
  const types = {
    ...{ b: 'bool', i: 'int32', l: 'int64', f: 'float32', d: 'float64', s: 'string', y: 'bytes', t: 'timestamp', day: 'date' },
    ...{ p: 'decimal(38,4)', q: 'decimal(9,2)', tags: 'list(string)', v: 'vector(float32,2)' },
  };
  const source: SourceDocument = {
    ...clicks,
    events: { columns: Object.entries(types).map(([name, type]) => ({ name, type })) },
  };
  const first = {
    ...{ b: true, i: -(2 ** 31), l: 2n ** 63n - 1n, f: 0.5, d: -0, s: 'a\u0000\u{1f600}', y: Uint8Array.of(0, 255), t: -1n },
    ...{ day: '1969-12-31', p: '-9999999999999999999999999999999999.9999', q: '12.50', tags: ['x', null, ''], v: [1.5, -2] },
  };
  const offsets = [0n, (1n << 64n) - 1n, 1n << 112n, (281474976710655n << 64n) | 5n];
  const columns = Object.fromEntries(Object.entries(first).map(([name, value]) => [name, [value, null, value, null]]));
  const staged = {
    columns: { ...columns, at: [0n, null, 1n, -1n] },
    offsets,
    late: [true, false, false, true],
    partition: "it's",
  };
  await archive.stageEvents(source, staged as never, async (file) => {
    const shown =
      'epoch_us("at"), b, i, l, f, signbit(d), hex(encode(s)), hex(y), epoch_us(t), day::varchar, p::varchar, q::varchar';
    const rest = 'tags::varchar, v::varchar, _partition, _offset::varchar, _late';
    const values = [
      ...[true, -(2 ** 31), 2n ** 63n - 1n, 0.5, true, '6100F09F9880', '00FF', -1n, '1969-12-31', first.p, '12.50'],
      ...["[x, NULL, '']", '[1.5, -2.0]'],
    ];
    const nulls = values.map(() => null);
    expect(await read(`${shown}, ${rest}`, [file])).toEqual([
      [0n, ...values, "it's", '0', true],
      [null, ...nulls, "it's", String(offsets[1]), false],
      [1n, ...values, "it's", String(offsets[2]), false],
      [-1n, ...nulls, "it's", String(offsets[3]), true],
    ]);
  });
});

const of = (id: number, user: bigint): Click => ({ atUs: BigInt(id), user, kind: null, n: null, x: null, id: BigInt(id) });

async function kept(): Promise<readonly unknown[][]> {
  return (await read('id, user_id, _partition, _offset::bigint, _late', await archive.files('clicks'))).toSorted(
    ([a], [b]) => Number(a) - Number(b),
  );
}

test('a batch counts once, before and after its file was merged; merging keeps where events came from', async () => {
  const rows = Array.from({ length: 3 * 5000 }, (_, id) => of(id, BigInt(id % 3)));
  const batch = (at: number) => rows.slice(5000 * at, 5000 * at + 5000);
  const push = (at: number) =>
    archiveEvents(
      archive,
      clicks,
      batch(at),
      batch(at).map(({ id }) => id as bigint),
      String(at % 2),
    );
  for (let at = 0; at < 3; at++) {
    expect(await push(at)).toBe(true);
    expect(await push(at)).toBe(false);
  }
  await archive.merge('clicks');
  expect(readdirSync(join(directory, 'clicks')).filter((name) => name.endsWith('.merged.parquet')).length).toBe(1);
  for (let at = 0; at < 3; at++) expect(await push(at)).toBe(false);
  expect(await kept()).toEqual(
    rows.map(({ id, user }, at) => [id, user, String(Math.floor(at / 5000) % 2), id, (at % 5000) % 3 === 0]),
  );
}, 30_000);

test('of replaced files the keys of pushes are known for a day, those of the newest batches of a stream for good', () => {
  const hourMs = 3_600_000;
  const nowMs = 1000 * hourMs;
  const named = (count: number, shape: string, ageMs: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`${shape}${ageMs}x${at}.${shape}.push.parquet`, nowMs - ageMs - at]),
    );
  const pushes = named(3, 'aa', 24 * hourMs);
  const recent = named(3000, 'events-aa', hourMs / 2);
  const earlier = named(3000, 'events-aa', 90 * hourMs);
  const kept = keepReplaced({ ...named(5, 'aa', 26 * hourMs), ...earlier, ...pushes, ...recent }, nowMs);
  const newest = Object.entries(earlier).slice(0, 1096);
  expect(kept).toEqual({ ...pushes, ...recent, ...Object.fromEntries(newest) });
  expect(keepReplaced(named(5000, 'events-aa', hourMs / 2), nowMs)).toEqual(named(5000, 'events-aa', hourMs / 2));
});

test('an erased entity is in no file of a stream, of those that were there and of those that come', async () => {
  const batch = (first: number) => [of(first, 1n), of(first + 1, 2n)];
  const push = (first: number) => archiveEvents(archive, clicks, batch(first), [BigInt(first), BigInt(first + 1)], '0');
  await push(0);
  await push(2);
  erased = [[{ column: 'user_id', value: { kind: 'integer', value: 1n } }]];
  expect((await archive.state(clicks)).erased).toBeDefined();
  expect(await archive.erase('clicks')).toEqual({ files: 2, rows: 2 });
  await push(4);
  expect(await push(0)).toBe(false);
  expect((await kept()).map(([id]) => id)).toEqual([1n, 3n, 5n]);
});

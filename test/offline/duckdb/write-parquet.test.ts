import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { duckdbField } from '../../../src/arrow/from-duckdb.ts';
import { readValues } from '../../../src/arrow/read-value.ts';
import { type ArrowType, type Field, field } from '../../../src/arrow/schema.ts';
import { sliceColumn } from '../../../src/arrow/slice.ts';
import { openEngine } from '../../../src/offline/duckdb/engine.ts';
import { readColumns } from '../../../src/offline/duckdb/read-columns.ts';
import { createParquetFile } from '../../../src/offline/duckdb/write-parquet.ts';
import { openFrameFile } from '../../../src/offline/frame/open-frame-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-parquet-'));
const options = { memory: '256MB', spillDirectory: join(scratch, 'spill') };
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const int = (bits: 8 | 16 | 32 | 64, signed: boolean): ArrowType => ({ id: 'int', bits, signed });
const float64 = field('item', { id: 'float', bits: 64 });

const columns: readonly [Field, readonly unknown[]][] = [
  [field('bool', { id: 'bool' }), [true, null, false]],
  [field('int8', int(8, true)), [-128, null, 127]],
  [field('int16', int(16, true)), [-32768, null, 32767]],
  [field('int32', int(32, true)), [-2147483648, null, 2147483647]],
  [field('int64', int(64, true)), [-(2n ** 63n), null, 2n ** 63n - 1n]],
  [field('uint8', int(8, false)), [0, null, 255]],
  [field('uint16', int(16, false)), [0, null, 65535]],
  [field('uint32', int(32, false)), [0, null, 4294967295]],
  [field('uint64', int(64, false)), [0n, null, 2n ** 64n - 1n]],
  [field('float32', { id: 'float', bits: 32 }), [0.5, null, Number.NaN]],
  [field('float64', { id: 'float', bits: 64 }), [0.1, null, Number.NEGATIVE_INFINITY]],
  [
    field('decimal', { id: 'decimal', bits: 128, precision: 38, scale: 2 }),
    ['-0.01', null, '123456789012345678901234567890123456.78'],
  ],
  [field('utf8', { id: 'utf8' }), ['', null, 'naïve 🙂 and longer than twelve bytes']],
  [field('binary', { id: 'binary' }), [new Uint8Array([]), null, new Uint8Array([0, 255])]],
  [field('date', { id: 'date', unit: 'day' }), [-1, null, 20000]],
  [field('time', { id: 'time', unit: 'us', bits: 64 }), [0n, null, 86_399_999_999n]],
  [field('instant', { id: 'timestamp', unit: 'us', timezone: 'UTC' }), [-1n, null, 1773144000000001n]],
  [field('local', { id: 'timestamp', unit: 'us' }), [-1n, null, 1n]],
  [field('nanoseconds', { id: 'timestamp', unit: 'ns' }), [-1n, null, 1n]],
  [field('list', { id: 'list' }, [float64]), [[], null, [1.5, null]]],
  [field('vector', { id: 'fixedSizeList', size: 2 }, [float64]), [[1, 2], null, [3, 4]]],
  [
    field('struct', { id: 'struct' }, [float64, field('name', { id: 'utf8' })]),
    [{ item: 1, name: 'x' }, null, { item: null, name: null }],
  ],
];

describe('createParquetFile', () => {
  it('keeps every value of every type', async () => {
    const path = join(scratch, 'all.parquet');
    const file = await createParquetFile(
      path,
      columns.map(([each]) => each),
      options,
    );
    await file.write(columns.map(([each, values]) => columnFromValues(each, values)));
    await file.write(columns.map(([each]) => columnFromValues(each, [])));
    await file.finish();
    const engine = await openEngine({ threads: 1, memory: '256MB', spillDirectory: options.spillDirectory, spillLimit: '1GB' });
    try {
      const sql = `select * from read_parquet('${path}')`;
      await engine.session(undefined, async (session) => {
        const fields = (await session.describe(sql)).map(({ name, type }) => duckdbField(name, type));
        expect(fields.map(({ name }) => name)).toEqual(columns.map(([each]) => each.name));
        for await (const read of readColumns(session, sql, fields, 10)) {
          for (const [index, [{ name }, values]] of columns.entries())
            expect(readValues(read[index] as never), name).toEqual(values);
        }
      });
    } finally {
      engine.close();
    }
  });

  it('lets readers have the types that Parquet does not know', async () => {
    const typed: readonly [Field, readonly unknown[]][] = [
      ...columns,
      [{ ...field('large', { id: 'largeUtf8' }), nullable: false }, ['a', 'b', 'c']],
      [field('view', { id: 'utf8View' }), ['a', null, 'longer than twelve bytes']],
      [field('bytes', { id: 'fixedSizeBinary', width: 2 }), [new Uint8Array([1, 2]), null, new Uint8Array([0, 255])]],
      [field('half', { id: 'float', bits: 16 }), [1.5, null, -0]],
      [field('wide', { id: 'decimal', bits: 256, precision: 20, scale: 1 }), ['0.1', null, '-123456789012345678.9']],
      [field('days', { id: 'date', unit: 'ms' }), [-86_400_000n, null, 0n]],
      [field('seconds', { id: 'time', unit: 's', bits: 32 }), [0, null, 86_399]],
      [field('duration', { id: 'duration', unit: 'ns' }), [-1n, null, 2n ** 62n]],
      [field('berlin', { id: 'timestamp', unit: 'ms', timezone: 'Europe/Berlin' }), [-1n, null, 1773144000001n]],
      [field('views', { id: 'largeList' }, [field('item', { id: 'duration', unit: 's' })]), [[1n], null, []]],
    ];
    const path = join(scratch, 'typed.parquet');
    const fields = typed.map(([each]) => each);
    const file = await createParquetFile(path, fields, options);
    await file.write(typed.map(([each, values]) => columnFromValues(each, values)));
    await file.finish();
    const engine = await openEngine({ threads: 1, memory: '256MB', spillDirectory: options.spillDirectory, spillLimit: '1GB' });
    try {
      const frame = await openFrameFile(engine, { file: path, name: 'typed.parquet', root: scratch });
      expect(frame.schema).toEqual({ fields, metadata: new Map() });
      for await (const { columns: read } of frame.batches(10, new AbortController().signal))
        for (const [index, [{ name }, values]] of typed.entries()) expect(readValues(read[index] as never), name).toEqual(values);
    } finally {
      engine.close();
    }
  });

  it.each([
    ['zeros of both signs alone', [0, -0]],
    ['zeros of both signs, NaN, nulls and others', [0, -0, Number.NaN, null, undefined]],
  ])('keeps %s, row by row, in columns that are cut out of larger ones', async (_, some) => {
    const path = join(scratch, 'zeros.parquet');
    const whole = Array.from({ length: 5000 }, (_, row) => {
      const value = some[row % some.length];
      return value === undefined ? row : value;
    });
    const floats = field('x', { id: 'float', bits: 64 });
    const file = await createParquetFile(path, [floats], options);
    await file.write([columnFromValues(floats, whole)]);
    await file.write([sliceColumn(columnFromValues(floats, whole), 8, 4008)]);
    await file.finish();
    const engine = await openEngine({ threads: 1, memory: '256MB', spillDirectory: options.spillDirectory, spillLimit: '1GB' });
    const read = await engine.session(undefined, async (session) => {
      const values: unknown[] = [];
      for await (const [column] of readColumns(session, `select x from read_parquet('${path}')`, [floats], 100_000))
        values.push(...readValues(column as never));
      return values;
    });
    engine.close();
    const expected = [...whole, ...whole.slice(8, 4008)];
    expect(read.length).toBe(expected.length);
    expect(read.findIndex((value, row) => !Object.is(value, expected[row]))).toBe(-1);
  });

  it('keeps the order of many rows', async () => {
    const path = join(scratch, 'many.parquet');
    const number = field('n', int(64, true));
    const file = await createParquetFile(path, [number], options);
    for (let start = 0; start < 20_000; start += 5000) {
      await file.write([
        columnFromValues(
          number,
          Array.from({ length: 5000 }, (_, row) => BigInt(start + row)),
        ),
      ]);
    }
    await file.finish();
    const engine = await openEngine({ threads: 1, memory: '256MB', spillDirectory: options.spillDirectory, spillLimit: '1GB' });
    const sql = `select count(*) as rows, count(*) filter (n = file_row_number) as placed from read_parquet('${path}', file_row_number = true)`;
    expect(await engine.session(undefined, (session) => session.rows(sql))).toEqual([{ rows: 20_000n, placed: 20_000n }]);
    engine.close();
  });

  it('keeps texts of any length, bits and places in dictionaries, also where they are cut out of larger columns', async () => {
    const path = join(scratch, 'texts.parquet');
    const long = 'naïve 🙂 and longer than twelve bytes';
    const texts = ['', null, 'twelve bytes', 'thirteen byte', 'é'.repeat(7), long, 'a\0b', long.repeat(3), 'x'];
    const pick = (row: number) => texts[(row * 7 + (row >> 5)) % texts.length] as string | null;
    const bits = (row: number) => [true, null, false, false][(row + (row >> 4)) % 4] as boolean | null;
    const labels = ['PRESENT', 'NULL_VALUE', 'longer than twelve bytes'];
    const dictionary = { id: 0n, indexBits: 8, indexSigned: false, ordered: false } as const;
    const fields = [
      field('text', { id: 'utf8' }),
      field('bytes', { id: 'binary' }),
      field('bit', { id: 'bool' }),
      { ...field('label', { id: 'utf8' }), dictionary },
    ];
    const rows = Array.from({ length: 5000 }, (_, row) => [
      pick(row),
      pick(row) === null ? null : new Uint8Array([255, ...Buffer.from((pick(row) as string).slice(0, 20))]),
      bits(row),
      row % 3,
    ]);
    const whole = fields.map((each, at) =>
      columnFromValues(
        each,
        rows.map((row) => row[at]),
      ),
    );
    const dictionaries = new Map([[0n, labels]]);
    const file = await createParquetFile(path, fields, { ...options, dictionaries, encodings: 'dense' });
    await file.write(whole);
    await file.write(whole.map((column) => sliceColumn(column, 9, 4001)));
    await file.finish();
    const engine = await openEngine({ threads: 1, memory: '256MB', spillDirectory: options.spillDirectory, spillLimit: '1GB' });
    const plain = fields.map((each) => field(each.name, each.type));
    const read = await engine.session(undefined, async (session) => {
      const values: unknown[][] = plain.map(() => []);
      for await (const columns of readColumns(session, `select * from read_parquet('${path}')`, plain, 100_000))
        for (const [at, column] of columns.entries()) values[at]?.push(...readValues(column));
      return values;
    });
    engine.close();
    const expected = [...rows, ...rows.slice(9, 4001)];
    for (const at of [0, 1, 2]) expect(read[at]).toEqual(expected.map((row) => row[at]));
    expect(read[3]).toEqual(expected.map((row) => labels[row[3] as number]));
  });

  it('reads text that is none as readers of text do, and never across a value', async () => {
    const path = join(scratch, 'broken.parquet');
    const text = field('x', { id: 'utf8' });
    const bytes = [
      Buffer.from('long enough to stand elsewhere'),
      Buffer.from([0xff, 0x61]),
      Buffer.from('é').subarray(0, 1),
      Buffer.from('é').subarray(1),
    ];
    const offsets = new Int32Array(bytes.length + 1);
    for (const [row, each] of bytes.entries()) offsets[row + 1] = (offsets[row] as number) + each.length;
    const write = async (rows: readonly number[], name: string) => {
      const column = {
        field: text,
        length: 4,
        nullCount: 0,
        buffers: [new Uint8Array(offsets.buffer), new Uint8Array(Buffer.concat(bytes))],
        children: [],
      };
      const file = await createParquetFile(name, [text], options);
      await file.write([sliceColumn(column, rows[0] as number, rows[1] as number)]);
      await file.finish();
      const engine = await openEngine({ threads: 1, memory: '256MB', spillDirectory: options.spillDirectory, spillLimit: '1GB' });
      const read = await engine.session(undefined, (session) => session.rows(`select x from read_parquet('${name}')`));
      engine.close();
      return read.map(({ x }) => x);
    };
    expect(await write([0, 4], path)).toEqual([String(bytes[0]), '\ufffda', '\ufffd', '\ufffd']);
    expect(await write([2, 4], path)).toEqual(['\ufffd', '\ufffd']);
  });

  it.each<[string, Field]>([
    ['an instant in nanoseconds', field('x', { id: 'timestamp', unit: 'ns', timezone: 'UTC' })],
    ['an interval', field('x', { id: 'interval', unit: 'monthDayNano' })],
    ['a list of them', field('x', { id: 'list' }, [field('item', { id: 'interval', unit: 'monthDayNano' })])],
    ['a dictionary', { ...field('x', { id: 'utf8' }), dictionary: { id: 0n, indexBits: 32, indexSigned: true, ordered: false } }],
  ])('refuses %s and says what to write instead', async (_, refused) => {
    await expect(createParquetFile(join(scratch, 'no.parquet'), [refused], options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('.arrow'),
    });
  });
});

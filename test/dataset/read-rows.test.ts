/** Rows written in blocks and read in the order of an epoch, against arrays that are reordered by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import type { Column } from '../../src/arrow/column.ts';
import { readValues } from '../../src/arrow/read-value.ts';
import { type ArrowType, type Field, field, type Schema } from '../../src/arrow/schema.ts';
import { sliceColumn } from '../../src/arrow/slice.ts';
import { createBlockWriter, openBlocks } from '../../src/dataset/blocks.ts';
import type { DenseType } from '../../src/dataset/dense.ts';
import { planLayout } from '../../src/dataset/layout.ts';
import { createOrder, type OrderOptions } from '../../src/dataset/order.ts';
import { type PositionedBatch, readRows } from '../../src/dataset/read-rows.ts';
import { takeable, valuesOf } from '../arrow/arbitrary-columns.ts';

const directory = mkdtempSync(join(tmpdir(), 'rows-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const { signal } = new AbortController();

/** Writes columns in batches of the lengths given, and opens what was written. */
async function writeBlocks(columns: readonly Column[], blockRows: number, lengths: readonly number[]) {
  const path = join(directory, 'rows.arrow');
  const schema: Schema = { fields: columns.map((column) => column.field), metadata: new Map() };
  const writer = await createBlockWriter(path, schema, blockRows);
  const rows = columns[0]?.length ?? 0;
  for (let at = 0, turn = 0; at < rows; turn++) {
    const end = Math.min(rows, at + (lengths[turn % lengths.length] ?? rows));
    await writer.write({ length: end - at, columns: columns.map((column) => sliceColumn(column, at, end)) });
    at = end;
  }
  await writer.finish();
  return await openBlocks(path, schema);
}

function rowsInOrder(options: OrderOptions): number[] {
  const order = createOrder(options);
  return Array.from({ length: options.rows }, (_, position) => {
    const { start, blocks, which, row } = order.windowAt(position);
    const at = position - start;
    return (blocks[which[at] as number] as number) * options.blockRows + (row[at] as number);
  });
}

async function collect(batches: AsyncIterable<PositionedBatch>): Promise<PositionedBatch[]> {
  const all: PositionedBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

const asked = fc.record({
  blockRows: fc.integer({ min: 1, max: 12 }),
  lengths: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
  shuffle: fc.option(fc.record({ seed: fc.nat(), epoch: fc.nat(3), windowBlocks: fc.integer({ min: 1, max: 6 }) }), {
    nil: undefined,
  }),
  batchRows: fc.integer({ min: 1, max: 20 }),
  gap: fc.nat(30),
  start: fc.nat(30),
  end: fc.nat(40),
});

describe('rows in blocks', () => {
  test('come in the order of the epoch, whatever their types and wherever batches begin and end', async () => {
    const drawn = fc.tuple(takeable(1), fc.integer({ min: 0, max: 40 })).chain(([column, rows]) =>
      fc.tuple(
        fc.constant(column.field),
        valuesOf(column, 40).map((values) => repeatTo(values, rows)),
        asked,
      ),
    );
    await fc.assert(
      fc.asyncProperty(drawn, async ([drawnField, values, { blockRows, lengths, shuffle, batchRows, gap, start, end }]) => {
        const rows = values.length;
        const numbers = columnFromValues(field('n', { id: 'int', bits: 32, signed: true }), [...values.keys()]);
        const file = await writeBlocks([columnFromValues({ ...drawnField, name: 'x' }, values), numbers], blockRows, lengths);
        try {
          expect(file.batches).toBe(Math.ceil(rows / blockRows));
          const dense = { name: 'm', columns: ['n', 'n'], type: 'int32', fill: undefined, mask: true } as const;
          const layout = planLayout(file.schema, { columns: ['x'], dense: [dense] }, new Map());
          const load = async (block: number) => {
            const { columns, length } = await file.read(block);
            return layout.lay(columns, length);
          };
          const options = { id: 'a', split: 'all', rows, blockRows, shuffle };
          const range = { start: Math.min(start, rows), end: Math.min(end, rows), step: batchRows + gap, batchRows };
          const found = await collect(readRows(createOrder(options), layout, load, range, signal));
          const order = rowsInOrder(options);
          const starts: number[] = [];
          for (let at = range.start; at < range.end; at += range.step) starts.push(at);
          expect(found.map(({ position }) => position)).toEqual(starts);
          for (const { position, batch } of found) {
            const expected = order.slice(position, Math.min(position + batchRows, range.end));
            expect(batch.length).toBe(expected.length);
            const [x, m, mask] = batch.columns as [Column, Column, Column];
            expect(readValues(x)).toEqual(expected.map((row) => values[row]));
            expect(readValues(m)).toEqual(expected.map((row) => [row, row]));
            expect(readValues(mask)).toEqual(expected.map(() => [1, 1]));
          }
        } finally {
          await file.close();
        }
      }),
      { numRuns: 150 },
    );
  });

  test('are refused by name where a file is cut short, changed, or without its checksums', async () => {
    const values = columnFromValues(field('n', { id: 'int', bits: 32, signed: true }), [77_777, 2, 88_888]);
    const file = await writeBlocks([values], 2, [3]);
    await file.close();
    const path = join(directory, 'rows.arrow');
    const whole = await readFile(path);
    const open = () => openBlocks(path, schemaOf([values]));
    await writeFile(path, whole.subarray(0, -3));
    await expect(open()).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining('rows.arrow is cut short'),
    });
    const changed = Buffer.from(whole);
    changed.writeInt32LE(88_889, changed.indexOf(Buffer.from(Int32Array.of(88_888).buffer)));
    await writeFile(path, changed);
    const damaged = await open();
    await damaged.read(0);
    await expect(damaged.read(1)).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: `${path} was changed or damaged in block 1`,
    });
    await damaged.close();
    await rm(`${path}.crc32`);
    await expect(open()).rejects.toThrow(/has lost its checksums/);
  });

  test('are refused, or read as they were, whichever byte of the file is another', async () => {
    const values = columnFromValues(field('n', { id: 'int', bits: 32, signed: true }), [77_777, null, 88_888]);
    const text = columnFromValues(field('t', { id: 'utf8' }), ['a', 'bc', null]);
    await (await writeBlocks([values, text], 2, [3])).close();
    const path = join(directory, 'rows.arrow');
    const whole = await readFile(path);
    const read = async () => {
      const file = await openBlocks(path, schemaOf([values, text]));
      try {
        const blocks = [await file.read(0), await file.read(1)];
        return blocks.map(({ columns }) => columns.map(readValues));
      } finally {
        await file.close();
      }
    };
    const expected = await read();
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [1, 0x80]) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] as number) ^ flip;
        await writeFile(path, changed);
        const found = await read().catch((error: { code: unknown }) => error.code);
        if (found === 'DATA_LOSS') refused++;
        else expect({ at, flip, found }).toEqual({ at, flip, found: expected });
      }
    }
    expect(refused).toBeGreaterThan(whole.length);
  });
});

function repeatTo<T>(values: readonly T[], rows: number): T[] {
  return values.length === 0 ? [] : Array.from({ length: rows }, (_, row) => values[row % values.length] as T);
}

describe('a matrix', () => {
  const numbers: readonly (readonly [ArrowType, readonly unknown[]])[] = [
    [{ id: 'bool' }, [true, false]],
    [{ id: 'int', bits: 8, signed: true }, [-128, 127, 0]],
    [{ id: 'int', bits: 16, signed: false }, [0, 65535]],
    [{ id: 'int', bits: 32, signed: false }, [0, 4294967295, 7]],
    [{ id: 'int', bits: 64, signed: true }, [0n, -5n, 2n ** 53n - 1n, -(2n ** 53n) + 1n]],
    [{ id: 'int', bits: 64, signed: false }, [0n, 2n ** 53n - 1n]],
    [{ id: 'float', bits: 16 }, [1.5, Number.NaN, -0]],
    [{ id: 'float', bits: 32 }, [0.5, Number.POSITIVE_INFINITY]],
    [{ id: 'float', bits: 64 }, [0.1, 1e300]],
    [{ id: 'decimal', bits: 128, precision: 10, scale: 2 }, ['1.25', '-99999999.99']],
  ];

  test('holds the numbers of its columns side by side, with what fills nulls and says where', () => {
    const column = fc.constantFrom(...numbers).chain(([type, pool]) =>
      fc.record({
        type: fc.constant(type),
        values: fc.array(fc.option(fc.constantFrom(...pool)), { minLength: 5, maxLength: 5 }),
      }),
    );
    const fills = fc.constantFrom(undefined, 0, -1.5);
    fc.assert(
      fc.property(fc.array(column, { minLength: 1, maxLength: 4 }), fills, (drawn, fill) => {
        const columns = drawn.map(({ type, values }, at) => columnFromValues(field(`c${at}`, type), values));
        const layout = planLayout(schemaOf(columns), matrixOf(columns, 'float64', fill), new Map());
        const [{ values, mask } = {}] = layout.lay(columns, 5).matrices;
        const expected = [0, 1, 2, 3, 4].flatMap((row) => drawn.map((one) => one.values[row]));
        expect([...(values as Float64Array)]).toEqual(
          expected.map((value) => (value === null ? (fill ?? Number.NaN) : Number(value))),
        );
        expect([...(mask as Uint8Array)]).toEqual(expected.map((value) => (value === null ? 0 : 1)));
      }),
    );
  });

  test('holds vectors as so many places, and text as ids of its vocabulary', () => {
    const vector = field('v', { id: 'fixedSizeList', size: 2 }, [field('item', { id: 'float', bits: 32 })]);
    const columns = [
      columnFromValues(vector, [[1, 2], null, [5, 6]]),
      columnFromValues(field('s', { id: 'utf8' }), ['b', null, 'x']),
    ];
    const vocabularies = new Map([
      [
        's',
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ],
    ]);
    const layout = planLayout(schemaOf(columns), matrixOf(columns, 'float32', undefined), vocabularies);
    const [{ values, mask } = {}] = layout.lay(columns, 3).matrices;
    expect([...(values as Float32Array)]).toEqual([1, 2, 2, Number.NaN, Number.NaN, 0, 5, 6, 0]);
    expect([...(mask as Uint8Array)]).toEqual([1, 1, 1, 0, 0, 0, 1, 1, 1]);
  });

  test('takes text however it is laid out', () => {
    const vocabularies = new Map([['s', new Map([['a longer text than fits in a view', 3]])]]);
    for (const id of ['utf8', 'largeUtf8', 'utf8View'] as const) {
      const columns = [columnFromValues(field('s', { id }), ['a longer text than fits in a view', null, 'b'])];
      const layout = planLayout(schemaOf(columns), matrixOf(columns, 'int64', undefined), vocabularies);
      const [{ values } = {}] = layout.lay(columns, 3).matrices;
      expect([...(values as BigInt64Array)]).toEqual([3n, 0n, 0n]);
    }
  });

  const int32: ArrowType = { id: 'int', bits: 32, signed: true };
  const int64: ArrowType = { id: 'int', bits: 64, signed: true };
  const instant: ArrowType = { id: 'timestamp', unit: 'us', timezone: 'UTC' };
  const pair: ArrowType = { id: 'fixedSizeList', size: 2 };
  const floats = [field('item', { id: 'float', bits: 32 })];
  const beyond = 2n ** 63n;
  const refusals: readonly Refusal[] = [
    {
      what: 'a null among integers',
      type: int32,
      values: [1, null],
      to: 'int32',
      message: /"c" \(int32\) has nulls.*give `fill`/,
    },
    { what: 'more than 32 bits', type: int64, values: [2n ** 40n], to: 'int32', message: /holds 1099511627776, .*outside int32/ },
    {
      what: 'more than int64',
      type: { ...int64, signed: false },
      values: [beyond],
      to: 'int64',
      message: /holds 9223372036854775808/,
    },
    { what: 'an integer that is rounded', type: int32, values: [16777217], to: 'float32', message: /holds 16777217, .*float64/ },
    { what: 'a float among integers', type: { id: 'float', bits: 64 }, values: [1], to: 'int64', message: /is no integer/ },
    { what: 'text without a vocabulary', type: { id: 'utf8' }, values: ['a'], to: 'float32', message: /without a vocabulary/ },
    { what: 'an instant', type: instant, values: [1n], to: 'float32', message: /"c" \(timestamp\[us, UTC\]\) cannot become/ },
    { what: 'a list', type: { id: 'list' }, values: [[1]], to: 'float32', message: /cannot become/, children: floats },
    {
      what: 'a null in a vector',
      type: pair,
      values: [[1, null]],
      to: 'float32',
      message: /lists with nulls in them/,
      children: floats,
    },
  ];
  test.each(refusals)('refuses $what by name', ({ type, values, to, message, children = [] }) => {
    const columns = [columnFromValues(field('c', type, children), values)];
    const lay = () => planLayout(schemaOf(columns), matrixOf(columns, to, undefined), new Map()).lay(columns, values.length);
    expect(lay).toThrow(message);
  });

  test('fills what is null whatever stands in its place', () => {
    const garbage = columnFromValues(field('c', { id: 'int', bits: 64, signed: true }), [2n ** 60n, 3n]);
    const column = { ...garbage, nullCount: 1, validity: Uint8Array.of(2) };
    const layout = planLayout(schemaOf([column]), matrixOf([column], 'int32', 9), new Map());
    const [{ values } = {}] = layout.lay([column], 2).matrices;
    expect([...(values as Int32Array)]).toEqual([9, 3]);
  });

  test('names the column that is not there, or twice there', () => {
    const columns = [columnFromValues(field('c', { id: 'bool' }), [true])];
    const plan = (names: string[]) => planLayout(schemaOf(columns), { columns: names, dense: [] }, new Map());
    expect(() => plan(['d'])).toThrow(/no column "d"; it has c/);
    expect(() => plan(['c', 'c'])).toThrow(/two columns would be named "c"/);
  });
});

interface Refusal {
  readonly what: string;
  readonly type: ArrowType;
  readonly values: readonly unknown[];
  readonly to: DenseType;
  readonly message: RegExp;
  readonly children?: readonly Field[];
}

function schemaOf(columns: readonly Column[]): Schema {
  return { fields: columns.map((column) => column.field), metadata: new Map() };
}

function matrixOf(columns: readonly Column[], type: DenseType, fill: number | undefined) {
  return { columns: [], dense: [{ name: 'm', columns: columns.map((column) => column.field.name), type, fill, mask: true }] };
}

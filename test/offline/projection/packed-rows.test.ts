import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { readValues } from '../../../src/arrow/read-value.ts';
import { type ArrowType, field } from '../../../src/arrow/schema.ts';
import { sliceColumn } from '../../../src/arrow/slice.ts';
import { choosePacked, packRows, takePacked } from '../../../src/offline/projection/packed-rows.ts';

const kinds: { type: ArrowType; value: fc.Arbitrary<unknown> }[] = [
  { type: { id: 'int', bits: 32, signed: true }, value: fc.integer() },
  { type: { id: 'float', bits: 32 }, value: fc.float({ noNaN: true }) },
  { type: { id: 'date', unit: 'day' }, value: fc.integer({ min: -100_000, max: 100_000 }) },
  { type: { id: 'int', bits: 64, signed: true }, value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { type: { id: 'float', bits: 64 }, value: fc.double({ noNaN: true }) },
  { type: { id: 'timestamp', unit: 'us', timezone: 'UTC' }, value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
];

const table = fc.integer({ min: 0, max: 1300 }).chain((length) =>
  fc.record({
    length: fc.constant(length),
    columns: fc.array(
      fc.integer({ min: 0, max: kinds.length - 1 }).chain((kind) => {
        const { type, value } = kinds[kind] as (typeof kinds)[number];
        const cell = fc.boolean().chain((nullable) => (nullable ? fc.option(value) : value));
        return fc.record({ type: fc.constant(type), values: fc.array(cell, { minLength: length, maxLength: length }) });
      }),
      { minLength: 1, maxLength: 6 },
    ),
    rows: fc.array(fc.integer({ min: -1, max: length - 1 }), { maxLength: 1500 }),
    cuts: fc.array(fc.integer({ min: 0, max: length }), { maxLength: 3 }),
  }),
);

describe('packed rows', () => {
  it('give back the values of any rows of any columns, in however many parts these come', () => {
    fc.assert(
      fc.property(table, fc.infiniteStream(fc.nat()), ({ columns, rows, cuts }, picks) => {
        const made = columns.map(({ type, values }, index) => columnFromValues(field(`c${index}`, type), values));
        const edges = [0, ...cuts.toSorted((a, b) => a - b), made[0]?.length ?? 0];
        const parts = made.map((column) => edges.slice(1).map((end, at) => sliceColumn(column, edges[at] as number, end)));
        expect(choosePacked(parts)).toEqual([...made.keys()]);
        const wanted = made.map(() => (picks.next().value as number) % made.length);
        const taken = takePacked(packRows(parts), wanted, Int32Array.from(rows));
        for (const [index, at] of wanted.entries()) {
          const all = readValues(made[at] as (typeof made)[number]);
          const column = taken[index] as (typeof taken)[number];
          expect(column.field).toBe(made[at]?.field);
          expect(readValues(column)).toEqual(rows.map((row) => (row < 0 ? null : all[row])));
          expect(column.nullCount).toBe(rows.filter((row) => row < 0 || all[row] === null).length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leave out what has another width, and columns with nulls beyond the bits of a word', () => {
    const text = columnFromValues(field('t', { id: 'utf8' }), ['a']);
    const flag = columnFromValues(field('b', { id: 'bool' }), [true]);
    const whole = columnFromValues(field('w', { id: 'int', bits: 32, signed: true }), [1]);
    const nullable = columnFromValues(field('n', { id: 'int', bits: 32, signed: true }), [null]);
    expect(choosePacked([[text], [flag], [whole]])).toEqual([2]);
    expect(choosePacked([...Array<(typeof nullable)[]>(34).fill([nullable]), [whole]])).toEqual([...Array(32).keys(), 34]);
  });
});

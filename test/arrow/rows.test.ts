/** Slices, picks, joins and round trips against what readValue says of the rows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import type { Column } from '../../src/arrow/column.ts';
import { concatColumns } from '../../src/arrow/concat.ts';
import { interleaveColumns } from '../../src/arrow/interleave.ts';
import { readValues } from '../../src/arrow/read-value.ts';
import { decodeRecordBatch, encodeRecordBatch, type RecordBatch } from '../../src/arrow/record-batch.ts';
import { field } from '../../src/arrow/schema.ts';
import { sliceColumn } from '../../src/arrow/slice.ts';
import { takeColumn } from '../../src/arrow/take.ts';
import { anyType, columnOf, takeable, valuesOf } from './arbitrary-columns.ts';

const runs = { numRuns: 400 };
const withNulls = (column: Column) => column.nullCount === readValues(column).filter((value) => value === null).length;

test('values read back as they were put in', () => {
  const drawn = anyType(2).chain((of) => fc.tuple(fc.constant(of), valuesOf(of)));
  fc.assert(
    fc.property(drawn, ([of, values]) => {
      const column = columnFromValues(of.field, values);
      expect(readValues(column)).toEqual(values);
    }),
    runs,
  );
});

test('a slice holds its rows, its null count is right, and it encodes by itself', () => {
  const drawn = anyType(2).chain((of) => fc.tuple(columnOf(of), fc.nat(40), fc.nat(40)));
  fc.assert(
    fc.property(drawn, ([column, a, b]) => {
      const [start, end] = [Math.min(a, b, column.length), Math.min(Math.max(a, b), column.length)];
      const slice = sliceColumn(column, start, end);
      const expected = readValues(column).slice(start, end);
      expect(readValues(slice)).toEqual(expected);
      if (column.field.type.id !== 'runEndEncoded' && column.field.type.id !== 'union') expect(withNulls(slice)).toBe(true);
      expect(readValues(roundTrip(slice))).toEqual(expected);
      const twice = sliceColumn(slice, Math.min(1, slice.length), slice.length);
      expect(readValues(twice)).toEqual(expected.slice(1));
    }),
    runs,
  );
});

test('taken rows are the rows asked for, a negative index is null', () => {
  const drawn = takeable(2).chain((of) =>
    fc.tuple(columnOf(of), fc.array(fc.integer({ min: -1, max: 39 }), { maxLength: 60 }), fc.nat(5)),
  );
  fc.assert(
    fc.property(drawn, ([whole, picks, cut]) => {
      const column = sliceColumn(whole, Math.min(cut, whole.length), whole.length);
      const values = readValues(column);
      const indices = Int32Array.from(picks.filter((pick) => pick < column.length));
      const taken = takeColumn(column, indices);
      expect(readValues(taken)).toEqual(Array.from(indices, (index) => (index < 0 ? null : values[index])));
      expect(withNulls(taken)).toBe(true);
      expect(readValues(roundTrip(taken))).toEqual(readValues(taken));
    }),
    runs,
  );
});

test('joined columns hold all rows in order', () => {
  const drawn = anyType(2).chain((of) => fc.array(fc.tuple(columnOf(of, 20), fc.nat(5)), { minLength: 1, maxLength: 4 }));
  fc.assert(
    fc.property(drawn, (parts) => {
      const columns = parts.map(([column, cut]) => sliceColumn(column, Math.min(cut, column.length), column.length));
      const joined = concatColumns(columns);
      expect(readValues(joined)).toEqual(columns.flatMap(readValues));
      expect(readValues(roundTrip(joined))).toEqual(columns.flatMap(readValues));
    }),
    runs,
  );
});

test('interleaved columns hold the rows asked for', () => {
  const pick = fc.tuple(fc.nat(3), fc.integer({ min: -1, max: 19 }));
  const drawn = takeable(2).chain((of) =>
    fc.tuple(fc.array(columnOf(of, 20), { minLength: 1, maxLength: 4 }), fc.array(pick, { maxLength: 50 })),
  );
  fc.assert(
    fc.property(drawn, ([columns, drawnPicks]) => {
      const picks = drawnPicks.filter(([source, row]) => source < columns.length && row < (columns[source] as Column).length);
      const values = columns.map(readValues);
      const result = interleaveColumns(
        columns,
        Uint8Array.from(picks, ([source]) => source),
        Int32Array.from(picks, ([, row]) => row),
      );
      expect(readValues(result)).toEqual(picks.map(([source, row]) => (row < 0 ? null : values[source]?.[row])));
      expect(withNulls(result)).toBe(true);
    }),
    runs,
  );
});

describe('bits are kept', () => {
  test('every NaN payload and -0 survive a take', () => {
    const bits = BigInt64Array.of(-1n, 0x7ff0000000000001n, -(2n ** 63n), 0x7ff8000000abcdefn);
    const column: Column = {
      field: field('x', { id: 'float', bits: 64 }),
      length: 4,
      nullCount: 0,
      buffers: [new Uint8Array(bits.buffer)],
      children: [],
    };
    const taken = takeColumn(column, Int32Array.of(3, 2, 1, 0)).buffers[0] as Uint8Array;
    expect(new BigInt64Array(taken.buffer)).toEqual(BigInt64Array.from(bits).reverse());
  });

  test('a slice at a byte edge shares its bytes', () => {
    const column = columnFromValues(
      field('x', { id: 'int', bits: 32, signed: true }),
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(sliceColumn(column, 8, 50).buffers[0]?.buffer).toBe(column.buffers[0]?.buffer);
  });

  test('a slice of views leaves the data of other rows behind', () => {
    const column = columnFromValues(
      field('x', { id: 'utf8View' }),
      Array.from({ length: 1000 }, (_, i) => `a text of some length ${i}`),
    );
    const slice = sliceColumn(column, 500, 501);
    expect(slice.buffers[1]?.byteLength).toBe('a text of some length 500'.length);
  });
});

test('an index beyond the column is an error, not a wrong row', () => {
  const column = columnFromValues(field('x', { id: 'utf8' }), ['a', 'b']);
  expect(() => takeColumn(column, Int32Array.of(2))).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  expect(() => interleaveColumns([column], Uint8Array.of(0), Int32Array.of(2))).toThrow(
    expect.objectContaining({ code: 'INTERNAL' }),
  );
  expect(() => interleaveColumns([column], Uint8Array.of(1), Int32Array.of(0))).toThrow(
    expect.objectContaining({ code: 'INTERNAL' }),
  );
});

function roundTrip(column: Column): Column {
  const batch: RecordBatch = {
    schema: { fields: [column.field], metadata: new Map() },
    length: column.length,
    columns: [column],
  };
  const { header, body, bodyLength } = encodeRecordBatch(batch);
  const bytes = new Uint8Array(Buffer.concat(body));
  expect(bytes.byteLength).toBe(bodyLength);
  return decodeRecordBatch(batch.schema, header, bytes).columns[0] as Column;
}

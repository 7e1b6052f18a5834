/** Columns that are built from answers are those that columnFromValues makes of the same values. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readValues } from '../../../src/arrow/read-value.ts';
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import { parseValueType } from '../../../src/definitions/value-type.ts';
import { featureField } from '../../../src/offline/feature-field.ts';
import { valueColumn } from '../../../src/offline/value-column.ts';
import { createColumnBuilder } from '../../../src/validate/log/build-column.ts';
import { createBigintsBuilder, createFlagsBuilder } from '../../../src/validate/log/fixed-builders.ts';

const valuesOf: Readonly<Record<string, fc.Arbitrary<LiteralValue>>> = {
  bool: fc.boolean(),
  int32: fc.integer(),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float32: fc.float(),
  float64: fc.double(),
  timestamp: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  string: fc.oneof(fc.string({ unit: 'binary', maxLength: 100 }), fc.string({ maxLength: 20 })),
  date: fc.constantFrom('2026-03-10', '0001-01-01'),
  'decimal(10,2)': fc.constantFrom('1.50', '-0.01'),
  'list(int64)': fc.array(fc.option(fc.bigInt({ min: 0n, max: 9n }))),
};

it.each(Object.keys(valuesOf))('builds columns of %s out of any rows, again and again (property)', (type) => {
  const value = fc.option(valuesOf[type] as fc.Arbitrary<LiteralValue>, { freq: 8 });
  const part = fc.record({
    values: fc.array(value, { minLength: 1, maxLength: 150 }),
    picks: fc.option(fc.array(fc.nat(149), { minLength: 1, maxLength: 150 })),
    repeated: fc.option(value, { nil: undefined, freq: 3 }),
    cut: fc.nat(150),
  });
  fc.assert(
    fc.property(fc.array(fc.array(part, { maxLength: 5 }), { maxLength: 4 }), (columns) => {
      const field = featureField('x', parseValueType(type));
      const builder = createColumnBuilder(field, type);
      for (const parts of columns) {
        const expected: LiteralValue[] = [];
        for (const { values, picks, repeated, cut } of parts) {
          const picked = picks?.map((pick) => pick % values.length);
          const rows = picked === undefined ? values : picked.map((row) => values[row] as LiteralValue);
          const from = cut % rows.length;
          if (repeated !== undefined) {
            builder.repeat(repeated, rows.length);
            expected.push(...rows.map(() => repeated));
          }
          builder.add(values, { picked, from, to: rows.length });
          expected.push(...rows.slice(from));
        }
        const column = builder.take();
        const same = valueColumn('x', parseValueType(type), expected);
        expect([column.field, column.length, column.nullCount]).toEqual([field, same.length, same.nullCount]);
        expect(readValues(column)).toEqual(readValues(same));
      }
    }),
    { numRuns: 60 },
  );
});

it('gives the last rows unless one of them is null, and takes them again', () => {
  const builder = createBigintsBuilder(featureField('x', { kind: 'timestamp' }));
  builder.add([1n, null, 3n, 4n], { picked: undefined, from: 0, to: 4 });
  expect(builder.last(3)).toBeUndefined();
  builder.addAll(builder.last(2) as BigInt64Array);
  expect(readValues(builder.take())).toEqual([1n, null, 3n, 4n, 3n, 4n]);
  builder.repeat(5n, 2);
  expect([...(builder.last(2) as BigInt64Array)]).toEqual([5n, 5n]);
});

it('makes bits of flags', () => {
  const builder = createFlagsBuilder(featureField('x', { kind: 'bool' }));
  builder.add(Uint8Array.of(1, 0, 1), { picked: [2, 1], from: 0, to: 2 });
  builder.add(Uint8Array.of(1, 0, 0, 1), { picked: undefined, from: 1, to: 4 });
  expect(readValues(builder.take())).toEqual([true, false, false, false, true]);
});

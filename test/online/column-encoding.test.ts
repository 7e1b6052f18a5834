/** Keys and rows that are encoded out of columns have the very bytes of those encoded value by value. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import type { KeyType } from '../../src/definitions/value-type.ts';
import { literalColumn } from '../../src/offline/literal-column.ts';
import { createSink, takeSink } from '../../src/online/encoding/bytes.ts';
import { compileKeyWriter, type KeyColumn } from '../../src/online/encoding/key-columns.ts';
import { encodeEntityKey } from '../../src/online/encoding/keys.ts';
import type { OnlineRow } from '../../src/online/encoding/row.ts';
import { compileRowEncoder } from '../../src/online/encoding/row-codec.ts';
import { compileRowWriter } from '../../src/online/encoding/row-columns.ts';
import { startUs, typedValues } from './draw-online.ts';

const instant = fc.oneof(
  fc.constantFrom(
    0n,
    -1n,
    startUs,
    -(2n ** 63n),
    2n ** 63n - 1n,
    2n ** 52n,
    -(2n ** 52n),
    2n ** 53n - 993n,
    2n ** 53n - 992n,
    1_251_000n * 3_600_000_000n + 1n,
  ),
  fc
    .tuple(
      fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
      fc.constantFrom(1n, 1000n, 3_600_000_000n),
    )
    .map(([us, unit]) => (us / unit) * unit),
);
const drawRows = fc
  .tuple(fc.boolean(), fc.boolean(), fc.subarray([...typedValues.keys()], { minLength: 1 }))
  .chain(([hasCreated, hasAvailable, chosen]) => {
    const types = chosen.map((at) => (typedValues[at] as (typeof typedValues)[number]).type);
    const domains = chosen.map((at) => (typedValues[at] as (typeof typedValues)[number]).values);
    const row = fc.record({
      eventUs: instant,
      createdUs: hasCreated ? fc.option(instant) : fc.constant(null),
      availableUs: hasAvailable ? instant : fc.constant(null),
      pushed: fc.constant(false),
      values: fc
        .boolean()
        .chain((isWhole) => fc.tuple(...domains.map((domain) => fc.constantFrom(...(isWhole ? domain.slice(1) : domain))))),
    });
    return fc.record({
      hasCreated: fc.constant(hasCreated),
      hasAvailable: fc.constant(hasAvailable),
      types: fc.constant(types),
      rows: fc.array(row, { minLength: 1, maxLength: 8 }),
    });
  });

test('rows, of every type, long and short, with nulls and without', () => {
  fc.assert(
    fc.property(drawRows, fc.nat(0xffff_ffff), ({ hasCreated, hasAvailable, types, rows }, schemaId) => {
      const write = compileRowWriter(schemaId, types, {
        event: wordsOf(rows.map(({ eventUs }) => eventUs)),
        ...(hasCreated
          ? {
              created: wordsOf(rows.map(({ createdUs }) => createdUs ?? 5n)),
              createdNulls: Uint8Array.from(rows, ({ createdUs }) => Number(createdUs === null)),
            }
          : {}),
        ...(hasAvailable ? { available: wordsOf(rows.map(({ availableUs }) => availableUs as bigint)) } : {}),
        values: types.map((type, at) =>
          literalColumn(
            `f${at}`,
            type,
            rows.map(({ values }) => values[at] as LiteralValue),
          ),
        ),
      });
      // As small as can be: every row has to grow it.
      const sink = createSink(1);
      for (const row of rows.keys()) write(sink, row);
      const encode = compileRowEncoder(schemaId, types);
      expect(takeSink(sink).toString('hex')).toBe(
        Buffer.concat(rows.map((row) => encode(row as unknown as OnlineRow))).toString('hex'),
      );
    }),
    { numRuns: 500 },
  );
});

const keyValues: Readonly<Record<KeyType, fc.Arbitrary<LiteralValue>>> = {
  int32: fc.integer(),
  int64: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, -1n, 2n ** 52n, -(2n ** 52n))),
  bool: fc.boolean(),
  string: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.string({ minLength: 60, maxLength: 70 })),
  bytes: fc.uint8Array({ maxLength: 70 }),
};

test('keys, of every type and of several parts', () => {
  const drawKeys = fc.array(fc.constantFrom(...(Object.keys(keyValues) as KeyType[])), { maxLength: 3 }).chain((types) =>
    fc.record({
      types: fc.constant(types),
      entities: fc.array(fc.tuple(...types.map((type) => keyValues[type])), { minLength: 1, maxLength: 5 }),
    }),
  );
  fc.assert(
    fc.property(drawKeys, ({ types, entities }) => {
      const joinKeys = types.map((type, at) => ({ name: `key_${at}`, type }));
      const columns = types.map((type, at) =>
        keyColumn(
          type,
          entities.map((values) => values[at] as LiteralValue),
        ),
      );
      const write = compileKeyWriter('project', joinKeys, columns);
      for (const [row, values] of entities.entries()) {
        const sink = createSink(1);
        write(sink, row);
        expect(takeSink(sink).toString('hex')).toBe(encodeEntityKey('project', joinKeys, values).toString('hex'));
      }
    }),
    { numRuns: 500 },
  );
});

function wordsOf(values: readonly bigint[]): Int32Array {
  return new Int32Array(BigInt64Array.from(values).buffer);
}

function keyColumn(type: KeyType, values: readonly LiteralValue[]): KeyColumn {
  if (type !== 'string' && type !== 'bytes')
    return { kind: 'int', words: wordsOf(values.map((value) => BigInt(value as bigint))) };
  const parts = values.map((value) => Buffer.from(value as string));
  const ends = Int32Array.from(parts, (_, at) => Buffer.concat(parts.slice(0, at + 1)).length);
  const starts = ends.map((end, at) => end - (parts[at] as Buffer).length);
  return { kind: 'bytes', data: Buffer.concat(parts), starts, ends };
}

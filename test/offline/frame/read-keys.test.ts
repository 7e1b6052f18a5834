/** Key columns of a frame (rules 2.2 and 2.3): what converts, what does not, and which row is named. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { type ArrowType, field } from '../../../src/arrow/schema.ts';
import type { KeyType } from '../../../src/definitions/value-type.ts';
import { FeatureStoreError } from '../../../src/errors.ts';
import { readKeyColumn } from '../../../src/offline/frame/read-keys.ts';
import type { Keys } from '../../../src/offline/projection/keys.ts';
import { NaiveRefusal } from '../../support/naive-instant.ts';
import { convertKeysNaively, type NaiveKeyColumn } from '../../support/naive-keys.ts';

const place = { joinKey: 'user_id', column: 'uid', firstRow: 1000 };
const edges = [
  0n,
  1n,
  -1n,
  127n,
  255n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  -(2n ** 31n) - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
];
const floats = [
  0,
  -0,
  1,
  -1,
  1.5,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 53,
  2 ** 53 - 1,
  -(2 ** 53),
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

describe('2.2: integer keys', () => {
  const bits = fc.constantFrom(8, 16, 32, 64) as fc.Arbitrary<8 | 16 | 32 | 64>;

  test('any integer column converts where every value fits; else the first value that does not, and its row, are named', () => {
    fc.assert(
      fc.property(
        bits,
        fc.boolean(),
        fc.constantFrom<KeyType>('int32', 'int64'),
        fc.array(fc.option(fc.constantFrom(...edges), { nil: null })),
        (width, signed, type, drawn) => {
          const fits = (value: bigint) => (signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value)) === value;
          const values = drawn.filter((value) => value === null || fits(value));
          const stored = values.map((value) => (value === null || width === 64 ? value : Number(value)));
          check({ id: 'int', bits: width, signed }, stored, 'integer', type);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a float column converts where all of it is whole and below 2^53, null or NaN', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<KeyType>('int32', 'int64'),
        fc.array(fc.option(fc.constantFrom(...floats), { nil: null })),
        (type, values) => {
          check({ id: 'float', bits: 64 }, values, 'float', type);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('narrow floats too', () => {
    check({ id: 'float', bits: 32 }, [1, 2 ** 24, Number.NaN, null, -3], 'float', 'int64');
    check({ id: 'float', bits: 16 }, [1, 2048, Number.NaN, null, -3, 60_000], 'float', 'int64');
    check({ id: 'float', bits: 16 }, [1, 0.5], 'float', 'int64');
    check({ id: 'float', bits: 32 }, [2 ** 60], 'float', 'int64');
  });
});

describe('2.2: other keys', () => {
  const texts = ['', 'a', 'a ', 'é', 'e\u0301', '\u{10000}', 'x'.repeat(40), null];
  const blobs = [new Uint8Array([]), new Uint8Array([0]), new Uint8Array(20).fill(7), null];

  test.each(['utf8', 'largeUtf8', 'utf8View'] as const)('%s is string, byte by byte', (id) => {
    check({ id }, texts, 'string', 'string');
  });

  test.each(['binary', 'largeBinary', 'binaryView'] as const)('%s is bytes', (id) => check({ id }, blobs, 'bytes', 'bytes'));

  test('bool is bool', () => check({ id: 'bool' }, [true, null, false], 'bool', 'bool'));

  test.each([
    ['int64 for string: 1 is not "1"', { id: 'int', bits: 64, signed: true }, [null, 1n], 'string'],
    ['string for int64', { id: 'utf8' }, ['1'], 'int64'],
    ['int32 for bool', { id: 'int', bits: 32, signed: true }, [1], 'bool'],
    ['bool for int32', { id: 'bool' }, [null, null, true], 'int32'],
    ['string for bytes', { id: 'utf8' }, ['a'], 'bytes'],
    ['bytes for string', { id: 'binary' }, [new Uint8Array([97])], 'string'],
    ['a timestamp for int64', { id: 'timestamp', unit: 'us', timezone: 'UTC' }, [5n], 'int64'],
    ['a decimal for int64', { id: 'decimal', bits: 128, precision: 10, scale: 0 }, ['5'], 'int64'],
    ['float64 for string', { id: 'float', bits: 64 }, [1], 'string'],
  ] as const satisfies readonly (readonly [string, ArrowType, readonly unknown[], KeyType])[])(
    '%s is refused by name',
    (_, type, values, key) => {
      const column = columnFromValues(field('uid', type), values);
      const row = values.findIndex((value) => value !== null);
      expect(refusalOf(() => readKeyColumn(column, key, place))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('uid'),
        details: { joinKey: 'user_id', row: 1000 + row },
      });
    },
  );

  test.each(['int32', 'int64', 'string', 'bool', 'bytes'] as const)(
    '2.3: a column without a value is null keys, whatever its type: %s',
    (key) => {
      for (const type of [{ id: 'null' }, { id: 'utf8' }, { id: 'float', bits: 64 }] as const) {
        expect(plain(readKeyColumn(columnFromValues(field('uid', type), [null, null]), key, place))).toEqual([null, null]);
      }
    },
  );
});

function check(type: ArrowType, values: readonly unknown[], kind: NaiveKeyColumn, key: KeyType): void {
  const column = columnFromValues(field('uid', type), values);
  let expected: (string | null)[];
  try {
    expected = convertKeysNaively(values, kind, key);
  } catch (error) {
    if (!(error instanceof NaiveRefusal)) throw error;
    const [, row, value] = /^row (\d+): (.*)$/.exec(error.message) as unknown as [string, string, string];
    const refusal = refusalOf(() => readKeyColumn(column, key, place));
    expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', details: { row: 1000 + Number(row), value } });
    expect(refusal.message).toContain(String(1000 + Number(row)));
    return;
  }
  expect(plain(readKeyColumn(column, key, place))).toEqual(expected.map((text) => asPlain(text, key)));
}

/** Whole numbers as text, bytes as hex. */
function plain(keys: Keys): (string | null)[] {
  return Array.from({ length: keys.length }, (_, row) => {
    if (keys.nulls?.[row] === 1) return null;
    if (keys.kind === 'int') return String(new BigInt64Array(keys.words.slice().buffer)[row]);
    if (keys.kind === 'none') return '';
    return Buffer.from(keys.data.subarray(keys.offsets[row], keys.offsets[row + 1])).toString('hex');
  });
}

/** The oracle's keys in the same way. */
function asPlain(text: string | null, key: KeyType): string | null {
  if (text === null) return null;
  if (key === 'bool') return text === 'true' ? '1' : '0';
  return key === 'string' ? Buffer.from(text).toString('hex') : text;
}

function refusalOf(work: () => unknown): FeatureStoreError {
  try {
    work();
  } catch (error) {
    if (error instanceof FeatureStoreError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

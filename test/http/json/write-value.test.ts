import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeLiteral, type LiteralValue } from '../../../src/definitions/literal.ts';
import { formatValueType, parseValueType, type ValueType } from '../../../src/definitions/value-type.ts';
import { feastWriter } from '../../../src/http/feast/write-value.ts';
import { encodeText } from '../../../src/http/json/text-sink.ts';
import { losslessWriter, type ValueWriter, writeValues } from '../../../src/http/json/write-value.ts';

const textOf = (write: ValueWriter, value: LiteralValue) => encodeText((sink) => write(sink, value)).toString();

const float32 = fc.float().map(Math.fround);
const perType: readonly (readonly [string, fc.Arbitrary<LiteralValue>])[] = [
  ['bool', fc.boolean()],
  ['int32', fc.integer()],
  ['int64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ['float64', fc.double()],
  ['float32', float32],
  ['string', fc.string({ unit: 'grapheme' })],
  ['bytes', fc.uint8Array()],
  ['timestamp', fc.bigInt({ min: -(8n * 10n ** 18n), max: 8n * 10n ** 18n })],
  ['date', fc.constantFrom('2026-03-10', '1969-12-31')],
  ['decimal(20,2)', fc.constantFrom('0.00', '-12345678901234567.89')],
];
const drawn: fc.Arbitrary<readonly [ValueType, LiteralValue]> = fc.constantFrom(...perType).chain(([text, value]) => {
  const type = parseValueType(text);
  const list = { kind: 'list', element: type } as const;
  const items = fc.array(fc.option(value), { maxLength: 5 });
  return fc.oneof(
    value.map((each) => [type, each] as const),
    fc.constant([type, null] as const),
    items.map((each) => [list, each] as const),
    fc.array(items, { maxLength: 3 }).map((each) => [{ kind: 'list', element: list } as const, each] as const),
  );
});

it('is read back as it was, for every type', () => {
  fc.assert(
    fc.property(drawn, ([type, value]) => {
      const json = JSON.parse(textOf(losslessWriter(type), value));
      expect(decodeLiteral(type, json), formatValueType(type)).toEqual(value);
    }),
    { numRuns: 2_000 },
  );
});

it('writes a column as its values one by one', () => {
  const type = { kind: 'float64' } as const;
  const write = losslessWriter(type);
  const fractions = fc.array(fc.option(fc.double({ noInteger: true, noNaN: true })), { maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fractions, fc.array(fc.option(fc.double()), { maxLength: 20 })), (values) => {
      const whole = encodeText((sink) => writeValues(sink, type, values, write)).toString();
      expect(whole).toBe(`[${values.map((value) => textOf(write, value)).join(',')}]`);
    }),
    { numRuns: 2_000 },
  );
});

it('tells a float from an integer by its text', () => {
  const write = losslessWriter({ kind: 'float64' });
  expect([1, -0, 0.5, 1e21, Number.NaN, Number.NEGATIVE_INFINITY].map((value) => textOf(write, value))).toEqual([
    '1.0',
    '-0.0',
    '0.5',
    '1e+21',
    '"NaN"',
    '"-Infinity"',
  ]);
});

it('writes for Feast what its client takes, and null where it would raise', () => {
  const cases: readonly (readonly [string, LiteralValue, string])[] = [
    ['int64', 9223372036854775807n, '9223372036854775807'],
    ['float64', 1, '1.0'],
    ['float64', Number.NaN, 'null'],
    ['float64', Number.POSITIVE_INFINITY, 'null'],
    ['float32', Math.fround(0.64640087), '0.64640087'],
    ['float32', Math.fround(3), '3.0'],
    ['float32', Math.fround(1e-45), '1.4013e-45'],
    ['string', 'a"b', '"a\\"b"'],
    ['bytes', Uint8Array.of(1, 2, 3), '"AQID"'],
    ['timestamp', 1_500_000n, '1'],
    ['timestamp', -1n, '-1'],
    ['decimal(10,2)', '1.50', '"1.50"'],
    ['list(float64)', [1, 2.5], '[1.0,2.5]'],
    ['list(float64)', [1, Number.NaN], 'null'],
    ['list(int64)', [1n, 2n], '[1,2]'],
    ['list(int64)', [], 'null'],
    ['list(string)', ['a', null], 'null'],
    ['list(list(int64))', [[1n]], 'null'],
    ['vector(float32,2)', [0.5, 1], '[0.5,1.0]'],
    ['bool', true, 'true'],
    ['int32', null, 'null'],
  ];
  for (const [type, value, text] of cases) expect(textOf(feastWriter(parseValueType(type)), value), type).toBe(text);
});

it('writes every float32 for Feast so that it reads back as itself', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = textOf(feastWriter({ kind: 'float32' }), value);
      expect(Math.fround(Number(text))).toBe(value);
      expect(text).toMatch(/[.e]/);
    }),
    { numRuns: 2_000 },
  );
});

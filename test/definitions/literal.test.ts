import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLiteral, encodeLiteral, formatInstantUs, parseInstantUs } from '../../src/definitions/literal.ts';
import { parseValueType } from '../../src/definitions/value-type.ts';

const roundTrip = (type: string, value: unknown): unknown => {
  const parsed = parseValueType(type);
  return decodeLiteral(parsed, JSON.parse(JSON.stringify(encodeLiteral(parsed, value))));
};

describe('encodeLiteral and decodeLiteral', () => {
  it.each([
    ['bool', true, true],
    ['int32', -2147483648, -2147483648],
    ['int64', 7, 7n],
    ['int64', 9223372036854775807n, 9223372036854775807n],
    ['float64', 0.1, 0.1],
    ['float64', Number.NaN, Number.NaN],
    ['float32', Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ['string', '', ''],
    ['string', 'naïve 🙂', 'naïve 🙂'],
    ['bytes', new Uint8Array([0, 255]), new Uint8Array([0, 255])],
    ['timestamp', '2026-03-10T13:00:00.000001+01:00', 1773144000000001n],
    ['timestamp', '1969-12-31T23:59:59.999999Z', -1n],
    ['date', '1970-01-01', '1970-01-01'],
    ['decimal(12,2)', 0, '0.00'],
    ['decimal(12,2)', '-0.5', '-0.50'],
    ['decimal(12,2)', '007.10', '7.10'],
    ['decimal(12,2)', '-0', '0.00'],
    ['decimal(38,0)', 99999999999999999999999999999999999999n, '99999999999999999999999999999999999999'],
    ['list(int64)', [1, null, 2n], [1n, null, 2n]],
    ['list(list(string))', [['a'], []], [['a'], []]],
    ['vector(float32,2)', [0, 1.5], [0, 1.5]],
  ])('%s keeps %o through JSON', (type, value, expected) => {
    expect(roundTrip(type, value)).toEqual(expected);
  });

  it('keeps every int64, and every double as it is', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => roundTrip('int64', value) === value));
    fc.assert(fc.property(fc.double(), (value) => Object.is(roundTrip('float64', value), value)));
  });

  it.each([
    ['bool', 1, 'write true or false'],
    ['int32', 2147483648, 'does not fit 32 bits'],
    ['int32', 1.5, 'write a whole number'],
    ['int64', 2 ** 53, 'write a bigint'],
    ['int64', 2n ** 63n, 'does not fit 64 bits'],
    ['int64', '5', 'write a whole number'],
    ['float32', 1e39, 'larger than any float32'],
    ['float64', '1', 'write a number'],
    ['string', 5, 'write a string'],
    ['string', '\ud800', 'half a surrogate pair'],
    ['bytes', 'ab', 'write a Uint8Array'],
    ['timestamp', '2026-03-10T12:00:00', 'write it with an offset'],
    ['timestamp', '2026-02-30T12:00:00Z', 'is no instant'],
    ['timestamp', '2026-03-10T12:00:00.0000001Z', 'at most six digits'],
    ['timestamp', new Date(0), 'ISO instant'],
    ['date', '2026-02-29', 'write a date'],
    ['decimal(4,2)', '123', 'more than 2 digits before'],
    ['decimal(4,2)', 0.125, 'more than 2 digits after'],
    ['decimal(4,2)', '.', 'write a number as text'],
    ['decimal(4,2)', 1e-7, 'write a number as text'],
    ['list(int64)', 1, 'write an array'],
    ['list(int64)', ['x'], 'is no int64'],
    ['vector(float32,3)', [1, 2], 'an array of 3 numbers'],
    ['vector(float32,1)', [null], 'write a number'],
  ])('%s refuses %o and says what to write', (type, value, message) => {
    expect(() => encodeLiteral(parseValueType(type), value)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });
});

describe('parseInstantUs and formatInstantUs', () => {
  it('rule 1.1: are inverse to the microsecond, before 1970 too', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }), (us) => {
        expect(parseInstantUs(formatInstantUs(us))).toBe(us);
      }),
    );
  });
});

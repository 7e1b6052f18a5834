import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { expect, it } from 'vitest';
import { formatInstantUs } from '../../src/definitions/format-instant.ts';

/** The years of Temporal: 100 million days around 1970. */
const calendarUs = 8_640_000_000_000_000_000n;

it('writes every instant as Temporal does', () => {
  const instant = fc.oneof(fc.bigInt({ min: -calendarUs, max: calendarUs }), fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }));
  fc.assert(
    fc.property(instant, (us) => {
      const expected = Temporal.Instant.fromEpochNanoseconds(us * 1000n).toString({ fractionalSecondDigits: 6 });
      expect(formatInstantUs(us)).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});

it('writes edges of days, centuries and leap years', () => {
  const cases: readonly (readonly [bigint, string])[] = [
    [0n, '1970-01-01T00:00:00.000000Z'],
    [-1n, '1969-12-31T23:59:59.999999Z'],
    [951_782_400_000_000n, '2000-02-29T00:00:00.000000Z'],
    [4_107_542_399_999_999n, '2100-02-28T23:59:59.999999Z'],
    [253_402_300_799_999_999n, '9999-12-31T23:59:59.999999Z'],
    [253_402_300_800_000_000n, '+010000-01-01T00:00:00.000000Z'],
    [-62_167_219_200_000_001n, '-000001-12-31T23:59:59.999999Z'],
  ];
  for (const [us, text] of cases) expect(formatInstantUs(us)).toBe(text);
});

/** Rule 6.2: where windows begin. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultHopUs, floorUs, windowStartUs } from '../../src/aggregate/window.ts';
import { parseDurationUs } from '../../src/definitions/duration.ts';

const at = (text: string) => BigInt(Date.parse(text)) * 1000n;

it.each([
  ['90s', '90s'],
  ['5m', '5m'],
  ['1h', '5m'],
  ['11h', '5m'],
  ['12h', '1h'],
  ['11d', '1h'],
  ['12d', '1d'],
  ['90d', '1d'],
])('a window of %s hops by %s', (window, hop) => {
  expect(defaultHopUs(parseDurationUs(window))).toBe(parseDurationUs(hop));
});

it('begins at the hop that holds T less its length, as in the worked cases', () => {
  const [window, hop] = [parseDurationUs('1h'), parseDurationUs('5m')];
  expect(windowStartUs(at('2026-03-10T12:00:00Z'), window, hop)).toBe(at('2026-03-10T11:00:00Z'));
  expect(windowStartUs(at('2026-03-10T12:03:00Z'), window, hop)).toBe(at('2026-03-10T11:00:00Z'));
  expect(windowStartUs(at('1969-12-31T23:59:59.999Z'), window, hop)).toBe(at('1969-12-31T22:55:00Z'));
});

it('floors toward minus infinity, before 1970 too (rule 1.4)', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), fc.bigInt({ min: 1n, max: 10n ** 13n }), (time, hop) => {
      const floor = floorUs(time, hop);
      expect(floor <= time && time < floor + hop && floor % hop === 0n).toBe(true);
    }),
  );
});

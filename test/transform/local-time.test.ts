/** Rule 7.2: the wall clock of a zone, daylight saving included, as Temporal and the runtime's own calendar tell it. */
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { localTimeOf } from '../../src/transform/local-time.ts';

const zones = [
  'UTC',
  'Europe/Paris',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'America/St_Johns',
  'Pacific/Apia',
  'Asia/Tehran',
  'Antarctica/Troll',
  'Africa/Monrovia',
  'Europe/Amsterdam',
  'America/Caracas',
];

function byTemporal(us: bigint, zone: string) {
  const { year, month, day, hour, minute, second, dayOfWeek } = Temporal.Instant.fromEpochNanoseconds(
    us * 1000n,
  ).toZonedDateTimeISO(zone);
  return { year, month, day, hour, minute, second, weekday: dayOfWeek };
}

describe('7.2: the local time of an instant', () => {
  it('is that of Temporal, at any instant of any zone', () => {
    const instant = fc.oneof(
      fc.bigInt({ min: -2_500_000_000_000_000n, max: 7_500_000_000_000_000n }),
      fc.bigInt({ min: -8_600_000_000_000_000_000n, max: 8_600_000_000_000_000_000n }),
    );
    fc.assert(
      fc.property(instant, fc.constantFrom(...zones), (us, zone) => {
        expect(localTimeOf(us, zone)).toEqual(byTemporal(us, zone));
      }),
      { numRuns: 1500 },
    );
  });

  it.each(zones)('changes at the very second that %s changes', (zone) => {
    let at = Temporal.Instant.from('1900-01-01T00:00Z').toZonedDateTimeISO(zone);
    for (let count = 0; count < 40; count++) {
      const next = at.getTimeZoneTransition('next');
      if (next === null) return;
      at = next;
      const us = BigInt(next.epochMilliseconds) * 1000n;
      for (const shift of [-86_400_000_000n, -1n, 0n, 1n, 3_600_000_000n])
        expect(localTimeOf(us + shift, zone)).toEqual(byTemporal(us + shift, zone));
    }
  });

  it.each([
    ['2026-03-29T00:59:59.999999Z', 'Europe/Paris', 1, 59],
    ['2026-03-29T01:00:00Z', 'Europe/Paris', 3, 0],
    ['2026-10-25T00:30:00Z', 'Europe/Paris', 2, 30],
    ['2026-10-25T01:30:00Z', 'Europe/Paris', 2, 30],
    ['1969-12-31T23:59:59.999999Z', 'UTC', 23, 59],
  ])('%s in %s is %i:%i', (text, zone, hour, minute) => {
    expect(localTimeOf(Temporal.Instant.from(text).epochNanoseconds / 1000n, zone)).toMatchObject({ hour, minute });
  });

  it('counts weekdays from Monday', () => {
    expect(localTimeOf(0n, 'UTC')).toEqual({ year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, weekday: 4 });
    expect(localTimeOf(3n * 86_400_000_000n, 'UTC').weekday).toBe(7);
  });

  it.each([
    [0n, 'Europe/Pari', /"Europe\/Pari" is no IANA zone; did you mean "Europe\/Paris"/],
    [0n, '+02:00', /"\+02:00" is no IANA zone/],
    [0n, '', /"" is no IANA zone/],
    [2n ** 63n - 1n, 'UTC', /beyond the years of the calendar/],
    [-(2n ** 63n), 'Europe/Paris', /beyond the years of the calendar/],
  ])('%s in "%s" is refused', (us, zone, message) => {
    expect(() => localTimeOf(us, zone)).toThrow(message);
  });
});

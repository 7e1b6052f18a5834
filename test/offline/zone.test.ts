/** Local times of zones against a search for the instants that a zone's clocks show (rule 1.2). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLocal, openClock, toInstantUs, unclearKind, yearOf } from '../../src/offline/zone.ts';
import { resolveNaively } from '../support/naive-zone.ts';

const zones = [
  'America/New_York',
  'Europe/London',
  'Europe/Paris',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kwajalein',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Asia/Tehran',
  'Asia/Kathmandu',
  'America/Caracas',
  'Antarctica/Troll',
  'Africa/Monrovia',
  'America/St_Johns',
  'Asia/Pyongyang',
  'UTC',
  'Etc/GMT+5',
] as const;

describe('1.2: local times', () => {
  test.each([
    ['2013-03-10T02:30:00', 'earlier', '2013-03-10T06:30:00'],
    ['2013-03-10T02:30:00', 'later', '2013-03-10T07:30:00'],
    ['2013-11-03T01:30:00', 'earlier', '2013-11-03T05:30:00'],
    ['2013-11-03T01:30:00', 'later', '2013-11-03T06:30:00'],
    ['2013-03-10T01:59:59', 'later', '2013-03-10T06:59:59'],
    ['2013-03-10T03:00:00', 'earlier', '2013-03-10T07:00:00'],
    ['2013-11-03T00:59:59', 'later', '2013-11-03T04:59:59'],
    ['2013-11-03T02:00:00', 'earlier', '2013-11-03T07:00:00'],
  ] as const)('1.2: %s in New York is, %s, %sZ', (local, policy, instant) => {
    const us = microsecondsOf(local);
    expect(toInstantUs(openClock('America/New_York', policy), us)).toBe(microsecondsOf(instant));
  });

  test('1.2: any zone and time: the instant of each policy, and which times are refused without one', () => {
    const second = fc.oneof(
      fc.integer({ min: -3_800_000_000, max: 4_000_000_000 }),
      fc.integer({ min: 4_000_000_000, max: 240_000_000_000 }),
      fc.integer({ min: 0, max: 2_000_000_000 }),
    );
    const nudge = fc.constantFrom(0n, 1n, -1n, 1_800_000_000n, -1_800_000_000n, 3_600_000_000n, -3_600_000_000n);
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(second, { minLength: 1, maxLength: 3 }),
        nudge,
        fc.boolean(),
        (zone, seconds, by, near) => {
          const locals = seconds.map((value) => (near ? localNearTransition(zone, value) : BigInt(value) * 1_000_000n) + by);
          for (const local of locals) {
            for (const policy of ['earlier', 'later'] as const) {
              const clock = openClock(zone, policy);
              expect([local, toInstantUs(clock, local)]).toEqual([local, resolveNaively(local, zone, policy)]);
              const refused = resolveNaively(local, zone, undefined) === undefined;
              expect([local, unclearKind(clock, local) !== undefined]).toEqual([local, refused]);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('an unknown zone is an error, not UTC', () => {
    expect(() => openClock('Europe/Pariss')).toThrow();
  });

  test('a local time is shown as people write it', () => {
    expect(formatLocal(microsecondsOf('2013-03-10T02:30:00') + 1n)).toBe('2013-03-10 02:30:00.000001');
    expect(formatLocal(-1n)).toBe('1969-12-31 23:59:59.999999');
  });
});

/** A reading at a change of clocks in the year of a second, or the second itself where there is none. */
function localNearTransition(zone: string, second: number): bigint {
  const start = BigInt(second) * 1_000_000n;
  const unclear = openClock(zone)
    .segmentsOf(yearOf(start))
    .find(({ kind }) => kind !== undefined);
  return unclear?.fromUs ?? start;
}

function microsecondsOf(text: string): bigint {
  return BigInt(Date.parse(`${text}Z`)) * 1000n;
}

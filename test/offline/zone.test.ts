/** Local times of zones against a search for the instants that a zone's clocks show (rule 1.2). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLocal, toInstantUs, unclearKind, zoneSteps } from '../../src/offline/zone.ts';
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
    expect(toInstantUs(zoneSteps('America/New_York', us, us, policy), us)).toBe(microsecondsOf(instant));
  });

  test('1.2: any zone and time: the instant of each policy, and which times are refused without one', () => {
    const second = fc.oneof(fc.integer({ min: -3_000_000_000, max: 4_000_000_000 }), fc.integer({ min: 0, max: 2_000_000_000 }));
    const nudge = fc.constantFrom(0n, 1n, -1n, 1_800_000_000n, -1_800_000_000n, 3_600_000_000n, -3_600_000_000n);
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(second, { minLength: 1, maxLength: 3 }),
        nudge,
        fc.boolean(),
        (zone, seconds, by, near) => {
          const locals = seconds.map((value) => (near ? localNearTransition(zone, value) : BigInt(value) * 1_000_000n) + by);
          const sorted = [...locals].sort((a, b) => (a < b ? -1 : 1));
          const [low, high] = [sorted[0] as bigint, sorted.at(-1) as bigint];
          for (const local of locals) {
            for (const policy of ['earlier', 'later'] as const) {
              const steps = zoneSteps(zone, low, high, policy);
              expect([local, toInstantUs(steps, local)]).toEqual([local, resolveNaively(local, zone, policy)]);
              const refused = resolveNaively(local, zone, undefined) === undefined;
              expect([local, unclearKind(steps, local) !== undefined]).toEqual([local, refused]);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('an unknown zone is an error, not UTC', () => {
    expect(() => zoneSteps('Europe/Pariss', 0n, 0n)).toThrow();
  });

  test('a local time is shown as people write it', () => {
    expect(formatLocal(microsecondsOf('2013-03-10T02:30:00') + 1n)).toBe('2013-03-10 02:30:00.000001');
    expect(formatLocal(-1n)).toBe('1969-12-31 23:59:59.999999');
  });
});

/** The reading at the change of clocks that comes next after a second, or the second itself where none comes within two years. */
function localNearTransition(zone: string, second: number): bigint {
  const start = BigInt(second) * 1_000_000n;
  const { steps } = zoneSteps(zone, start, start + 63_072_000_000_000n);
  return steps[0]?.fromUs ?? start;
}

function microsecondsOf(text: string): bigint {
  return BigInt(Date.parse(`${text}Z`)) * 1000n;
}

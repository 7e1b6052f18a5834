/** The time column of a frame (rules 1.1 to 1.3): units, zones, and what is refused with the fix in the message. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { type ArrowType, field } from '../../../src/arrow/schema.ts';
import { FeatureStoreError } from '../../../src/errors.ts';
import { readTimes } from '../../../src/offline/frame/read-times.ts';
import { instantAt } from '../../../src/offline/instants.ts';
import { toInstantNaively } from '../../support/naive-instant.ts';
import { resolveNaively } from '../../support/naive-zone.ts';

const units = ['s', 'ms', 'us', 'ns'] as const;
const perSecond = { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n };

describe('1.1: units', () => {
  test('seconds and milliseconds widen, nanoseconds are floored, before 1970 too; zones do not shift instants', () => {
    const seconds = fc.bigInt({ min: -5_000_000_000n, max: 8_000_000_000n });
    const values = fc.array(fc.option(fc.tuple(seconds, fc.nat(999_999_999)), { nil: null }));
    fc.assert(
      fc.property(
        fc.constantFrom(...units),
        fc.constantFrom('UTC', 'America/New_York', '+02:00'),
        values,
        (unit, timezone, drawn) => {
          const counts = drawn.map((one) =>
            one === null ? null : one[0] * perSecond[unit] + (BigInt(one[1]) % perSecond[unit]),
          );
          const expected = counts.map((count) => toInstantNaively(count, { kind: 'time', unit, zoned: true }, {}));
          expect(read({ id: 'timestamp', unit, timezone }, counts, undefined)).toEqual(expected);
        },
      ),
    );
  });

  test('a time outside of the years that microseconds count is refused with its row', () => {
    expect(refusalOf({ id: 'timestamp', unit: 's', timezone: 'UTC' }, [null, 2n ** 62n], undefined)).toMatchObject({
      code: 'OUT_OF_RANGE',
      message: expect.stringContaining('row 501'),
    });
    expect(refusalOf({ id: 'date', unit: 'day' }, [0, 2 ** 31 - 1], 'UTC')).toMatchObject({ code: 'OUT_OF_RANGE' });
  });
});

describe('1.3: zones', () => {
  test('zone-less times are refused with the fix', () => {
    for (const type of [
      { id: 'timestamp', unit: 'us' },
      { id: 'date', unit: 'day' },
    ] as const) {
      const value = type.id === 'date' ? 0 : 0n;
      expect(refusalOf(type, [value], undefined)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('timezone="UTC"'),
      });
    }
  });

  test('1.2: local times of any zone are converted; one that is no single instant is refused with its row', () => {
    const zones = fc.constantFrom('America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC');
    const minute = fc.integer({ min: -40_000_000, max: 40_000_000 });
    const near = fc.constantFrom(22_715_190, 23_057_970, 22_715_310, 0);
    fc.assert(
      fc.property(zones, fc.array(fc.oneof(minute, near), { minLength: 1, maxLength: 8 }), (zone, minutes) => {
        const locals = minutes.map((value) => BigInt(value) * 60_000_000n);
        const expected = locals.map((local) => resolveNaively(local, zone, undefined));
        const type = { id: 'timestamp', unit: 'us' } as const;
        const row = expected.indexOf(undefined);
        if (row < 0) expect(read(type, locals, zone)).toEqual(expected);
        else
          expect(refusalOf(type, locals, zone)).toMatchObject({
            code: 'INVALID_ARGUMENT',
            message: expect.stringMatching(new RegExp(`row ${500 + row}.*${zone}`)),
          });
      }),
    );
  });

  test('1.2: one far time costs the years before it nothing, and many rows find the years they share', () => {
    const locals = Array.from({ length: 65_536 }, (_, row) => BigInt(row) * 3_600_000_000n);
    locals[7] = 253_402_214_400_000_000n;
    locals[8] = 8_700_000_000_000_000_000n;
    const started = performance.now();
    const instants = read({ id: 'timestamp', unit: 'us' }, locals, 'Asia/Tokyo');
    expect(performance.now() - started).toBeLessThan(4000);
    expect(instants.map((instant, row) => (locals[row] as bigint) - (instant as bigint))).toEqual(
      locals.map(() => 32_400_000_000n),
    );
  });

  test('dates are midnights of the zone', () => {
    expect(read({ id: 'date', unit: 'day' }, [0, null, -1], 'Asia/Kolkata')).toEqual([-19_800_000_000n, null, -106_200_000_000n]);
    expect(read({ id: 'date', unit: 'ms' }, [86_400_000n], 'UTC')).toEqual([86_400_000_000n]);
  });
});

test('1.5: columns without a time are null times; other types are refused with the fix', () => {
  expect(read({ id: 'null' }, [null, null], undefined)).toEqual([null, null]);
  expect(refusalOf({ id: 'utf8' }, ['2026-03-10'], undefined)).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('to_datetime'),
  });
  expect(refusalOf({ id: 'int', bits: 64, signed: true }, [5n], undefined)).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

function read(type: ArrowType, values: readonly unknown[], timezone: string | undefined): (bigint | null)[] {
  const instants = readTimes(columnFromValues(field('when', type), values), 'when', timezone, 500);
  return Array.from({ length: instants.length }, (_, row) => (instants.nulls?.[row] === 1 ? null : instantAt(instants, row)));
}

function refusalOf(type: ArrowType, values: readonly unknown[], timezone: string | undefined): FeatureStoreError {
  try {
    read(type, values, timezone);
  } catch (error) {
    if (error instanceof FeatureStoreError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

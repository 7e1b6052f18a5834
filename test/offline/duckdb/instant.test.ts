/** Times in SQL against the search for the instants that a zone's clocks show, and against plain arithmetic (rules 1.1 and 1.2). */
import { DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileInstantUs, compileIsUnclear, compileLocalUs, listZoneSteps } from '../../../src/offline/duckdb/instant.ts';
import { foldFromUs, foldUs, openClock, yearOf } from '../../../src/offline/zone.ts';
import { floorNaively } from '../../support/naive-instant.ts';
import { resolveNaively } from '../../support/naive-zone.ts';

const zones = [
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Asia/Kolkata',
  'UTC',
];

describe('1.2: local times in SQL', () => {
  test('are the instants of each policy, and unclear where the rule refuses them, in any year', async () => {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const second = fc.oneof(
      fc.integer({ min: -3_800_000_000, max: 4_000_000_000 }),
      fc.integer({ min: 4_000_000_000, max: 240_000_000_000 }),
    );
    const local = fc.tuple(second, fc.boolean(), fc.constantFrom(0n, -1n, 1n, 1_800_000_000n));
    const policies = fc.constantFrom('earlier', 'later') as fc.Arbitrary<'earlier' | 'later'>;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...zones),
        policies,
        fc.array(local, { minLength: 1, maxLength: 6 }),
        async (zone, policy, drawn) => {
          const clock = openClock(zone, policy);
          const locals = drawn.map(([value, atChange, by]) => {
            const us = BigInt(value) * 1_000_000n;
            const change = clock.segmentsOf(yearOf(foldUs(us))).find(({ kind }) => kind !== undefined);
            return (atChange && us < foldFromUs ? (change?.fromUs ?? us) : us) + by;
          });
          const steps = listZoneSteps(
            clock,
            locals.map((us) => yearOf(foldUs(us))),
            locals.some((us) => us >= foldFromUs),
          );
          const instant = compileInstantUs('v', DuckDBTypeId.TIMESTAMP, steps);
          const unclear = compileIsUnclear('epoch_us(v)', steps) ?? 'false';
          const rows = locals.map((us, row) => `(${row}, make_timestamp(${us}))`).join(', ');
          const sql = `select ${instant} as us, ${unclear} as unclear from (values ${rows}) t(i, v) order by i`;
          const answer = (await connection.runAndReadAll(sql)).getRowObjectsJS();
          expect(answer).toEqual(
            locals.map((us) => ({
              us: resolveNaively(us, zone, policy),
              unclear: resolveNaively(us, zone, undefined) === undefined,
            })),
          );
        },
      ),
      { numRuns: 200 },
    );
    connection.closeSync();
  });
});

describe('1.1: units in SQL', () => {
  test('widen exactly, nanoseconds are floored, before 1970 too', async () => {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const count = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
    await fc.assert(
      fc.asyncProperty(count, async (value) => {
        const columns = [
          compileLocalUs(`make_timestamp_ns(${value})`, DuckDBTypeId.TIMESTAMP_NS),
          compileLocalUs(`make_timestamp(${value})`, DuckDBTypeId.TIMESTAMP),
          compileLocalUs(`cast(make_timestamp(${value * 1000n}) as timestamp_ms)`, DuckDBTypeId.TIMESTAMP_MS),
          compileLocalUs(`cast(make_timestamp(${value * 1_000_000n}) as timestamp_s)`, DuckDBTypeId.TIMESTAMP_S),
          compileLocalUs(`(date '1970-01-01' + ${value % 100_000n})`, DuckDBTypeId.DATE),
          compileInstantUs(`make_timestamptz(${value})`, DuckDBTypeId.TIMESTAMP_TZ, undefined),
        ];
        const [row] = (await connection.runAndReadAll(`select ${columns.join(', ')}`)).getRowsJS();
        expect(row).toEqual([
          floorNaively(value, 1000n) / 1000n,
          value,
          value * 1000n,
          value * 1_000_000n,
          (value % 100_000n) * 86_400_000_000n,
          value,
        ]);
      }),
    );
    connection.closeSync();
  });
});

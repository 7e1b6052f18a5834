/** The winner of each row against a scan over all rows of its key (section 3). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitUs } from '../../../src/offline/instants.ts';
import { found, lookUp, notFound, outsideMaxAge } from '../../../src/offline/projection/look-up.ts';
import { buildVisibility, lastVisible } from '../../../src/offline/projection/visibility.ts';

const edges = [0n, 1n, -1n, 2n ** 32n, 2n ** 32n - 1n, -(2n ** 32n), 10n ** 15n, 10n ** 15n + 1n, -(10n ** 15n)];
const us = fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: -20n, max: 20n }));
const delay = fc.constantFrom(0n, 1n, 5n, 2n ** 32n, 10_800_000_000n);

/** Rows of one or more keys in the order in which a projection stands, 17 in a run and more, so that minima have levels. */
const projection = fc.array(
  fc.array(fc.record({ event: us, created: fc.option(us, { nil: null }), available: us }), { minLength: 1, maxLength: 90 }),
  { minLength: 1, maxLength: 4 },
);

describe('section 3', () => {
  test('visible is the latest of event + delay, available and created; a null created timestamp is never', () => {
    fc.assert(
      fc.property(
        projection,
        delay,
        fc.boolean(),
        fc.boolean(),
        us,
        fc.nat(),
        (runs, delayUs, useAvailable, useCreated, time, pick) => {
          const rows = runs.flat();
          const visibility = visibilityOf(rows, delayUs, useAvailable, useCreated);
          const instants = rows.map((row) => visibleUs(row, delayUs, useAvailable, useCreated));
          const from = pick % rows.length;
          const start = (pick >> 8) % (from + 1);
          let expected = -1;
          for (let row = from; row >= start && expected < 0; row--) if ((instants[row] as bigint) <= time) expected = row;
          const { low, high } = splitUs(time);
          expect(lastVisible(visibility, start, from, low, high)).toBe(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('the last visible row wins, one older than the ttl is outside of it, null keys and times find nothing', () => {
    const wanted = fc.array(fc.record({ run: fc.integer({ min: -1, max: 3 }), time: fc.option(us, { nil: null }) }), {
      maxLength: 30,
    });
    const ttl = fc.constantFrom(0n, 1n, 5n, 2n ** 32n, 10n ** 15n);
    fc.assert(
      fc.property(
        projection,
        wanted,
        delay,
        ttl,
        fc.boolean(),
        fc.boolean(),
        (runs, frame, delayUs, ttlUs, useAvailable, useCreated) => {
          const sorted = runs.map((run) => [...run].sort((a, b) => (a.event < b.event ? -1 : 1)));
          const rows = sorted.flat();
          const starts = Int32Array.from([0, ...sorted.map((_, at) => sorted.slice(0, at + 1).flat().length)]);
          const visibility = useAvailable || useCreated ? visibilityOf(rows, delayUs, useAvailable, useCreated) : undefined;
          const runOf = frame.map(({ run }) => (run < sorted.length ? run : -1));
          const times = {
            length: frame.length,
            words: wordsOf(frame.map(({ time }) => time ?? 10n ** 15n)),
            nulls: Uint8Array.from(frame, ({ time }) => (time === null ? 1 : 0)),
          };
          const index = { starts, keys: { kind: 'none', length: rows.length }, slots: new Int32Array(2) } as const;
          const event = wordsOf(rows.map((row) => row.event));
          const { winners, states } = lookUp({ index, event, visibility }, { delayUs, ttlUs }, Int32Array.from(runOf), times);
          for (const [at, { time }] of frame.entries()) {
            let winner = -1;
            for (const [row, candidate] of rows.entries()) {
              const run = runOf[at] as number;
              const own = run >= 0 && row >= (starts[run] as number) && row < (starts[run + 1] as number);
              if (own && time !== null && visibleUs(candidate, delayUs, useAvailable, useCreated) <= time) winner = row;
            }
            const tooOld = winner >= 0 && ttlUs > 0n && (rows[winner]?.event as bigint) < (time as bigint) - ttlUs;
            expect([winners[at], states[at]]).toEqual([winner, winner < 0 ? notFound : tooOld ? outsideMaxAge : found]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

interface Row {
  readonly event: bigint;
  readonly created: bigint | null;
  readonly available: bigint;
}

function visibleUs(row: Row, delayUs: bigint, useAvailable: boolean, useCreated: boolean): bigint {
  if (useCreated && row.created === null) return 2n ** 63n;
  let latest = row.event + delayUs;
  if (useAvailable && row.available > latest) latest = row.available;
  return useCreated && (row.created as bigint) > latest ? (row.created as bigint) : latest;
}

function visibilityOf(rows: readonly Row[], delayUs: bigint, useAvailable: boolean, useCreated: boolean) {
  return buildVisibility({
    event: wordsOf(rows.map((row) => row.event)),
    delayUs: splitUs(delayUs),
    available: useAvailable ? wordsOf(rows.map((row) => row.available)) : undefined,
    created: useCreated ? wordsOf(rows.map((row) => row.created ?? 3n)) : undefined,
    createdNulls: useCreated ? (row) => rows[row]?.created === null : undefined,
  });
}

function wordsOf(values: readonly bigint[]): Int32Array {
  return new Int32Array(BigInt64Array.from(values).buffer);
}

/** Fitted defaults over many days and versions against the values of each day anew (rule 5.3). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { readValue } from '../../../src/arrow/read-value.ts';
import { field } from '../../../src/arrow/schema.ts';
import { parseValueType } from '../../../src/definitions/value-type.ts';
import { fitDefault, stepAt } from '../../../src/offline/answer/fitted.ts';
import { featureField } from '../../../src/offline/feature-field.ts';
import { createBucket } from '../../../src/offline/projection/bucket.ts';
import type { Projection } from '../../../src/offline/projection/store.ts';
import type { ViewDocument } from '../../../src/registry/document.ts';
import { fitNaively } from '../../support/naive-default.ts';

const dayUs = 86_400_000_000n;
const int64 = { id: 'int', bits: 64, signed: true } as const;
const values = fc.option(
  fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(0.5, -0, Number.NaN, Number.POSITIVE_INFINITY)),
  { nil: null, freq: 6 },
);
const event = fc.oneof(fc.bigInt({ min: -5n * dayUs, max: 5n * dayUs }), fc.constantFrom(0n, dayUs, -dayUs, dayUs - 1n, -1n));
const rows = fc.array(fc.record({ event, created: fc.option(event, { nil: null }), value: values }), { maxLength: 300 });

describe('5.3', () => {
  test.each(['mean', 'median', 'mode'] as const)('%s of every day is that of the rows visible before it', async (kind) => {
    const delay = fc.constantFrom(0n, 1n, 10_800_000_000n, dayUs);
    await fc.assert(
      fc.asyncProperty(rows, delay, fc.boolean(), fc.integer({ min: 1, max: 4 }), async (drawn, delayUs, asKnown, buckets) => {
        const steps = await fitDefault(projectionOf(drawn, buckets), 0, kind, { delayUs, asKnown });
        const versions = drawn.map(({ event: eventUs, created, value }) => {
          const instants = [eventUs + delayUs, ...(asKnown ? [created] : [])];
          return {
            value,
            visibleUs: instants.includes(null)
              ? null
              : (instants.sort((a, b) => (Number(a) < Number(b) ? -1 : 1)).at(-1) as bigint),
          };
        });
        for (let day = -8; day <= 8; day++) {
          const at = stepAt(steps, day);
          const fitted = at < 0 ? undefined : readValue(steps.values, at);
          const expected = fitNaively(kind, { kind: 'float64' }, versions, BigInt(day) * dayUs + 5n);
          if (kind === 'mean' && typeof expected === 'number' && Number.isFinite(expected))
            expect(fitted).toBeCloseTo(expected, 9);
          else expect([day, fitted]).toEqual([day, zeroless(expected)]);
        }
      }),
    );
  });

  test('a projection without rows has no step', async () => {
    const steps = await fitDefault(projectionOf([], 1), 0, 'mean', { delayUs: 0n, asKnown: false });
    expect(stepAt(steps, 20_000)).toBe(-1);
  });
});

describe('many rows', () => {
  const million = Array.from(
    { length: 300_000 },
    (_, row): Row => ({
      event: BigInt((row * 7919) % 4000) * 3_600_000_000n,
      created: null,
      value: ((row * 104_729) % 65_537) / 7,
    }),
  );

  test.each(['mean', 'median', 'mode'] as const)('%s lets others run', async (kind) => {
    const projection = projectionOf(million, 1);
    const bucket = await projection.bucket(0);
    const held = { ...projection, bucket: async () => bucket } as Projection;
    let last = performance.now();
    let longest = 0;
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const started = performance.now();
    await fitDefault(held, 0, kind, { delayUs: 0n, asKnown: false });
    clearInterval(timer);
    const took = performance.now() - started;
    expect(Math.max(longest, performance.now() - last)).toBeLessThan(Math.max(100, took / 2));
  });

  test('end when they are aborted', async () => {
    const projection = projectionOf(million, 1);
    const bucket = await projection.bucket(0);
    const held = { ...projection, bucket: async () => bucket } as Projection;
    const controller = new AbortController();
    const fitting = fitDefault(held, 0, 'mode', { delayUs: 0n, asKnown: false }, controller.signal);
    setTimeout(() => controller.abort(new Error('left')), 5);
    await expect(fitting).rejects.toThrow('left');
  });
});

interface Row {
  readonly event: bigint;
  readonly created: bigint | null;
  readonly value: number | null;
}

/** A projection in memory, its rows dealt to buckets of one global key. */
function projectionOf(all: readonly Row[], buckets: number): Projection {
  const view = {
    name: 'fitted',
    keys: [],
    features: [{ name: 'value', type: 'float64', column: 'value', default: { fitted: 'mean' }, hash: '' }],
  } as unknown as ViewDocument;
  const bucket = async (index: number) => {
    const own = all.filter((_, row) => row % buckets === index).sort((a, b) => (a.event < b.event ? -1 : 1));
    const columns = [
      columnFromValues(
        field('event', int64),
        own.map((row) => row.event),
      ),
      columnFromValues(
        field('created', int64),
        own.map((row) => row.created),
      ),
      columnFromValues(
        featureField('f0', parseValueType('float64')),
        own.map((row) => row.value),
      ),
    ];
    return createBucket(view, [columns]);
  };
  return { view, buckets, bucket, rows: all.length } as unknown as Projection;
}

/** 0 for -0, which is never given. */
function zeroless(value: unknown): unknown {
  return value === 0 ? 0 : value;
}

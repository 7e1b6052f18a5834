/** A seeded fault for each alarm of drift, and samples of one distribution that raise none. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseValueType } from '../../../src/definitions/value-type.ts';
import { compareFeature, defaultThresholds } from '../../../src/validate/drift/compare.ts';
import { measureOf } from '../../../src/validate/drift/measure.ts';
import { createTally } from '../../../src/validate/drift/tally.ts';

interface Seen {
  readonly value: unknown;
  readonly isDefault?: boolean;
  readonly atUs?: bigint;
  readonly eventUs?: bigint;
}

const hourUs = 3_600_000_000n;
/** Mulberry32. */
const random = (seed: number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

function profileOf(type: string, rows: readonly Seen[], keys?: ReadonlyMap<unknown, number>) {
  const tally = createTally({ measure: measureOf(parseValueType(type)), partUs: hourUs });
  tally.draw(keys ?? rows.length);
  for (const row of rows) tally.add({ isDefault: false, atUs: null, eventUs: null, ...row });
  return tally.finish();
}

function compare(
  type: string,
  before: readonly Seen[],
  now: readonly Seen[],
  sourceUs?: bigint,
  keys?: ReadonlyMap<unknown, number>,
  declared?: readonly string[],
) {
  const measure = measureOf(parseValueType(type));
  const of = { view: 'v', feature: 'f', type, measure, thresholds: defaultThresholds, minKeys: 50, sourceUs };
  const known = { ...of, declared: declared && new Set(declared) };
  return compareFeature(known, profileOf(type, before), profileOf(type, now, keys));
}

const alarmsOf = (report: ReturnType<typeof compare>) => report.alarms.map(({ alarm }) => alarm);
const values = (count: number, of: (at: number) => unknown): Seen[] =>
  Array.from({ length: count }, (_, at) => ({ value: of(at) }));
const next = random(3);
const noise = (shift = 0) => values(400, () => next() + shift);

it('raises what moved: all distances and the mean', () => {
  const report = compare('float64', noise(), noise(1));
  expect(report.result).toBe('FAIL');
  expect(alarmsOf(report)).toEqual(['psi', 'js', 'ks', 'mean']);
  expect(report.mean_change).toBeCloseTo(1 / Math.sqrt(1 / 12), 0);
  expect(report.js).toBeGreaterThan(0.99);
});

it('raises constant where values vary, and not where they never did', () => {
  expect(
    alarmsOf(
      compare(
        'float64',
        noise(),
        values(400, () => 0),
      ),
    ),
  ).toContain('constant');
  expect(
    alarmsOf(
      compare(
        'float64',
        values(400, () => 0),
        values(400, () => 0),
      ),
    ),
  ).toEqual([]);
  const mostly = values(400, (at) => (at % 100 === 0 ? 1 : 0));
  expect(
    alarmsOf(
      compare(
        'float64',
        mostly,
        values(400, () => 0),
      ),
    ),
  ).toEqual([]);
  expect(
    alarmsOf(
      compare(
        'bool',
        values(400, (at) => at % 2 === 0),
        values(400, () => false),
      ),
    ),
  ).toContain('constant');
});

it('raises nothing of one key alone, however many rows it has', () => {
  const report = compare(
    'float64',
    noise(),
    values(5000, () => 0),
    undefined,
    new Map([['one', 5000]]),
  );
  expect([report.result, report.current.units, report.alarms]).toEqual(['NO DATA', 1, []]);
});

it('takes a value that everybody has for a while for one of its time', () => {
  const ofHour = (from: bigint, of: (hour: number) => number): Seen[] =>
    values(2400, () => 0).map((_, at) => ({ value: of(Math.floor(at / 100)), atUs: from + (BigInt(at) * hourUs) / 100n }));
  const weather = ofHour(0n, (hour) => hour);
  expect(
    alarmsOf(
      compare(
        'float64',
        weather,
        ofHour(24n * hourUs, () => 7),
      ),
    ),
  ).not.toContain('constant');
});

it('raises all_default and the default rate', () => {
  const before = values(400, (at) => at).map((row, at) => ({ ...row, isDefault: at % 10 === 0 }));
  const now = values(400, (at) => at).map((row) => ({ ...row, isDefault: true }));
  expect(alarmsOf(compare('float64', before, now))).toEqual(['all_default', 'default_rate']);
  const always = values(400, () => 0).map((row) => ({ ...row, isDefault: true }));
  expect(alarmsOf(compare('float64', always, always))).toEqual([]);
});

it('raises the null rate, and NaN and infinity apart from it', () => {
  const nulls = values(400, (at) => (at % 3 === 0 ? null : next()));
  expect(alarmsOf(compare('float64', noise(), nulls))).toEqual(['null_rate']);
  const broken = values(400, (at) => (at % 3 === 0 ? (at % 2 === 0 ? Number.NaN : Number.POSITIVE_INFINITY) : next()));
  const report = compare('float64', noise(), broken);
  expect(alarmsOf(report)).toEqual(['not_finite_rate']);
  expect([report.current.null_rate, report.current.not_finite_rate]).toEqual([0, 134 / 400]);
});

it('raises a category that was never seen, and not one of many that are rare', () => {
  const types = ['start', 'complete', 'skip'];
  const before = values(400, (at) => types[at % 3]);
  const report = compare(
    'string',
    before,
    values(400, (at) => (at % 20 === 0 ? 'completion' : types[at % 3])),
  );
  expect(alarmsOf(report)[0]).toBe('unseen_category');
  expect(report.alarms[0]?.text).toContain('"completion"');
  const ids = (from: number) => values(400, (at) => `id${from + at}`);
  expect(alarmsOf(compare('string', ids(0), ids(400)))).not.toContain('unseen_category');
});

it('raises what is neither declared nor was seen, however rare, and nothing of what is declared', () => {
  const declared = ['click', 'view', 'completion'];
  const before = values(400, (at) => ['click', 'view'][at % 2]);
  const now = (value: string, every: number) => values(400, (at) => (at % every === 0 ? value : ['click', 'view'][at % 2]));
  const unseen = (seen: readonly Seen[], then = before) =>
    compare('string', then, seen, undefined, undefined, declared).alarms.find(({ alarm }) => alarm === 'unseen_category');
  expect(unseen(now('completion', 20))).toBeUndefined();
  expect(unseen(now('complete', 399))?.text).toBe('0.5 % of the values are not declared, and were never seen: "complete"');
  expect(unseen(now('complete', 20), now('complete', 20))).toBeUndefined();
});

it('names the one value of what never varied, and raises nothing of it', () => {
  const zeros = values(400, () => 0);
  expect(compare('float64', zeros, zeros)).toMatchObject({ never_varied: '0', alarms: [], result: 'PASS' });
  const nulls = values(400, () => null);
  expect(compare('string', nulls, nulls)).toMatchObject({ never_varied: 'null', alarms: [] });
  for (const other of [noise(), nulls, values(400, () => 1), values(400, (at) => (at % 2 === 0 ? 0 : null)), values(10, () => 0)])
    expect(compare('float64', zeros, other).never_varied).toBeNull();
});

it('raises frozen where the source goes on, and not where it rests too', () => {
  const at = (from: bigint, lagUs: (us: bigint) => bigint): Seen[] =>
    values(480, () => next()).map((row, place) => {
      const atUs = from + (BigInt(place) * hourUs) / 20n;
      return { ...row, atUs, eventUs: atUs - lagUs(atUs) };
    });
  const before = at(0n, () => hourUs / 10n);
  const now = at(24n * hourUs, (us) => us - 30n * hourUs);
  expect(alarmsOf(compare('float64', before, now, 47n * hourUs))).toEqual(['frozen']);
  expect(alarmsOf(compare('float64', before, now, 30n * hourUs))).toEqual([]);
  expect(
    alarmsOf(
      compare(
        'float64',
        before,
        at(24n * hourUs, () => hourUs / 10n),
        48n * hourUs,
      ),
    ),
  ).toEqual([]);
});

it('compares timestamps by their age, lists by their length and vectors by their norm', () => {
  const ages = (from: bigint) =>
    values(400, () => 0).map((_, at) => ({ value: from + BigInt(at), atUs: from + BigInt(at) + 5_000_000n }));
  const report = compare('timestamp', ages(0n), ages(24n * hourUs));
  expect([report.result, report.measure, report.current.mean]).toEqual(['PASS', 'age in seconds', 5]);
  expect(
    compare(
      'list(string)',
      values(60, () => ['a']),
      values(60, () => ['a', 'b']),
    ).current.mean,
  ).toBe(2);
  expect(
    compare(
      'vector(float32,2)',
      values(60, () => [3, 4]),
      values(60, () => [3, 4]),
    ).current.mean,
  ).toBe(5);
});

it('raises on two samples of the same distribution no more than its rarity lets expect, whatever it is', () => {
  const kinds: Readonly<Record<string, (draw: () => number) => unknown>> = {
    float64: (draw) => -Math.log(1 - draw()),
    int64: (draw) => BigInt(Math.floor(draw() ** 3 * 20)),
    int32: (draw) => (draw() < 0.97 ? 0 : Math.floor(draw() * 100)),
    float32: (draw) => (draw() < 0.3 ? null : draw() < 0.02 ? Number.NaN : Math.tan(draw() * 3)),
    string: (draw) => `c${Math.floor(1 / (1 - draw()))}`,
    bool: (draw) => draw() < 0.02,
  };
  const raised: unknown[] = [];
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(kinds)),
      fc.integer({ min: 1, max: 2 ** 30 }),
      fc.integer({ min: 50, max: 2000 }),
      fc.integer({ min: 50, max: 2000 }),
      (type, seed, n, m) => {
        const draw = random(seed);
        const of = kinds[type] as (draw: () => number) => unknown;
        const rows = (count: number) => values(count, () => of(draw)).map((row) => ({ ...row, isDefault: draw() < 0.2 }));
        const report = compare(type, rows(n), rows(m));
        expect(report.result).toBe(report.alarms.length === 0 ? 'PASS' : 'FAIL');
        if (report.alarms.length > 0) raised.push({ type, seed, n, m, alarms: report.alarms });
      },
    ),
    { numRuns: 1000 },
  );
  // Of 1,000 comparisons of seven measures, each of which is wrong once in 100,000 on either side, 0.14 are expected.
  expect(raised.length, JSON.stringify(raised)).toBeLessThan(5);
});

/** Values and differences of a feature, judged by the rules of parity. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import { parseValueType } from '../../../src/definitions/value-type.ts';
import { compileComparison } from '../../../src/validate/parity/compare.ts';
import { judge, openComparison, type Side } from '../../../src/validate/parity/compare-feature.ts';
import { correlate, describeErrors } from '../../../src/validate/parity/statistics.ts';
import { computedTolerance, defaultTolerance, exactly } from '../../../src/validate/parity/tolerance.ts';

const compareAs = (type: string, tolerance = exactly) => compileComparison(parseValueType(type), tolerance);

describe('two values of a feature', () => {
  it.each<[string, LiteralValue, LiteralValue, boolean]>([
    ['int64', 9007199254740993n, 9007199254740992n, false],
    ['int64', 7n, 7n, true],
    ['float64', Number.NaN, Number.NaN, true],
    ['float64', 0, -0, true],
    ['float64', 1, 1 + Number.EPSILON, false],
    ['float64', Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false],
    ['string', 'é', 'e\u0301', false],
    ['bytes', new Uint8Array([1]), new Uint8Array([1]), true],
    ['decimal(12,2)', '1.10', '1.1', false],
    ['list(string)', ['a', null], ['a', null], true],
    ['list(string)', ['a'], ['a', null], false],
    ['date', '2026-03-10', '2026-03-10', true],
    ['bool', false, null, false],
    ['string', null, null, true],
  ])('of %s: %s and %s', (type, a, b, isSame) => {
    if (type.startsWith('decimal')) return expect(compareAs(type)('1.10', '1.10').isExact).toBe(true);
    expect(compareAs(type)(a, b)).toMatchObject({ isExact: isSame, isWithin: isSame });
  });

  it('are told how far apart they are: exactly, before anything is rounded', () => {
    expect(compareAs('int64')(9007199254740993n, 9007199254740992n).difference).toBe(1);
    expect(compareAs('decimal(38,2)')('900719925474099300.01', '900719925474099300.00').difference).toBe(0.01);
    expect(compareAs('float64')(Number.NaN, 1).difference).toBe(Number.POSITIVE_INFINITY);
    expect(compareAs('string')('a', 'b').difference).toBeUndefined();
  });

  it('are within a tolerance that is of their magnitude, or of the scale that is given', () => {
    const compare = compareAs('float64', { relative: 1e-9, absolute: 0 });
    expect(compare(1e9, 1e9 + 1).isWithin).toBe(true);
    expect(compare(1e9, 1e9 + 2).isWithin).toBe(false);
    expect(compare(0, 1e-3).isWithin).toBe(false);
    expect(compare(0, 1e-3, 1e6).isWithin).toBe(true);
    expect(compare(Number.POSITIVE_INFINITY, 1).isWithin).toBe(false);
  });
});

describe('tolerances of section 9', () => {
  const of = (name: string, type = 'float64') => defaultTolerance({ type, aggregate: { function: name } as never });

  it('are exact but for floating sums, means, deviations, rates and entropies', () => {
    expect(defaultTolerance({ type: 'float64' })).toEqual(exactly);
    for (const name of ['sum', 'mean', 'stddev']) expect(of(name)).toEqual({ relative: 1e-9, absolute: 0 });
    for (const name of ['rate', 'entropy']) expect(of(name)).toEqual({ relative: 1e-9, absolute: 1e-12 });
    for (const name of ['min', 'max', 'first', 'last', 'duration', 'last_n']) expect(of(name)).toEqual(exactly);
    expect(of('sum', 'int64')).toEqual(exactly);
    expect(of('sum', 'decimal(38,2)')).toEqual(exactly);
  });

  it('pass through transforms to floats alone', () => {
    const float = parseValueType('float64');
    expect(computedTolerance(float, [exactly])).toEqual(exactly);
    expect(computedTolerance(float, [exactly, of('sum')])).toEqual({ relative: 1e-9, absolute: 1e-12 });
    expect(computedTolerance(parseValueType('int32'), [of('sum')])).toEqual(exactly);
  });
});

/** None so small that the squares of the plain loops vanish. */
const double = fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((value) => (Math.abs(value) < 1e-100 ? 0 : value));
const number = fc.oneof(fc.integer({ min: -50, max: 50 }), double);

describe('statistics of differences', () => {
  it('are what plain loops say', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 60 }), (pairs) => {
        const a = pairs.map(([x]) => x);
        const b = pairs.map(([, y]) => y);
        const naive = describeNaively(a, b);
        const found = describeErrors(
          a,
          b,
          a.map((x, at) => Math.abs(x - (b[at] as number))),
        ) as NonNullable<ReturnType<typeof describeErrors>>;
        for (const name of ['meanAbsolute', 'maxAbsolute', 'maxRelative', 'smape', 'p50', 'p95', 'p99'] as const) {
          expect(Math.abs(found[name] - naive[name]), name).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(naive[name])));
        }
        expect(found.pearson === undefined, 'pearson').toBe(naive.pearson === undefined);
        // The naive sums of squares lose what is small beside a mean.
        if (naive.pearson !== undefined) expect(Math.abs((found.pearson as number) - naive.pearson)).toBeLessThan(1e-6);
      }),
    );
  });

  it('do not overflow, and leave out of the correlation what is not finite', () => {
    expect(correlate([1e300, -1e300, 5e299], [1e300, -1e300, 5e299])).toBeCloseTo(1, 12);
    expect(correlate([1e-300, 2e-300, 3e-300], [3, 2, 1])).toBeCloseTo(-1, 12);
    expect(correlate([1, 2, Number.NaN], [2, 4, 9])).toBeCloseTo(1, 12);
    expect(correlate([1, 1, 1], [1, 2, 3])).toBeUndefined();
    expect(describeErrors([], [], [])).toBeUndefined();
  });
});

describe('a feature', () => {
  const side = (values: readonly LiteralValue[], change: Partial<Side> = {}): Side => ({
    values,
    statuses: Uint8Array.from(values, (value) => (value === null ? 1 : 0)),
    isDefault: new Uint8Array(values.length),
    eventUs: values.map(() => 5n),
    ...change,
  });
  const int = parseValueType('int64');

  it('agrees in value, status, event timestamp and is_default, or not', () => {
    const values = [1n, 2n, 3n, 4n, null];
    const comparison = openComparison(int, exactly);
    const rows = comparison.add(
      side(values),
      side([1n, 5n, 3n, 4n, 9n], {
        statuses: Uint8Array.of(0, 0, 3, 0, 0),
        isDefault: Uint8Array.of(0, 0, 0, 1, 0),
        eventUs: [6n, 5n, 5n, 5n, 5n],
      }),
    );
    expect(rows).toEqual([0, 1, 2, 3, 4]);
    expect(comparison.finish()).toMatchObject({
      n: 5,
      exact: 0,
      within: 0,
      onlyOnlineNull: 1,
      onlyOfflineNull: 0,
      statusMismatch: 2,
      defaultMismatch: 1,
      eventMismatch: 1,
      result: 'FAIL',
    });
  });

  it('passes by the rule of the case study, and never without pairs', () => {
    expect(openComparison(int, exactly).finish()).toMatchObject({ n: 0, shareWithin: undefined, result: 'NO DATA' });
    const of = (n: number, wrong: number) => {
      const comparison = openComparison(int, exactly);
      const values = Array.from({ length: n }, (_, at) => BigInt(at));
      comparison.add(side(values), side(values.map((value, at) => (at < wrong ? value + 1n : value))));
      return comparison.finish().result;
    };
    expect([of(100, 0), of(100, 1), of(100, 2)]).toEqual(['PASS', 'PASS', 'FAIL']);
    expect([judge(1, 0.9989), judge(1, 0.999), judge(0.99, undefined), judge(undefined, undefined)]).toEqual([
      'FAIL',
      'PASS',
      'PASS',
      'NO DATA',
    ]);
  });

  it('of batch and of stream is compared by values alone', () => {
    const comparison = openComparison(int, exactly, { only: 'values' });
    expect(comparison.add(side([1n, null]), side([1n, null], { statuses: Uint8Array.of(0, 2), eventUs: [9n, null] }))).toEqual(
      [],
    );
  });
});

function describeNaively(a: readonly number[], b: readonly number[]) {
  const n = a.length;
  const differences = a.map((x, at) => Math.abs(x - (b[at] as number)));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const over = (at: number, of: number) => (differences[at] === 0 ? 0 : (differences[at] as number) / of);
  const sorted = [...differences].sort((x, y) => x - y);
  const rank = (share: number) => sorted.find((_, at) => (at + 1) / n >= share) as number;
  const mean = (values: readonly number[]) => sum(values) / n;
  const spread = (x: readonly number[], y: readonly number[]) =>
    sum(x.map((value, at) => (value - mean(x)) * ((y[at] as number) - mean(y))));
  const isConstant = (values: readonly number[]) => new Set(values.map((value) => value + 0)).size === 1;
  const pearson = isConstant(a) || isConstant(b) ? undefined : spread(a, b) / Math.sqrt(spread(a, a) * spread(b, b));
  return {
    meanAbsolute: sum(differences) / n,
    maxAbsolute: Math.max(...differences),
    maxRelative: Math.max(...a.map((x, at) => over(at, Math.max(Math.abs(x), Math.abs(b[at] as number))))),
    smape: sum(a.map((x, at) => over(at, (Math.abs(x) + Math.abs(b[at] as number)) / 2))) / n,
    p50: rank(0.5),
    p95: rank(0.95),
    p99: rank(0.99),
    // What is constant but for rounding has no correlation that a naive sum could tell.
    pearson: pearson === undefined || Number.isFinite(pearson) ? pearson : undefined,
  };
}

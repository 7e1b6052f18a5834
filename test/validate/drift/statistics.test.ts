/** Distances of distributions against plain formulas, values that are known, and what chance brings about. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { binsOf, fillBins } from '../../../src/validate/drift/histogram.ts';
import {
  isShareNoise,
  jensenShannon,
  kolmogorovSmirnov,
  noiseOf,
  stabilityIndex,
} from '../../../src/validate/drift/statistics.ts';

const few = fc
  .array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 8 })
  .filter((counts) => counts.some((n) => n > 0));
const pairs = fc.tuple(few, few).map(([a, b]) => {
  const length = Math.min(a.length, b.length);
  const cut = (counts: number[]) => counts.slice(0, length).map((n, at) => (at === 0 ? n + 1 : n));
  return [cut(a), cut(b)] as const;
});
const doubles = fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })), {
  minLength: 1,
  maxLength: 60,
});

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

it('has the values of the population stability index that its formula gives', () => {
  expect(stabilityIndex([50, 50], [90, 10])).toBeCloseTo(0.4 * Math.log(1.8) - 0.4 * Math.log(0.2), 12);
  expect(stabilityIndex([50, 50], [90, 10])).toBeCloseTo(0.87889, 6);
  // An empty bin counts as one of 0.0001.
  expect(stabilityIndex([1, 0], [0, 1])).toBeCloseTo(2 * (1 - 1e-4) * Math.log(1e4), 9);
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      let expected = 0;
      for (let bin = 0; bin < a.length; bin++) {
        const p = Math.max((a[bin] as number) / total(a), 1e-4);
        const q = Math.max((b[bin] as number) / total(b), 1e-4);
        expected += (q - p) * (Math.log(q) - Math.log(p));
      }
      expect(stabilityIndex(a, b)).toBeCloseTo(expected, 9);
      expect(stabilityIndex(a, b)).toBeCloseTo(stabilityIndex(b, a), 9);
      expect(stabilityIndex(a, a)).toBe(0);
    }),
  );
});

it('has the Jensen-Shannon divergence as the entropy of the middle less the middle of the entropies', () => {
  const entropy = (shares: readonly number[]) => shares.reduce((sum, p) => sum - (p === 0 ? 0 : p * Math.log2(p)), 0);
  expect(jensenShannon([10, 0], [0, 3])).toBe(1);
  // scipy.spatial.distance.jensenshannon([0.5, 0.5], [0.9, 0.1], base=2) ** 2
  expect(jensenShannon([50, 50], [90, 10])).toBeCloseTo(0.146793, 6);
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const p = a.map((n) => n / total(a));
      const q = b.map((n) => n / total(b));
      const middle = entropy(p.map((share, at) => (share + (q[at] as number)) / 2));
      expect(jensenShannon(a, b)).toBeCloseTo(middle - (entropy(p) + entropy(q)) / 2, 9);
    }),
  );
});

it('has the Kolmogorov-Smirnov distance as the greatest over every value', () => {
  // scipy.stats.ks_2samp([1, 2, 3, 4], [3, 4, 5, 6]).statistic
  expect(kolmogorovSmirnov([1, 2, 3, 4], [3, 4, 5, 6])).toBe(0.5);
  const share = (values: readonly number[], limit: number) => values.filter((value) => value <= limit).length / values.length;
  fc.assert(
    fc.property(doubles, doubles, (a, b) => {
      const expected = Math.max(...[...a, ...b].map((value) => Math.abs(share(a, value) - share(b, value))));
      expect(kolmogorovSmirnov(Float64Array.from(a).sort(), Float64Array.from(b).sort())).toBeCloseTo(expected, 12);
    }),
  );
});

it('puts every number into one bin, as a plain search does, and whatever is below the reference apart', () => {
  fc.assert(
    fc.property(doubles, doubles, (a, b) => {
      const reference = profile(a);
      const bins = binsOf(reference, 'numbers');
      if (bins.kind !== 'numbers') throw new Error('numbers have edges');
      const { counts } = fillBins(bins, { ...reference, numbers: Float64Array.from(b).sort() });
      const expected = new Array<number>(bins.edges.length + 1).fill(0);
      for (const value of b) {
        const at = bins.edges.findIndex((edge) => value <= edge);
        const bin = at < 0 ? bins.edges.length : at;
        expected[bin] = (expected[bin] as number) + 1;
      }
      expect(counts).toEqual(expected);
      expect(counts[0]).toBe(b.filter((value) => value < Math.min(...a)).length);
      const own = fillBins(bins, reference).counts;
      expect([own[0], own.at(-1), total(own)]).toEqual([0, 0, a.length]);
    }),
  );
});

it('counts the most frequent categories, and all others as one', () => {
  const categories = new Map(Array.from({ length: 30 }, (_, at) => [`c${at}`, 100 - at]));
  const bins = binsOf({ ...profile([]), categories, n: 1000, units: 1000 }, 'categories');
  const { counts } = fillBins(bins, {
    numbers: new Float64Array(),
    categories: new Map([
      ['c0', 3],
      ['c29', 2],
      ['new', 1],
    ]),
  });
  expect([counts[0], counts.at(-1), counts.length]).toEqual([3, 3, 21]);
});

it('takes nothing for drift that chance brings about', () => {
  const { next } = createRandom(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  for (let run = 0; run < 400; run++) {
    const [n, m] = [50 + Math.floor(next() * 500), 50 + Math.floor(next() * 500)];
    const a = Float64Array.from({ length: n }, normal).sort();
    const b = Float64Array.from({ length: m }, normal).sort();
    const reference = profile(a);
    const bins = binsOf(reference, 'numbers');
    const [before, now] = [fillBins(bins, reference).counts, fillBins(bins, { ...reference, numbers: b }).counts];
    const noise = noiseOf(n, m, 12);
    expect(jensenShannon(before, now)).toBeLessThan(noise.js);
    expect(kolmogorovSmirnov(a, b)).toBeLessThan(noise.ks);
    const share = (of: number) => Array.from({ length: of }, next).filter((value) => value < 0.3).length / of;
    expect(isShareNoise(share(n), n, share(m), m)).toBe(true);
  }
  expect(isShareNoise(0.1, 500, 0.5, 500)).toBe(false);
});

function profile(numbers: ArrayLike<number>) {
  const sorted = Float64Array.from(numbers).sort();
  return { numbers: sorted, categories: new Map<string, number>(), n: sorted.length, units: sorted.length };
}

/** The same numbers in every run. */
function createRandom(seed: number): { next(): number } {
  let state = seed;
  return {
    next() {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    },
  };
}

/** Histograms whose bins come from the reference: quantiles for numbers, the most frequent categories for everything else. */
import type { Profile } from './tally.ts';

/** Bins of numbers: below the first edge, up to and with each edge, and above the last one. */
export type Bins =
  | { readonly kind: 'numbers'; readonly edges: readonly number[] }
  | { readonly kind: 'categories'; readonly categories: readonly string[] };

/** `counts` has one more than there are edges, or categories: what is above, or any other category. */
export type Histogram = Bins & { readonly counts: readonly number[] };

type Binned = Pick<Profile, 'numbers' | 'categories' | 'n' | 'units'>;

const mostNumberBins = 10;
const mostCategoryBins = 20;
/** Keys that a category of its own has: rarer ones come and go by chance, and together they do not. */
const leastCategoryKeys = 5;

/** The least edge lies just below the least number, so that what is below the reference stands apart. */
export function binsOf({ numbers, categories, n, units }: Binned, kind: Bins['kind']): Bins {
  if (kind === 'categories') {
    const frequent = [...categories].filter(([, count]) => (count * units) / n >= leastCategoryKeys);
    const sorted = frequent.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    return { kind, categories: sorted.slice(0, mostCategoryBins).map(([category]) => category) };
  }
  if (numbers.length === 0) return { kind, edges: [] };
  const quantiles = Array.from(
    { length: mostNumberBins },
    (_, at) => numbers[Math.ceil(((at + 1) * numbers.length) / mostNumberBins) - 1] as number,
  );
  return { kind, edges: [...new Set([justBelow(numbers[0] as number), ...quantiles])] };
}

export function fillBins(bins: Bins, { numbers, categories }: Pick<Profile, 'numbers' | 'categories'>): Histogram {
  if (bins.kind === 'categories') {
    const counts = [...bins.categories.map((category) => categories.get(category) ?? 0), 0];
    const total = [...categories.values()].reduce((sum, count) => sum + count, 0);
    counts[counts.length - 1] = total - counts.reduce((sum, count) => sum + count, 0);
    return { ...bins, counts };
  }
  const counts = new Array<number>(bins.edges.length + 1).fill(0);
  let bin = 0;
  for (const value of numbers) {
    while (bin < bins.edges.length && value > (bins.edges[bin] as number)) bin += 1;
    counts[bin] = (counts[bin] as number) + 1;
  }
  return { ...bins, counts };
}

/** The double that comes before. */
function justBelow(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}

/** How far two distributions are apart, and how far two samples of one distribution are apart by chance. */

/** Least share of a bin in the population stability index, so that an empty bin counts much and not infinitely. */
const leastShare = 1e-4;

/** Population stability index of counts by bin: the sum of (q - p) ln(q / p) over shares; 0 where both are the same. */
export function stabilityIndex(reference: readonly number[], current: readonly number[]): number {
  const p = sharesOf(reference);
  const q = sharesOf(current);
  return p.reduce((sum, share, bin) => {
    const a = Math.max(share, leastShare);
    const b = Math.max(q[bin] as number, leastShare);
    return sum + (b - a) * Math.log(b / a);
  }, 0);
}

/** Jensen-Shannon divergence of counts by bin, in bits: 0 for the same, 1 for two that have no bin in common. */
export function jensenShannon(reference: readonly number[], current: readonly number[]): number {
  const p = sharesOf(reference);
  const q = sharesOf(current);
  const toMiddle = (share: number, other: number) => (share === 0 ? 0 : share * Math.log2((2 * share) / (share + other)));
  const bits = p.reduce((sum, share, bin) => {
    const other = q[bin] as number;
    return sum + toMiddle(share, other) / 2 + toMiddle(other, share) / 2;
  }, 0);
  return Math.min(1, Math.max(0, bits));
}

/** Kolmogorov-Smirnov: the greatest distance of the two empirical distribution functions. Both are sorted and not empty. */
export function kolmogorovSmirnov(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  let [one, other, greatest] = [0, 0, 0];
  while (one < reference.length && other < current.length) {
    const value = Math.min(reference[one] as number, current[other] as number);
    while (reference[one] === value) one += 1;
    while (current[other] === value) other += 1;
    greatest = Math.max(greatest, Math.abs(one / reference.length - other / current.length));
  }
  return greatest;
}

/** What chance alone brings about once in a hundred thousand comparisons, for samples of so many independent draws. */
export interface Noise {
  /** Of either distance over bins: the stability index of empty bins is too rough to tell chance by. */
  readonly js: number;
  readonly ks: number;
}

export function noiseOf(reference: number, current: number, bins: number): Noise {
  const pairs = (reference * current) / (reference + current);
  const chi = chiSquareQuantile(Math.max(1, bins - 1));
  return {
    js: chi / (8 * Math.LN2 * pairs),
    // The two-sided limit of Kolmogorov's distribution.
    ks: Math.sqrt(-Math.log(rarity / 2) / 2 / pairs),
  };
}

/** Whether shares of two samples differ by more than chance explains. */
export function isShareNoise(reference: number, ofReference: number, current: number, ofCurrent: number): boolean {
  const pooled = (reference * ofReference + current * ofCurrent) / (ofReference + ofCurrent);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / ofReference + 1 / ofCurrent));
  return Math.abs(current - reference) <= quantile * error;
}

const rarity = 1e-5;
/** Of the normal distribution, beyond which lies `rarity` on one side. */
const quantile = 4.264_890_793_922_825;

/** Of so many degrees of freedom, by Wilson and Hilferty. */
function chiSquareQuantile(degrees: number): number {
  const part = 2 / (9 * degrees);
  return degrees * (1 - part + quantile * Math.sqrt(part)) ** 3;
}

function sharesOf(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

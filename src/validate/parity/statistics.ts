/** What is told of the differences between two columns of numbers. */

export interface ErrorStatistics {
  readonly meanAbsolute: number;
  readonly maxAbsolute: number;
  /** Of the greater magnitude of both; 0 where both are 0. */
  readonly maxRelative: number;
  /** Mean of 2 |a - b| / (|a| + |b|), 0 where both are 0. */
  readonly smape: number;
  /** undefined where one side is constant, or fewer than two pairs are finite. */
  readonly pearson: number | undefined;
  /** Of the absolute differences, by the nearest rank. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Of pairs of numbers and their absolute differences, which are given as they may be exact where the numbers are rounded; undefined of none. */
export function describeErrors(
  a: readonly number[],
  b: readonly number[],
  differences: readonly number[],
): ErrorStatistics | undefined {
  const n = differences.length;
  if (n === 0) return undefined;
  const sorted = Float64Array.from(differences).sort();
  let mean = 0;
  let maxRelative = 0;
  let smape = 0;
  for (let at = 0; at < n; at++) {
    const difference = differences[at] as number;
    mean += difference / n;
    if (difference === 0) continue;
    const x = Math.abs(a[at] as number);
    const y = Math.abs(b[at] as number);
    const most = Math.max(x, y);
    const isComparable = Number.isFinite(difference) && Number.isFinite(most);
    maxRelative = Math.max(maxRelative, isComparable ? difference / most : Number.POSITIVE_INFINITY);
    // Divided in this order nothing overflows, and nothing is divided by a sum that is rounded to 0.
    smape += (isComparable ? (2 * (difference / most)) / (1 + Math.min(x, y) / most) : 2) / n;
  }
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * n) - 1)] as number;
  return {
    meanAbsolute: mean,
    maxAbsolute: sorted[n - 1] as number,
    maxRelative,
    smape,
    pearson: correlate(a, b),
    p50: rank(0.5),
    p95: rank(0.95),
    p99: rank(0.99),
  };
}

/** Pearson's correlation of the pairs in which both are finite. */
export function correlate(a: readonly number[], b: readonly number[]): number | undefined {
  const x: number[] = [];
  const y: number[] = [];
  for (let at = 0; at < a.length; at++) {
    if (!Number.isFinite(a[at]) || !Number.isFinite(b[at])) continue;
    x.push(a[at] as number);
    y.push(b[at] as number);
  }
  const [xs, ys] = [standardize(x), standardize(y)];
  if (xs === undefined || ys === undefined) return undefined;
  let sum = 0;
  for (let at = 0; at < xs.length; at++) sum += (xs[at] as number) * (ys[at] as number);
  return Math.max(-1, Math.min(1, sum));
}

/** Deviations from the mean as a vector of length 1; undefined where all are the same. Scaled first, so that no square overflows. */
function standardize(values: readonly number[]): Float64Array | undefined {
  const [first] = values;
  if (first === undefined || values.every((value) => value === first)) return undefined;
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  let mean = 0;
  for (const value of values) mean += value / most / values.length;
  const deviations = Float64Array.from(values, (value) => value / most - mean);
  let largest = 0;
  for (const value of deviations) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return undefined;
  let squares = 0;
  for (const value of deviations) squares += (value / largest) ** 2;
  const length = Math.sqrt(squares) * largest;
  return deviations.map((value) => value / length);
}

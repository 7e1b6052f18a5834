/** Labels that a feature gives away: equal to it, determined by it, ordered as it is, or separated by it almost perfectly. */
import type { AuditedLabel } from './report.ts';
import { identify } from './same-value.ts';

export interface Series {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** So few repeats, or rows of a class, are no evidence of anything. */
const leastRows = 20;
const leastOfClass = 10;
const leastShare = 0.999;
/** How unlikely an agreement must be, if the label had nothing to do with the feature. */
const chance = 1e-9;

/**
 * What of each label some feature tells, at most one finding a feature and label: the plainest. `identities` are equal for rows of the same
 * keys and time, which count once.
 */
export function findGivenAway(
  labels: readonly Series[],
  features: readonly Series[],
  identities: readonly string[],
): readonly AuditedLabel[] {
  const seen = new Set<string>();
  const rows = [...identities.keys()].filter((row) => {
    const identity = identities[row] as string;
    return !seen.has(identity) && seen.add(identity);
  });
  return labels.flatMap((label) => features.flatMap((feature) => judgePair(label, feature, rows) ?? []));
}

function judgePair(label: Series, feature: Series, all: readonly number[]): AuditedLabel | undefined {
  const rows = all.filter((row) => !isNull(label.values[row]));
  const classes = new Set(rows.map((row) => identify(label.values[row])));
  if (rows.length < leastRows || classes.size < 2) return undefined;
  const finding = (how: AuditedLabel['how'], score: number, of: number, text: string): AuditedLabel => ({
    label: label.name,
    column: feature.name,
    how,
    rows: of,
    score,
    text: `${text} (${of} rows)`,
  });
  const equal = rows.filter((row) => sameNumber(label.values[row], feature.values[row])).length / rows.length;
  if (equal >= leastShare) return finding('equal', equal, rows.length, `"${feature.name}" is the label "${label.name}"`);
  const given = rows.filter((row) => !isNull(feature.values[row]));
  const numbers = given.map((row) => [asNumber(feature.values[row]), asNumber(label.values[row])] as const);
  const isNumeric = numbers.every(([x, y]) => x !== undefined && y !== undefined);
  if (isNumeric && classes.size > 2 && given.length >= leastRows) {
    const rank = Math.abs(
      correlateRanks(
        numbers.map(([x]) => x as number),
        numbers.map(([, y]) => y as number),
      ),
    );
    if (rank >= 0.9999)
      return finding('orders', rank, given.length, `"${feature.name}" orders rows as the label "${label.name}" does`);
  }
  if (isNumeric && classes.size === 2) {
    const area = separate(numbers as readonly (readonly [number, number])[]);
    if (area !== undefined && area >= leastShare) {
      return finding(
        'separates',
        area,
        given.length,
        `"${feature.name}" alone separates the classes of "${label.name}" (AUC ${area.toFixed(4)})`,
      );
    }
  }
  const share = determine(label, feature, rows);
  return share === undefined
    ? undefined
    : finding('determines', share, rows.length, `each value of "${feature.name}" has one value of the label "${label.name}"`);
}

/** Share of repeated values that agree on the label, where that is all but 1 in 1000 and would be chance once in 10^9 cases; otherwise undefined. */
function determine(label: Series, feature: Series, rows: readonly number[]): number | undefined {
  const groups = new Map<string, Map<string, number>>();
  const totals = new Map<string, number>();
  for (const row of rows) {
    const group = groups.get(identify(feature.values[row])) ?? new Map<string, number>();
    groups.set(identify(feature.values[row]), group);
    const value = identify(label.values[row]);
    group.set(value, (group.get(value) ?? 0) + 1);
    totals.set(value, (totals.get(value) ?? 0) + 1);
  }
  if (groups.size < 2) return undefined;
  let repeated = 0;
  let agreeing = 0;
  let repeats = 0;
  for (const group of groups.values()) {
    const size = [...group.values()].reduce((sum, count) => sum + count, 0);
    if (size < 2) continue;
    repeated += size;
    agreeing += Math.max(...group.values());
    repeats += size - 1;
  }
  if (repeated < rows.length / 2 || repeats < leastRows || agreeing / repeated < leastShare) return undefined;
  const sameByChance = [...totals.values()].reduce((sum, count) => sum + (count / rows.length) ** 2, 0);
  return repeats * Math.log(sameByChance) < Math.log(chance) ? agreeing / repeated : undefined;
}

/** The area under the curve of a two-valued label, whichever way round; undefined where a class has too few rows. */
function separate(pairs: readonly (readonly [number, number])[]): number | undefined {
  const greater = Math.max(...new Set(pairs.map(([, y]) => y)));
  const positives = pairs.filter(([, y]) => y === greater).length;
  const negatives = pairs.length - positives;
  if (Math.min(positives, negatives) < leastOfClass) return undefined;
  const ranks = rank(pairs.map(([x]) => x));
  const sum = pairs.reduce((total, [, y], at) => total + (y === greater ? (ranks[at] as number) : 0), 0);
  const area = (sum - (positives * (positives + 1)) / 2) / (positives * negatives);
  return Math.max(area, 1 - area);
}

function correlateRanks(xs: readonly number[], ys: readonly number[]): number {
  const a = rank(xs);
  const b = rank(ys);
  const mean = (xs.length + 1) / 2;
  let both = 0;
  let ofX = 0;
  let ofY = 0;
  for (let at = 0; at < xs.length; at++) {
    const x = (a[at] as number) - mean;
    const y = (b[at] as number) - mean;
    both += x * y;
    ofX += x * x;
    ofY += y * y;
  }
  return ofX === 0 || ofY === 0 ? 0 : both / Math.sqrt(ofX * ofY);
}

/** Ranks from 1; equal values share the mean of theirs. */
function rank(values: readonly number[]): Float64Array {
  const order = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to += 1;
    for (let at = from; at < to; at++) ranks[order[at] as number] = (from + to + 1) / 2;
  }
  return ranks;
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined || Number.isNaN(value);
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'boolean' || typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

function sameNumber(a: unknown, b: unknown): boolean {
  const [x, y] = [asNumber(a), asNumber(b)];
  return x !== undefined && y !== undefined ? x === y : identify(a) === identify(b);
}

/** Histograms with the names of their bins, and on a scale that several share. */
import type { DriftValues, Histogram } from '../api/reports.ts';
import { formatNumber } from './format.ts';

export interface NamedBin {
  readonly name: string;
  readonly count: number;
}

export function nameBins({ kind, edges = [], categories = [], counts }: Histogram): readonly NamedBin[] {
  const nameOf = (at: number): string => {
    if (kind === 'categories') return categories[at] ?? 'any other';
    if (edges.length === 0) return 'all';
    const [below, above] = [showEdge(edges[at - 1]), showEdge(edges[at])];
    if (at === 0) return `to ${above}`;
    if (at === edges.length) return `above ${below}`;
    return below === above ? above : `${below} to ${above}`;
  };
  return counts.map((count, at) => ({ name: nameOf(at), count }));
}

/** The least edge lies one double below the least value: of 0 that is no number to show. */
function showEdge(edge: number | undefined): string {
  return formatNumber(edge !== undefined && Math.abs(edge) < 1e-300 ? 0 : edge);
}

/** A bin on the scale of all values: both ends, and the share of values that lie in it. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** Of numbers; the outer bins end at the least and the greatest value. */
export function bandsOf({ histogram, least, greatest }: DriftValues): readonly Band[] {
  const { edges = [], counts } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 || least === null || greatest === null) return [];
  return counts.flatMap((count, at): readonly Band[] => {
    if (count === 0) return [];
    const from = at === 0 ? least : Math.max(least, edges[at - 1] ?? least);
    const to = at === edges.length ? greatest : Math.min(greatest, edges[at] ?? greatest);
    return [{ from, to: Math.max(from, to), share: count / total }];
  });
}

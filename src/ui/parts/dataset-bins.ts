/** Histograms of datasets with the names of their bins: one by itself, and two on one scale. */
import type { DatasetHistogram } from '../api/datasets.ts';
import type { Histogram } from '../api/reports.ts';
import { formatInstant, formatNumber } from './format.ts';

/** Where its bins begin and end, as numbers: of instants milliseconds. */
interface Scale {
  readonly from: number;
  readonly to: number;
  format(value: number): string;
}

/** Its bins by name. */
export function binsOf(histogram: DatasetHistogram): Histogram {
  return named(scaleOf(histogram), histogram.counts);
}

/** Both in bins of one scale; a bin that lies across two of these falls into them by its overlap. undefined where one has none. */
export function pairBins(
  one: DatasetHistogram | undefined,
  other: DatasetHistogram | undefined,
): readonly [Histogram, Histogram] | undefined {
  if (one === undefined || other === undefined) return undefined;
  const [a, b] = [scaleOf(one), scaleOf(other)];
  const scale = { ...a, from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
  if (!(scale.to > scale.from) || !Number.isFinite(scale.to - scale.from)) return undefined;
  const bins = Math.max(one.counts.length, other.counts.length, 2);
  return [named(scale, spread(a, one.counts, scale, bins)), named(scale, spread(b, other.counts, scale, bins))];
}

function scaleOf({ min, max }: DatasetHistogram): Scale {
  if (!/^\d{4}-\d\d-\d\d/.test(min)) return { from: Number(min), to: Number(max), format: formatNumber };
  const isDay = !min.includes('T');
  const isZoned = isDay || min.endsWith('Z');
  const parse = (text: string) => Date.parse(isZoned ? text : `${text}Z`);
  const format = (value: number) => {
    if (Number.isNaN(value)) return '–';
    const text = new Date(value).toISOString();
    return isDay ? text.slice(0, 10) : formatInstant(isZoned ? text : text.slice(0, 19));
  };
  return { from: parse(min), to: parse(max), format };
}

function named({ from, to, format }: Scale, counts: readonly number[]): Histogram {
  const edge = (at: number) => format(from + ((to - from) * at) / counts.length);
  const names = counts.map((_, at) => (from === to ? edge(0) : `${edge(at)} to ${edge(at + 1)}`));
  return { kind: 'categories', categories: names, counts };
}

function spread({ from, to }: Scale, counts: readonly number[], scale: Scale, bins: number): readonly number[] {
  const found = new Array<number>(bins).fill(0);
  const wide = (scale.to - scale.from) / bins;
  const width = (to - from) / counts.length;
  for (const [at, count] of counts.entries()) {
    const left = (from + at * width - scale.from) / wide;
    const right = left + width / wide;
    const first = Math.min(bins - 1, Math.floor(left));
    const last = Math.min(bins - 1, Math.max(first, Math.ceil(right) - 1));
    for (let bin = first; bin <= last; bin++) {
      const share = last === first ? 1 : (Math.min(right, bin + 1) - Math.max(left, bin)) / (right - left);
      found[bin] = (found[bin] as number) + count * share;
    }
  }
  return found;
}

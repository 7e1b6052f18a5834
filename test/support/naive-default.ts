/** Rules 5.2 and 5.3 as plain loops: the number that a fitted default is at an instant. */
import { floorNaively } from './naive-instant.ts';
import type { NaiveType } from './naive-join.ts';
import { compareNaively } from './naive-order.ts';

export type NaiveFitted = 'mean' | 'median' | 'mode';

/** A row of the view that counts: its keys and event time are not null; `visibleUs` null is never. */
export interface NaiveVersion {
  readonly visibleUs: bigint | null;
  readonly value: unknown;
}

/** The fitted value at `timeUs`, or undefined where no row had a value by the midnight before it. */
export function fitNaively(fitted: NaiveFitted, type: NaiveType, versions: readonly NaiveVersion[], timeUs: bigint): unknown {
  const midnight = floorNaively(timeUs, 86_400_000_000n);
  const values: unknown[] = [];
  for (const { visibleUs, value } of versions) {
    if (visibleUs !== null && visibleUs < midnight && value !== null) values.push(value);
  }
  if (values.length === 0) return undefined;
  values.sort((a, b) => compareNaively(type, a, b));
  if (fitted === 'mode') return mostFrequent(type, values);
  const number = fitted === 'mean' ? mean(values as number[]) : median(values as number[]);
  return type.kind === 'float32' ? Math.fround(number) : number;
}

function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Of equally frequent values the least: the first run of that length in sorted order. */
function mostFrequent(type: NaiveType, sorted: readonly unknown[]): unknown {
  let best: unknown;
  let most = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (to < sorted.length && compareNaively(type, sorted[from], sorted[to]) === 0) to++;
    if (to - from > most) [best, most] = [sorted[from], to - from];
    from = to;
  }
  return best;
}

/** Fitted defaults (rule 5.3) as steps over days: computed once from all rows of a projection, looked up by the day of T. */
import { columnFromValues } from '../../arrow/build.ts';
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import type { FittedKind } from '../../definitions/fitted.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { FeatureDocument } from '../../registry/document.ts';
import { featureField } from '../feature-field.ts';
import { daysOf } from '../instants.ts';
import type { Bucket } from '../projection/bucket.ts';
import type { Projection } from '../projection/store.ts';
import { compareValues } from './value-order.ts';

/** `values` row i holds from the day after `days[i]` on, until the day after `days[i + 1]`. */
export interface FittedSteps {
  readonly days: Int32Array;
  readonly values: Column;
}

/** Which rows count, and when they become visible. */
export interface FittedRule {
  readonly delayUs: bigint;
  readonly asKnown: boolean;
}

/** The row of `steps.values` that holds on a day, -1 where no value was visible before it. */
export function stepAt(steps: FittedSteps, day: number): number {
  let from = 0;
  let to = steps.days.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((steps.days[middle] as number) < day) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

/** Computes the steps of one feature: values of every version of every key, by the day on which they became visible. */
export async function fitDefault(
  projection: Projection,
  featureIndex: number,
  kind: FittedKind,
  rule: FittedRule,
): Promise<FittedSteps> {
  const feature = projection.view.features[featureIndex] as FeatureDocument;
  const type = parseValueType(feature.type);
  const byDay = new Map<number, unknown[]>();
  for (let index = 0; index < projection.buckets; index++) {
    collectValues(await projection.bucket(index), featureIndex, rule, byDay);
  }
  const days = Int32Array.from(byDay.keys()).sort();
  const state = accumulators[kind](type, byDay);
  const values = Array.from(days, (day) => {
    for (const value of byDay.get(day) as unknown[]) state.add(value);
    return state.current();
  });
  return { days, values: columnFromValues(featureField(feature.name, type), values) };
}

/** A row that never becomes visible holds the greatest instant, whose day no T reaches. */
function collectValues(bucket: Bucket, featureIndex: number, rule: FittedRule, byDay: Map<number, unknown[]>): void {
  const column = bucket.feature(featureIndex);
  const visibility = bucket.visibility(rule.delayUs, rule.asKnown);
  const days = visibility === undefined ? daysOf(bucket.event, rule.delayUs) : daysOf(visibility.levels[0] as Int32Array);
  const never = visibility === undefined ? undefined : (visibility.levels[0] as Int32Array);
  for (let row = 0; row < bucket.rows; row++) {
    const value = readValue(column, row);
    if (value === null || (never?.[2 * row] === -1 && never[2 * row + 1] === 0x7fff_ffff)) continue;
    const day = days[row] as number;
    const values = byDay.get(day);
    if (values === undefined) byDay.set(day, [value]);
    else values.push(value);
  }
}

interface Accumulator {
  add(value: unknown): void;
  current(): unknown;
}

const accumulators: Record<FittedKind, (type: ValueType, byDay: ReadonlyMap<number, unknown[]>) => Accumulator> = {
  mean() {
    let sum = 0;
    let count = 0;
    return {
      add(value) {
        sum += value as number;
        count += 1;
      },
      current: () => sum / count,
    };
  },
  median: (_, byDay) => createRunningMedian(byDay),
  mode(type) {
    const counts = new Map<unknown, number>();
    let best: unknown = null;
    let bestCount = 0;
    return {
      add(value) {
        const identity = identify(value);
        const count = (counts.get(identity) ?? 0) + 1;
        counts.set(identity, count);
        if (count > bestCount || (count === bestCount && compareValues(type, value, best) < 0)) {
          best = value;
          bestCount = count;
        }
      },
      current: () => best,
    };
  },
};

/** The median of a growing set whose values are known in advance: a Fenwick tree of counts over their ranks. */
function createRunningMedian(byDay: ReadonlyMap<number, unknown[]>): Accumulator {
  let size = 0;
  for (const values of byDay.values()) size += values.length;
  const all = new Float64Array(size);
  let at = 0;
  for (const values of byDay.values()) {
    all.set(values as number[], at);
    at += values.length;
  }
  const ranked = all.sort();
  const tree = new Int32Array(size + 1);
  const top = 2 ** Math.floor(Math.log2(Math.max(1, size)));
  let count = 0;
  /** The value with `below` values under it. */
  const select = (below: number) => {
    let position = 0;
    let rest = below;
    for (let step = top; step > 0; step >>= 1) {
      const next = position + step;
      if (next <= size && (tree[next] as number) <= rest) {
        position = next;
        rest -= tree[next] as number;
      }
    }
    return ranked[position] as number;
  };
  return {
    add(value) {
      for (let slot = rankOf(ranked, value as number) + 1; slot <= size; slot += slot & -slot)
        tree[slot] = (tree[slot] as number) + 1;
      count += 1;
    },
    current() {
      if (count % 2 === 1) return select((count - 1) / 2);
      const low = select(count / 2 - 1);
      const high = select(count / 2);
      return low === high ? low : low / 2 + high / 2;
    },
  };
}

/** The first rank of a value; NaN stands above every number. */
function rankOf(ranked: Float64Array, value: number): number {
  let from = 0;
  let to = ranked.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = ranked[middle] as number;
    if (Number.isNaN(other) ? false : Number.isNaN(value) || other < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** A primitive that is the same for equal values and for them alone, within one type. */
function identify(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  return JSON.stringify(value, (_, part) => {
    if (typeof part === 'bigint') return `${part}n`;
    if (typeof part === 'number') return Number.isFinite(part) ? part : String(part);
    return part instanceof Uint8Array ? Buffer.from(part).toString('latin1') : part;
  });
}

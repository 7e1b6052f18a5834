/** Aggregates by their definitions (semantics 6.10), over all events of a window at once; it shares no code with src/aggregate. */
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { compareValues } from '../../src/definitions/value-order.ts';
import type { ValueType } from '../../src/definitions/value-type.ts';

export interface NaiveEvent {
  readonly timeUs: bigint;
  readonly value: LiteralValue;
  readonly over: boolean;
}

export interface NaiveAnswer {
  readonly value: LiteralValue;
  /** How far another answer may be from it (section 9); 0 where it must be the same. */
  readonly tolerance: number;
}

type Naive = (events: readonly NaiveEvent[], type: ValueType, size: number) => NaiveAnswer;

const exactly = (value: LiteralValue): NaiveAnswer => ({ value, tolerance: 0 });

export const naiveAggregates: Readonly<Record<string, Naive>> = {
  count: (events) => exactly(BigInt(events.length)),
  sum: (events, type) => sumOf(valuesOf(events), type),
  mean(events, type) {
    const values = valuesOf(events).map(Number);
    if (values.length === 0) return exactly(null);
    const size = values.reduce((sum, value) => sum + Math.abs(value), 0);
    const sum = sumOf(valuesOf(events), type, true).value;
    return { value: Number(sum) / values.length, tolerance: (1e-9 * size) / values.length };
  },
  min: (events, type) => exactly(inOrder(valuesOf(events), type)[0] ?? null),
  max: (events, type) => exactly(inOrder(valuesOf(events), type).at(-1) ?? null),
  stddev(events) {
    const values = valuesOf(events).map(Number);
    if (values.length < 2) return exactly(null);
    if (!values.every(Number.isFinite)) return exactly(Number.NaN);
    const greatest = Math.max(...values.map(Math.abs)) || 1;
    const scaled = values.map((value) => value / greatest);
    const mean = scaled.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = scaled.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const rootMeanSquare = Math.sqrt(scaled.reduce((sum, value) => sum + value ** 2, 0) / values.length) * greatest;
    return { value: Math.sqrt(squares / (values.length - 1)) * greatest, tolerance: 1e-9 * rootMeanSquare };
  },
  rate(events) {
    const over = events.filter((event) => event.over).length;
    return exactly(over === 0 ? null : events.filter(({ value }) => value === true).length / over);
  },
  first: (events, type) => exactly(byTime(events, type)[0] ?? null),
  last: (events, type) => exactly(byTime(events, type).at(-1) ?? null),
  last_n(events, type, size) {
    const values = byTime(events, type).reverse().slice(0, size);
    return exactly(values.length === 0 ? null : values);
  },
  count_distinct: (events, type) => exactly(BigInt(countEach(valuesOf(events), type).length)),
  top_k(events, type, size) {
    const counted = countEach(valuesOf(events), type).sort((a, b) => b.count - a.count || compareValues(type, a.value, b.value));
    return exactly(counted.length === 0 ? null : counted.slice(0, size).map(({ value }) => value));
  },
  entropy(events, type) {
    const counted = countEach(valuesOf(events), type);
    if (counted.length < 2) return exactly(counted.length === 0 ? null : 0);
    const all = valuesOf(events).length;
    const value = counted.reduce((sum, { count }) => sum + (count / all) * Math.log(all / count), 0);
    return { value, tolerance: 1e-9 * value + 1e-12 };
  },
  duration(events) {
    const times = events.map(({ timeUs }) => timeUs).sort((a, b) => (a < b ? -1 : 1));
    const [first] = times;
    return exactly(first === undefined ? null : Number((times.at(-1) as bigint) - first) / 1e6);
  },
};

function valuesOf(events: readonly NaiveEvent[]): NonNullable<LiteralValue>[] {
  return events.map(({ value }) => value).filter((value) => value !== null);
}

function sumOf(values: readonly NonNullable<LiteralValue>[], type: ValueType, isWide = false): NaiveAnswer {
  if (type.kind.startsWith('float')) {
    const size = values.reduce<number>((sum, value) => sum + Math.abs(value as number), 0);
    return { value: values.reduce<number>((sum, value) => sum + (value as number), 0), tolerance: 1e-9 * size };
  }
  const scale = type.kind === 'decimal' ? type.scale : 0;
  const units = values.reduce<bigint>((sum, value) => sum + BigInt(String(value).replace('.', '')), 0n);
  if (isWide) return exactly(Number(`${units}e-${scale}`));
  if (type.kind !== 'decimal') return exactly(units >= -(2n ** 63n) && units < 2n ** 63n ? units : null);
  const digits = String(units)
    .replace('-', '')
    .padStart(scale + 1, '0');
  if (digits.replace(/^0+/, '').length > 38) return exactly(null);
  const point = digits.length - scale;
  return exactly(`${units < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`);
}

function inOrder(values: readonly NonNullable<LiteralValue>[], type: ValueType): NonNullable<LiteralValue>[] {
  return [...values].sort((a, b) => compareValues(type, a, b));
}

/** From the oldest to the newest, equal times by value. */
function byTime(events: readonly NaiveEvent[], type: ValueType): NonNullable<LiteralValue>[] {
  return events
    .filter(({ value }) => value !== null)
    .sort((a, b) => Number(a.timeUs - b.timeUs) || compareValues(type, a.value, b.value))
    .map(({ value }) => value as NonNullable<LiteralValue>);
}

function countEach(values: readonly NonNullable<LiteralValue>[], type: ValueType) {
  const counted: { value: NonNullable<LiteralValue>; count: number }[] = [];
  for (const value of values) {
    const same = counted.find((entry) => compareValues(type, entry.value, value) === 0);
    if (same === undefined) counted.push({ value, count: 1 });
    else same.count += 1;
  }
  return counted;
}

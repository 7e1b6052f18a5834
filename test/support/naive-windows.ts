/** Window and session aggregates as plain loops over design section 6 (and 5.4): the oracle of stream views. */
import type { LiteralValue } from '../../src/definitions/literal.ts';
import type { ValueType } from '../../src/definitions/value-type.ts';
import { type NaiveAnswer, naiveAggregates } from './naive-aggregate.ts';
import { floorNaively } from './naive-instant.ts';

export interface NaiveWindowEvent {
  readonly key: bigint | null;
  readonly timeUs: bigint | null;
  readonly isValid: boolean;
  readonly id: bigint | null;
  readonly values: Readonly<Record<string, LiteralValue>>;
}

type Condition = (event: NaiveWindowEvent) => boolean | null;

export interface NaiveWindowFeature {
  readonly name: string;
  readonly function: string;
  readonly type: ValueType;
  readonly value?: (event: NaiveWindowEvent) => LiteralValue;
  readonly where?: Condition;
  readonly condition?: Condition;
  readonly over?: Condition;
  /** Absent is a session's. */
  readonly windowUs?: bigint | 'lifetime';
  readonly hopUs?: bigint;
  readonly size: number;
  readonly default?: { readonly literal: LiteralValue } | { readonly fitted: 'mean' | 'median' | 'mode' };
  /** Of the result. */
  readonly resultType: ValueType;
}

export interface NaiveWindowView {
  readonly delayUs: bigint;
  readonly gapUs?: bigint;
}

export interface NaiveWindowCell extends NaiveAnswer {
  readonly status: 'PRESENT' | 'NULL_VALUE' | 'NOT_FOUND';
  readonly eventUs: bigint | null;
  readonly isDefault: boolean;
}

export function computeNaively(
  view: NaiveWindowView,
  feature: NaiveWindowFeature,
  events: readonly NaiveWindowEvent[],
  key: bigint | null,
  timeUs: bigint | null,
): NaiveWindowCell {
  const counted = countedEvents(events);
  if (key === null || timeUs === null) {
    const missing = { value: null, tolerance: 0, status: 'NOT_FOUND', eventUs: null, isDefault: false } as const;
    return withDefault(view, feature, counted, timeUs, missing);
  }
  const passing = passingEvents(view, feature, counted, key, timeUs);
  const { value, tolerance } = aggregate(feature, passing);
  const eventUs = passing.reduce<bigint | null>((newest, event) => {
    return newest === null || (event.timeUs as bigint) > newest ? (event.timeUs as bigint) : newest;
  }, null);
  const cell = { value, tolerance, status: value === null ? 'NULL_VALUE' : 'PRESENT', eventUs, isDefault: false } as const;
  return value === null ? withDefault(view, feature, counted, timeUs, cell) : cell;
}

const counted = new WeakMap<readonly NaiveWindowEvent[], readonly NaiveWindowEvent[]>();

function countedEvents(events: readonly NaiveWindowEvent[]): readonly NaiveWindowEvent[] {
  const known = counted.get(events) ?? countEvents(events);
  counted.set(events, known);
  return known;
}

/** Valid ones, each once: of equal ids the oldest, then the least of its values (rule 6.1). */
function countEvents(events: readonly NaiveWindowEvent[]): NaiveWindowEvent[] {
  const valid = events.filter((event) => event.isValid && event.timeUs !== null);
  return valid.filter((event) => {
    if (event.id === null) return true;
    const same = valid.filter((other) => other.id === event.id);
    return same.every((other) => other === event || (event.timeUs as bigint) < (other.timeUs as bigint));
  });
}

function passingEvents(
  { delayUs, gapUs }: NaiveWindowView,
  feature: NaiveWindowFeature,
  events: readonly NaiveWindowEvent[],
  key: bigint,
  timeUs: bigint,
): NaiveWindowEvent[] {
  const before = events.filter((event) => event.key === key && (event.timeUs as bigint) < timeUs - delayUs);
  const inside = gapUs === undefined ? inWindow(feature, before, timeUs) : inSession(before, gapUs, timeUs);
  return inside.filter((event) => feature.where === undefined || feature.where(event) === true);
}

function inWindow({ windowUs, hopUs }: NaiveWindowFeature, before: readonly NaiveWindowEvent[], timeUs: bigint) {
  if (windowUs === undefined || windowUs === 'lifetime') return before;
  const start = floorNaively(timeUs - windowUs, hopUs as bigint);
  return before.filter((event) => (event.timeUs as bigint) >= start);
}

function inSession(before: readonly NaiveWindowEvent[], gapUs: bigint, timeUs: bigint): NaiveWindowEvent[] {
  const sorted = [...before].sort((a, b) => Number((b.timeUs as bigint) - (a.timeUs as bigint)));
  const session: NaiveWindowEvent[] = [];
  let next = timeUs;
  for (const event of sorted) {
    if (next - (event.timeUs as bigint) > gapUs) break;
    session.push(event);
    next = event.timeUs as bigint;
  }
  return session;
}

function aggregate(feature: NaiveWindowFeature, events: readonly NaiveWindowEvent[]): NaiveAnswer {
  const seen = events.map((event) => ({
    timeUs: event.timeUs as bigint,
    value: feature.condition === undefined ? (feature.value?.(event) ?? null) : feature.condition(event),
    over: feature.over === undefined || feature.over(event) === true,
  }));
  const ignoresNulls = feature.value !== undefined;
  const naive = naiveAggregates[feature.function] as (typeof naiveAggregates)[string];
  return naive(ignoresNulls ? seen.filter(({ value }) => value !== null) : seen, feature.type, feature.size);
}

function withDefault(
  view: NaiveWindowView,
  feature: NaiveWindowFeature,
  events: readonly NaiveWindowEvent[],
  timeUs: bigint | null,
  cell: NaiveWindowCell,
): NaiveWindowCell {
  if (feature.default === undefined) return cell;
  if ('literal' in feature.default) return { ...cell, value: feature.default.literal, tolerance: 0, isDefault: true };
  const value = timeUs === null ? null : fitOnce(view, feature, events, timeUs, feature.default.fitted);
  return value === null ? cell : { ...cell, value, tolerance: 1e-9 * Math.abs(Number(value)), isDefault: true };
}

const fits = new WeakMap<NaiveWindowFeature, { events: readonly NaiveWindowEvent[]; byDay: Map<bigint, LiteralValue> }>();

/** One number a day. */
function fitOnce(
  view: NaiveWindowView,
  feature: NaiveWindowFeature,
  events: readonly NaiveWindowEvent[],
  timeUs: bigint,
  kind: 'mean' | 'median' | 'mode',
): LiteralValue {
  const known = fits.get(feature);
  const byDay = known?.events === events ? known.byDay : new Map<bigint, LiteralValue>();
  fits.set(feature, { events, byDay });
  const day = floorNaively(timeUs, 86_400_000_000n);
  const value = byDay.get(day) ?? fitNaively(view, feature, events, timeUs, kind);
  byDay.set(day, value);
  return value;
}

/** Over the keys that have a passing event at 00:00 UTC of T's day (rule 5.4). */
function fitNaively(
  view: NaiveWindowView,
  feature: NaiveWindowFeature,
  events: readonly NaiveWindowEvent[],
  timeUs: bigint,
  kind: 'mean' | 'median' | 'mode',
): LiteralValue {
  const day = 86_400_000_000n;
  const keys = [...new Set(events.map(({ key }) => key))].filter((key) => key !== null);
  const values = keys.flatMap((key) => {
    const passing = passingEvents(view, feature, events, key, floorNaively(timeUs, day));
    const value = passing.length === 0 ? null : aggregate(feature, passing).value;
    return value === null ? [] : [value];
  });
  if (values.length === 0) return null;
  if (kind === 'mode') {
    // The last digits of a naive number are not to be trusted, and decide which two keys have the same.
    const rounded = values.map((value) => (typeof value === 'number' ? Number(value.toPrecision(12)) : value));
    const seen = rounded.map((value) => ({ timeUs: 0n, value, over: true }));
    return (
      ((naiveAggregates.top_k as (typeof naiveAggregates)[string])(seen, feature.resultType, 1).value as LiteralValue[])[0] ??
      null
    );
  }
  const numbers = (values as number[]).sort((a, b) => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b));
  if (kind === 'mean') return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const middle = numbers.length >> 1;
  if (numbers.length % 2 === 1) return numbers[middle] as number;
  return ((numbers[middle - 1] as number) + (numbers[middle] as number)) / 2;
}

/** Aggregates of events as definitions write them (semantics 6.10). Arguments and conditions are SQL expressions over one event. */
import { freezeCopy } from './described.ts';
import type { DurationText } from './duration.ts';
import type { FeatureOptions } from './feature.ts';
import type { ValueTypeText } from './value-type.ts';

export interface WindowOptions<T = ValueTypeText>
  extends Pick<FeatureOptions<T>, 'default' | 'description' | 'deprecated' | 'expect'> {
  /** Which events count; without it all of them. */
  readonly where?: string;
  /** How far back events count; `lifetime` is without end. Views of sessions have none. */
  readonly window?: DurationText | 'lifetime';
  /** The left end of a window moves in steps of this; default: 5m below 12h, 1h below 12d, else 1d, and never more than the window. */
  readonly hop?: DurationText;
}

/** `T` is the type of the feature, where the function alone decides it. */
export interface Aggregation<T extends ValueTypeText = ValueTypeText> extends Omit<WindowOptions, 'default'> {
  readonly kind: 'aggregation';
  readonly function: string;
  readonly value?: string;
  readonly condition?: string;
  readonly over?: string;
  /** Of lastN n, of topK k. */
  readonly size?: number;
  readonly default?: unknown;
  readonly type?: T;
}

function aggregation<T extends ValueTypeText>(name: string, options: object): Aggregation<T> {
  return freezeCopy({ ...options, kind: 'aggregation', function: name }) as Aggregation<T>;
}

/** How many events. */
export function count(options: WindowOptions<'int64'> = {}): Aggregation<'int64'> {
  return aggregation('count', options);
}

/** The sum of a number; of integers and decimals exact, and null outside int64 or 38 digits. */
export function sum(value: string, options: WindowOptions = {}): Aggregation {
  return aggregation('sum', { ...options, value });
}

export function mean(value: string, options: WindowOptions<'float64'> = {}): Aggregation<'float64'> {
  return aggregation('mean', { ...options, value });
}

export function min(value: string, options: WindowOptions = {}): Aggregation {
  return aggregation('min', { ...options, value });
}

export function max(value: string, options: WindowOptions = {}): Aggregation {
  return aggregation('max', { ...options, value });
}

/** Of a sample (n - 1); null below two values. */
export function stddev(value: string, options: WindowOptions<'float64'> = {}): Aggregation<'float64'> {
  return aggregation('stddev', { ...options, value });
}

export interface RateOptions extends WindowOptions<'float64'> {
  /** The events that are counted above the line. */
  readonly condition: string;
  /** Those below the line; default: all that pass `where`. */
  readonly over?: string;
}

/** Events that satisfy `condition` by events that satisfy `over`, each counted by itself. */
export function rate(options: RateOptions): Aggregation<'float64'> {
  return aggregation('rate', options);
}

/** The value of the oldest event, of equally old ones the least. */
export function first(value: string, options: WindowOptions = {}): Aggregation {
  return aggregation('first', { ...options, value });
}

/** The value of the newest event, of equally new ones the greatest. */
export function last(value: string, options: WindowOptions = {}): Aggregation {
  return aggregation('last', { ...options, value });
}

/** The values of the n newest events, the newest first, repeats kept. */
export function lastN(value: string, { n, ...options }: WindowOptions & { readonly n: number }): Aggregation {
  return aggregation('last_n', { ...options, value, size: n });
}

/** How many values are different. */
export function countDistinct(value: string, options: WindowOptions<'int64'> = {}): Aggregation<'int64'> {
  return aggregation('count_distinct', { ...options, value });
}

/** The k most frequent values, the most frequent first, equally frequent ones in ascending order. */
export function topK(value: string, { k, ...options }: WindowOptions & { readonly k: number }): Aggregation {
  return aggregation('top_k', { ...options, value, size: k });
}

/** Of the distribution of the values, in nats. */
export function entropy(value: string, options: WindowOptions<'float64'> = {}): Aggregation<'float64'> {
  return aggregation('entropy', { ...options, value });
}

/** Of a session, the seconds from its first event to its last. */
export function duration(options: Omit<WindowOptions<'float64'>, 'window' | 'hop'> = {}): Aggregation<'float64'> {
  return aggregation('duration', options);
}

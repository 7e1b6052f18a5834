/**
 * What an aggregate is: states that events are added to and that merge in any order and grouping to the same state, so that history,
 * tiles of a stream and late events give one answer (semantics 6.10). No I/O, no clock; a state is changed only by its own functions.
 */
import type { LiteralValue } from '../definitions/literal.ts';
import type { ValueType } from '../definitions/value-type.ts';

export type Value = NonNullable<LiteralValue>;

export interface Aggregate<State> {
  readonly result: ValueType;
  /** What `save` gives, one type a part: states are stored as rows are. */
  readonly stateTypes: readonly ValueType[];
  init(): State;
  /** Adds an event that passes `where`. `value` is what the first argument says, of rate whether `condition` and `over` hold. */
  update(state: State, timeUs: bigint, value: Value, over?: boolean): void;
  /** Takes an event away again that was added, exactly: only of functions whose states can, and only of values that `isReversible`. */
  downdate?(state: State, timeUs: bigint, value: Value): void;
  /** Adds to a state what another holds, which stays as it is. */
  merge(into: State, from: State): void;
  /** null is NULL_VALUE: an empty window of a function that has no value for it, or a sum outside its type. */
  finalize(state: State): LiteralValue;
  /** Whether what `finalize` gives is null for being outside its type; only of functions with which that can be. */
  isOutOfRange?(state: State): boolean;
  save(state: State): LiteralValue[];
  load(parts: readonly LiteralValue[]): State;
}

/** A row of the table of functions. */
export interface AggregateFunction {
  /** What it is computed from: nothing, a value (events whose value is null are then left out), or conditions. */
  readonly takes: 'nothing' | 'value' | 'conditions';
  /** The option that says how long its list may get. */
  readonly size?: 'n' | 'k';
  /** Whether only session windows have it. */
  readonly isOfSessions?: true;
  /** The aggregate over values of a type; undefined where it has none. `size` is 1 or more. */
  compile(value: ValueType, size: number): Aggregate<object> | undefined;
}

/** Whether an event with this value can be taken away again without a trace: exact sums can do it with all but extreme floats. */
export function isReversible(value: Value): boolean {
  if (typeof value !== 'number' || value === 0) return true;
  const size = Math.abs(value);
  return size >= smallestUsual && size < largestUsual;
}

export const smallestUsual = 2 ** -450;
export const largestUsual = 2 ** 450;

export const int64: ValueType = { kind: 'int64' };
export const float64: ValueType = { kind: 'float64' };
export const instant: ValueType = { kind: 'timestamp' };

export function listOf(element: ValueType): ValueType {
  return { kind: 'list', element };
}

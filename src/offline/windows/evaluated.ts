/** What an aggregate gives over the windows at all places, before it is a column of the frame. */
import type { LiteralValue } from '../../definitions/literal.ts';

export type Evaluated = EvaluatedValues & {
  /** At how many places the value is null for being outside its type (rule 6.10). */
  readonly outOfRange?: number;
};

type EvaluatedValues =
  /** Numbers; `nulls` is 1 where there is none. */
  | { readonly kind: 'numbers'; readonly numbers: Float64Array | BigInt64Array; readonly nulls?: Uint8Array }
  /** The events whose value it is, by their rows; -1 for null. */
  | { readonly kind: 'events'; readonly rows: Int32Array }
  /** The events whose values are the items, by their rows, up to `ends` of each place; a list without items is null. */
  | { readonly kind: 'lists'; readonly ends: Int32Array; readonly rows: Int32Array }
  /** Decimals. */
  | { readonly kind: 'literals'; readonly literals: readonly LiteralValue[] };

/** One feature of a view: its type, the column it is read from and what stands in for it where there is none. */
import type { DeprecatedOptions } from './deprecated.ts';
import type { ExpectOptions } from './expectation.ts';
import type { Fitted } from './fitted.ts';
import type { ValueTypeText } from './value-type.ts';

/** What a literal default of each type is written as; lossless, hence bigint or text where a number would round. */
interface LiteralOf {
  bool: boolean;
  int32: number;
  int64: number | bigint;
  float32: number;
  float64: number;
  string: string;
  bytes: Uint8Array;
  /** ISO with an offset: `2026-03-10T12:00:00.000001Z`. */
  timestamp: string;
  /** `2026-03-10`. */
  date: string;
}

type DefaultOf<T> = T extends 'float32' | 'float64'
  ? number | Fitted
  : T extends keyof LiteralOf
    ? LiteralOf[T] | Fitted<'mode'>
    : T extends `decimal${string}`
      ? string | number | bigint | Fitted<'mode'>
      : readonly unknown[] | Fitted<'mode'>;

/** The compiler checks a default against its feature's type `T`. */
export interface FeatureOptions<T = ValueTypeText> {
  readonly type: T;
  /** The source column, where its name is not the feature's. */
  readonly column?: string;
  /** Replaces the value wherever the status is not PRESENT (rule 5.2). */
  readonly default?: DefaultOf<T>;
  readonly description?: string;
  readonly deprecated?: DeprecatedOptions;
  readonly expect?: ExpectOptions;
}

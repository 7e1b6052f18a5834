/** The TypeScript types of feature values, by the spelling of their value types. */
import type { ValueTypeText } from './value-type.ts';

/** Feature or request value -> value type. */
export type FeatureTypes = Readonly<Record<string, ValueTypeText>>;

/** What a transform reads: int64 and timestamp (microseconds) bigint, decimal and date text (rule 7.3). */
export type ValueOf<T> = T extends 'bool'
  ? boolean
  : T extends 'int32' | 'float32' | 'float64'
    ? number
    : T extends 'int64' | 'timestamp'
      ? bigint
      : T extends 'string' | 'date' | `decimal${string}`
        ? string
        : T extends 'bytes'
          ? Uint8Array
          : T extends `vector${string}`
            ? readonly number[]
            : T extends `list(${infer E})`
              ? readonly (ValueOf<E> | null)[]
              : unknown;

/** What a transform may answer with: as it reads them, and numbers where they are exact. */
export type ResultOf<T> = T extends 'int32'
  ? number | bigint
  : T extends 'int64'
    ? bigint | number
    : T extends `decimal${string}`
      ? string | number | bigint
      : T extends `list(${infer E})`
        ? readonly (ResultOf<E> | null)[]
        : ValueOf<T>;

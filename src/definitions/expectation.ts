/** What is expected of a feature's values in a saved dataset: looked at when one is made, and never part of a value. */
export interface ExpectOptions {
  /** No value is less; written as a default of the feature's type is. */
  readonly min?: number | bigint | string;
  /** No value is greater. */
  readonly max?: number | bigint | string;
  /** The most of all rows that may be null, from 0 to 1. */
  readonly maxNullRate?: number;
  /** Every value that is not null is one of these. */
  readonly values?: readonly (number | bigint | string | boolean)[];
  /** No value stands in two rows. */
  readonly unique?: true;
  /** `fail` (the default) saves nothing; `warn` saves it and says so. */
  readonly onFailure?: 'fail' | 'warn';
}

/** The identity of a dataset: that of its training set (semantics, section 10), with how it is split, labelled and checked. */
import { createHash } from 'node:crypto';
import type { Expectation, Split } from './request.ts';

export interface DatasetIdentityParts {
  /** Of the training set. */
  readonly identity: string;
  readonly split: Split | null;
  readonly labels: readonly string[];
  /** Those of the definitions included. */
  readonly expectations: Readonly<Record<string, Expectation>>;
}

export function datasetIdentity({ identity, split, labels, expectations }: DatasetIdentityParts): string {
  const expected = Object.entries(expectations).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify({ format: 1, identity, split, labels, expectations: expected }))
    .digest('hex');
}

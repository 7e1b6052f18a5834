/** How datasets are named: `NAME@VERSION`, or NAME alone for its newest version. */
import { nameProblem } from '../definitions/name.ts';
import { FeatureStoreError } from '../errors.ts';

export interface DatasetReference {
  readonly name: string;
  /** undefined: the newest. */
  readonly version: number | undefined;
}

/** Reads a reference; INVALID_ARGUMENT where it is none. */
export function parseReference(text: string): DatasetReference {
  const [, name = '', version] = /^([^@]*)(?:@([1-9]\d{0,8}))?$/.exec(text) ?? [];
  if (nameProblem(name) === undefined) return { name, version: version === undefined ? undefined : Number(version) };
  throw new FeatureStoreError('INVALID_ARGUMENT', `"${text}" names no dataset: write NAME or NAME@VERSION, such as ranker@3`, {
    details: { dataset: text },
  });
}

export function formatReference({ name, version }: { readonly name: string; readonly version: number }): string {
  return `${name}@${version}`;
}

/** Tallies of all features of one side: rows of the feature log, or of a training set. */
import { parseValueType } from '../../definitions/value-type.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { hasFeature, typeOf } from '../parity/versions.ts';
import { type Measure, measureOf } from './measure.ts';
import { createTally, type Profile, type Tally } from './tally.ts';

export interface Tallies {
  /** undefined where the feature is not wanted, or no more defined. */
  of(view: string, feature: string): { readonly tally: Tally; readonly measure: Measure } | undefined;
  addRows(count: number): void;
  readonly rows: () => number;
  /** By `view:feature`. */
  finish(): ReadonlyMap<string, Profile>;
}

export interface TalliesOptions {
  readonly registry: RegistryDocument;
  /** `view:feature`; undefined: all. */
  readonly wanted: ReadonlySet<string> | undefined;
  readonly partUs: bigint | null;
  /** Numbers of each feature that are kept; see TallyOptions. */
  readonly sampled?: number;
}

export function createTallies({ registry, wanted, partUs, sampled }: TalliesOptions): Tallies {
  const known = new Map<string, { readonly tally: Tally; readonly measure: Measure }>();
  let rows = 0;
  return {
    of(view, feature) {
      const name = `${view}:${feature}`;
      const there = known.get(name);
      if (there !== undefined) return there;
      if ((wanted !== undefined && !wanted.has(name)) || !hasFeature(registry, view, feature)) return undefined;
      const measure = measureOf(parseValueType(typeOf(registry, view, feature)));
      const made = { measure, tally: createTally({ measure, partUs, ...(sampled === undefined ? {} : { sampled }) }) };
      known.set(name, made);
      return made;
    },
    addRows(count) {
      rows += count;
    },
    rows: () => rows,
    finish: () => new Map([...known].map(([name, { tally }]) => [name, tally.finish()])),
  };
}

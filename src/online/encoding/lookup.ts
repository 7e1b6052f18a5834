/** Which features of a view are wanted, with a decoder for every row schema that was met. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { OnlineView } from '../view.ts';
import type { RowSchema } from './row.ts';
import { compileValuesDecoder, type ValuesDecoder } from './row-codec.ts';

/** Compile it once and use it for many reads. */
export interface OnlineLookup {
  readonly view: OnlineView;
  /** The features' names in the order of the values read. */
  readonly features: readonly string[];
  /** Schema number -> decoder of its rows; undefined for schemas of other views. Numbers never change their meaning. */
  readonly decoders: Map<number, ValuesDecoder | undefined>;
}

/** A value, or undefined where the row was written under another definition of the feature (rule 8.3). */
export type StoredValue = LiteralValue | undefined;

export function compileLookup(view: OnlineView, features: readonly string[]): OnlineLookup {
  for (const name of features) {
    if (view.schema.features.some((feature) => feature.name === name)) continue;
    throw new FeatureStoreError('NOT_FOUND', `feature view "${view.name}" has no feature "${name}"`);
  }
  return { view, features, decoders: new Map() };
}

/** Adds the decoder for rows of a schema, read feature by feature where the definition hash agrees. */
export function addDecoder({ view, features, decoders }: OnlineLookup, id: number, schema: RowSchema): void {
  if (schema.view !== view.name) {
    decoders.set(id, undefined);
    return;
  }
  const today = new Map(view.schema.features.map(({ name, hash }) => [name, hash]));
  const targets = schema.features.map(({ name, hash }) => (today.get(name) === hash ? features.indexOf(name) : -1));
  const types = schema.features.map(({ type }) => parseValueType(type));
  decoders.set(id, compileValuesDecoder(types, targets, features.length));
}

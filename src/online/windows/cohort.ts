/**
 * Features of a stream view whose states stand in one span. Those that were there when a key had its first event stand together; what is
 * added to a view later, and filled from history, stands in a span of its own.
 */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { RowSchema } from '../encoding/row.ts';
import type { SavedAggregate } from './part-codec.ts';
import { pickFeatures } from './state.ts';
import { compileStateCodec, type StateCodec } from './state-codec.ts';
import { parseStateTypes, stateMark, type WindowFeature, type WindowView } from './window-view.ts';

/** How spans of one schema are read for a view. */
export interface Cohort {
  /** The view with those of its features that the schema has under the same definition. */
  readonly view: WindowView;
  /** Their places among the view's own. */
  readonly places: readonly number[];
  /** The state of these features alone. */
  decode: StateCodec['decode'];
}

/** undefined where the schema is not one of the view's states. */
export function compileCohort(view: WindowView, schemaId: number, schema: RowSchema): Cohort | undefined {
  if (schema.view !== `${view.name}${stateMark}`) return undefined;
  const places = schema.features.map(({ name, hash }) =>
    view.features.findIndex((feature) => feature.name === name && feature.hash === hash),
  );
  const aggregates = places.map((place, at) => view.features[place]?.aggregate ?? asSaved(schema.features[at]?.type as string));
  const codec = compileStateCodec(schemaId, aggregates, view.gapUs !== undefined);
  const known = places.flatMap((place, at) => (place < 0 ? [] : [at]));
  const features = known.map((at) => view.features[places[at] as number] as WindowFeature);
  return {
    view: { ...view, features },
    places: known.map((at) => places[at] as number),
    decode: known.length === places.length ? codec.decode : (cursor) => pickFeatures(codec.decode(cursor), known),
  };
}

function asSaved(types: string): SavedAggregate {
  return {
    stateTypes: parseStateTypes(types),
    init: () => [],
    save: (state) => state as LiteralValue[],
    load: (parts) => [...parts],
    // Nobody opens the tiles of a definition that is no more.
    merge: () => {},
  };
}

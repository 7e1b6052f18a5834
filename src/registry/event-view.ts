/** What of a stream view is read from its source's events: each of its expressions once, as a column. */
import { formatValueType } from '../definitions/value-type.ts';
import type { AggregateDocument, FeatureDocument, ViewDocument } from './document.ts';
import type { Expression } from './expression/tree.ts';

/** A view whose features are the values of expressions, event by event. */
export interface EventView {
  readonly view: ViewDocument;
  /** In the order of its features. */
  readonly expressions: readonly Expression[];
  /** By aggregate: which of the expressions it is made of. */
  readonly inputs: ReadonlyMap<FeatureDocument, AggregateInputs>;
}

export interface AggregateInputs {
  readonly value?: number;
  readonly where?: number;
  readonly condition?: number;
  readonly over?: number;
}

const known = new WeakMap<ViewDocument, EventView>();

/** The same for the same document, as long as that is held. */
export function eventViewOf(view: ViewDocument): EventView {
  const found = known.get(view);
  if (found !== undefined) return found;
  const expressions = new Map<string, { readonly place: number; readonly tree: Expression }>();
  const placeOf = (expression: AggregateDocument['value']): number | undefined => {
    if (expression === undefined) return undefined;
    const text = JSON.stringify(expression.tree);
    const place = expressions.get(text)?.place ?? expressions.size;
    expressions.set(text, { place, tree: expression.tree });
    return place;
  };
  const inputs = new Map(
    view.features.map((feature) => {
      const { value, where, condition, over } = feature.aggregate as AggregateDocument;
      const places = { value: placeOf(value), where: placeOf(where), condition: placeOf(condition), over: placeOf(over) };
      return [feature, places];
    }),
  );
  const trees = [...expressions.values()].map(({ tree }) => tree);
  const features = trees.map((tree, place) => {
    const column = expressionColumn(place);
    return { name: column, type: formatValueType(tree.type), column, hash: '' };
  });
  const made = { view: { ...view, features }, expressions: trees, inputs };
  known.set(view, made);
  known.set(made.view, made);
  return made;
}

/** A name that no column of a source has. */
function expressionColumn(place: number): string {
  return `~ ${place} ~`;
}

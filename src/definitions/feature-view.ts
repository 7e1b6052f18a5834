/** A feature view: typed features of entities, read from the columns of one source, whole or in selections. */
import type { BatchSource } from './batch-source.ts';
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { DurationText } from './duration.ts';
import type { Entity } from './entity.ts';
import type { FeatureOptions } from './feature.ts';
import type { FeatureTypes } from './value-of.ts';
import type { ValueTypeText } from './value-type.ts';

type AnyEntity = Entity<never>;
type JoinKeyOf<E extends AnyEntity> = E extends Entity<infer J> ? J : never;

/** `T` are the features' types by name, `E` the entities. */
export interface FeatureViewOptions<T extends FeatureTypes = FeatureTypes, E extends AnyEntity = Entity>
  extends DescribedOptions {
  /** Whose features these are; none means one global row. */
  readonly entities: readonly E[];
  readonly source: BatchSource;
  /** How old a row may be and still count, inclusive; absent or zero is unlimited. */
  readonly ttl?: DurationText;
  /** How long after its event time a row can be read at the earliest. */
  readonly delay?: DurationText;
  /** Reads the rows as they were known at each time: a row counts only from its created timestamp on. */
  readonly asKnown?: boolean;
  /** Join key -> source column, where they differ. */
  readonly keys?: Readonly<Partial<Record<JoinKeyOf<E>, string>>>;
  readonly features: { readonly [F in keyof T]: FeatureOptions<T[F]> };
}

declare const typed: unique symbol;

/** What the compiler knows of a view or selection, and no value holds: the name its features are read under, and their types. */
export interface Typed<T extends FeatureTypes, L extends string> {
  readonly [typed]?: { readonly label: L; readonly features: T };
}

/** What a view and a selection from it offer alike; `J` are the names of the join keys, `L` is the view's name or prefix. */
export interface Selectable<T extends FeatureTypes = FeatureTypes, J extends string = string, L extends string = string>
  extends Typed<T, L> {
  /** Only these features, in this order. */
  select<const F extends keyof T & string>(...features: readonly F[]): ViewSelection<Pick<T, F>, J, L>;
  /** Under a prefix: the columns are named `prefix__feature`, and one view can be joined several times. */
  as<const P extends string>(prefix: P): ViewSelection<T, J, P>;
  /** Joined by other columns of the frame: `withKeys({ item_id: 'candidate_id' })`. */
  withKeys(keys: Readonly<Partial<Record<J, string>>>): ViewSelection<T, J, L>;
}

export interface FeatureView<T extends FeatureTypes = FeatureTypes, J extends string = string, N extends string = string>
  extends Omit<FeatureViewOptions<T, Entity>, 'keys'>,
    Selectable<T, J, N> {
  readonly kind: 'featureView';
  readonly name: N;
  readonly keys?: Readonly<Record<string, string>>;
}

/** A view as a service or a transform uses it. */
export interface ViewSelection<T extends FeatureTypes = FeatureTypes, J extends string = string, L extends string = string>
  extends Selectable<T, J, L> {
  readonly kind: 'viewSelection';
  readonly view: FeatureView;
  /** All features of the view when absent. */
  readonly features?: readonly string[];
  readonly prefix?: string;
  readonly keys?: Readonly<Record<string, string>>;
}

/** Defines a feature view over a batch source. */
export function featureView<
  const N extends string,
  const T extends Readonly<Record<string, ValueTypeText>>,
  const E extends AnyEntity,
>(name: N, options: FeatureViewOptions<T, E>): FeatureView<T, JoinKeyOf<E>, N> {
  type View = FeatureView<T, JoinKeyOf<E>, N>;
  const view = { ...freezeCopy(options), kind: 'featureView', name } as unknown as View;
  const methods = selectable(() => ({ kind: 'viewSelection', view: view as unknown as FeatureView }));
  return Object.freeze(Object.assign(view, methods)) as View;
}

type Chosen = Omit<ViewSelection, keyof Selectable>;

/** The methods of a view or selection: each answers with a selection that also keeps what was `chosen` before. */
function selectable(chosen: () => Chosen): Pick<Selectable, 'select' | 'as' | 'withKeys'> {
  const choose = (more: Partial<Chosen>) => {
    const selection = { ...chosen(), ...more };
    return Object.freeze({ ...selection, ...selectable(() => selection) }) as ViewSelection<never, string, never>;
  };
  return {
    select: (...features) => choose({ features: Object.freeze(features) }),
    as: (prefix) => choose({ prefix }),
    withKeys: (keys) => choose({ keys: Object.freeze({ ...keys } as Record<string, string>) }),
  };
}

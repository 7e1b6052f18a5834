/** What views offer alike: to be selected from, put under a prefix, joined by other keys; as services and transforms use them. */
import type { Entity } from './entity.ts';
import type { FeatureTypes } from './value-of.ts';

export type AnyEntity = Entity<never>;
export type JoinKeyOf<E extends AnyEntity> = E extends Entity<infer J> ? J : never;

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

/** A view as a service or a transform uses it. */
export interface ViewSelection<T extends FeatureTypes = FeatureTypes, J extends string = string, L extends string = string>
  extends Selectable<T, J, L> {
  readonly kind: 'viewSelection';
  readonly view: SelectableView;
  /** All features of the view when absent. */
  readonly features?: readonly string[];
  readonly prefix?: string;
  readonly keys?: Readonly<Record<string, string>>;
}

/** A view that features are selected from. */
export interface SelectableView {
  readonly kind: 'featureView' | 'streamFeatureView';
  readonly name: string;
  readonly features: Readonly<Record<string, unknown>>;
}

type Chosen = Omit<ViewSelection, keyof Selectable>;

/** The methods of a view or selection: each answers with a selection that also keeps what was `chosen` before. */
export function selectable(chosen: () => Chosen): Pick<Selectable, 'select' | 'as' | 'withKeys'> {
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

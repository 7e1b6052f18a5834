/** An on-demand feature view: features that a function computes from other features and values of the request (section 7). */
import type { DeprecatedOptions } from './deprecated.ts';
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { ExpectOptions } from './expectation.ts';
import type { FeatureTypes, ResultOf, ValueOf } from './value-of.ts';
import type { Typed } from './view-selection.ts';

/** The wall clock of a zone. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 1 is Monday, 7 is Sunday. */
  readonly weekday: number;
}

/** The row's T, the only time that a transform knows (rule 7.2). */
export interface RowTime {
  readonly epochMicros: bigint;
  /** The wall clock of an IANA zone such as `Europe/Paris`; of a null zone every part is null. */
  in(zone: string): LocalTime;
  in(zone: string | null): LocalTime | { readonly [P in keyof LocalTime]: null };
}

/** A feature view or a selection from one. */
// biome-ignore lint/suspicious/noExplicitAny: any view's types; nothing is read from a value of them
type Input = Typed<any, any> & { readonly kind: 'featureView' | 'streamFeatureView' | 'viewSelection' };
type LabelOf<I> = I extends Typed<FeatureTypes, infer L> ? L : never;
type TypesOf<I> = I extends Typed<infer T, string> ? T : never;

type RowOf<T> = { readonly [F in keyof T]: ValueOf<T[F]> | null };

/** What a transform is given for one row. `R` are the request's types, `I` the inputs. */
export interface TransformRow<R, I> {
  readonly request: RowOf<R>;
  readonly now: RowTime;
  /** Values after defaults, by view or prefix: `features.user_profile.age`. */
  readonly features: { readonly [V in I as LabelOf<V>]: RowOf<TypesOf<V>> };
}

export interface ComputedFeatureOptions<T> {
  readonly type: T;
  readonly description?: string;
  readonly deprecated?: DeprecatedOptions;
  readonly expect?: ExpectOptions;
}

export interface OnDemandFeatureViewOptions<R extends FeatureTypes, I extends Input, T extends FeatureTypes>
  extends DescribedOptions {
  /** Values that come with a request: columns of the entity frame, and `request` online. */
  readonly request?: R;
  /** The features that it reads: views, whole, selected, prefixed or joined by other keys. */
  readonly inputs?: readonly I[];
  readonly features: { readonly [F in keyof T]: T[F] | ComputedFeatureOptions<T[F]> };
  readonly deprecated?: DeprecatedOptions;
  /** A pure function of one row: no clock but `now`, no randomness, nothing asked of the machine. Each feature has a value or null. */
  readonly transform: (row: TransformRow<R, I>) => NoInfer<{ readonly [F in keyof T]: ResultOf<T[F]> | null }>;
}

/** What an on-demand view and a selection from it offer alike. */
export interface OnDemandSelectable<T extends FeatureTypes = FeatureTypes> {
  /** Only these features, in this order. */
  select(...features: readonly (keyof T & string)[]): OnDemandSelection<T>;
  /** Under a prefix: the columns are named `prefix__feature`. */
  as(prefix: string): OnDemandSelection<T>;
}

export interface OnDemandFeatureView<T extends FeatureTypes = FeatureTypes> extends DescribedOptions, OnDemandSelectable<T> {
  readonly kind: 'onDemandFeatureView';
  readonly name: string;
  readonly request?: FeatureTypes;
  readonly inputs?: readonly Input[];
  readonly features: Readonly<Record<string, unknown>>;
  readonly deprecated?: DeprecatedOptions;
  readonly transform: (row: never) => unknown;
}

export interface OnDemandSelection<T extends FeatureTypes = FeatureTypes> extends OnDemandSelectable<T> {
  readonly kind: 'onDemandSelection';
  readonly view: OnDemandFeatureView;
  readonly features?: readonly string[];
  readonly prefix?: string;
}

/** Defines an on-demand view: `onDemandFeatureView('clock', { request: { zone: 'string' }, features: { hour: 'int32' }, transform })`. */
export function onDemandFeatureView<
  const T extends FeatureTypes,
  const R extends FeatureTypes = Readonly<Record<never, never>>,
  const I extends Input = never,
>(name: string, options: OnDemandFeatureViewOptions<R, I, T>): OnDemandFeatureView<T> {
  const view = { ...freezeCopy(options), kind: 'onDemandFeatureView', name } as unknown as OnDemandFeatureView<T>;
  const methods = selectable(() => ({ kind: 'onDemandSelection', view: view as unknown as OnDemandFeatureView }));
  return Object.freeze(Object.assign(view, methods)) as OnDemandFeatureView<T>;
}

type Chosen = Omit<OnDemandSelection, keyof OnDemandSelectable>;

function selectable(chosen: () => Chosen): OnDemandSelectable {
  const choose = (more: Partial<Chosen>): OnDemandSelection => {
    const selection = { ...chosen(), ...more };
    return Object.freeze({ ...selection, ...selectable(() => selection) });
  };
  return {
    select: (...features) => choose({ features: Object.freeze(features) }),
    as: (prefix) => choose({ prefix }),
  };
}

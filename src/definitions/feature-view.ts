/** A feature view: typed features of entities, read from the columns of one source, whole or in selections. */
import type { BatchSource } from './batch-source.ts';
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { DurationText } from './duration.ts';
import type { Entity } from './entity.ts';
import type { FeatureOptions } from './feature.ts';

type AnyEntity = Entity<never>;
type JoinKeyOf<E extends AnyEntity> = E extends Entity<infer J> ? J : never;

/** `F` are the names of the features, `E` the entities. */
export interface FeatureViewOptions<F extends string = string, E extends AnyEntity = Entity> extends DescribedOptions {
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
  readonly features: Readonly<Record<F, FeatureOptions>>;
}

/** What a view and a selection from it offer alike; `J` are the names of the join keys. */
export interface Selectable<F extends string = string, J extends string = string> {
  /** Only these features, in this order. */
  select(...features: readonly F[]): ViewSelection<F, J>;
  /** Under a prefix: the columns are named `prefix__feature`, and one view can be joined several times. */
  as(prefix: string): ViewSelection<F, J>;
  /** Joined by other columns of the frame: `withKeys({ item_id: 'candidate_id' })`. */
  withKeys(keys: Readonly<Partial<Record<J, string>>>): ViewSelection<F, J>;
}

export interface FeatureView<F extends string = string, J extends string = string>
  extends Omit<FeatureViewOptions<F, Entity>, 'keys'>,
    Selectable<F, J> {
  readonly kind: 'featureView';
  readonly name: string;
  readonly keys?: Readonly<Record<string, string>>;
}

/** A view as a service uses it. */
export interface ViewSelection<F extends string = string, J extends string = string> extends Selectable<F, J> {
  readonly kind: 'viewSelection';
  readonly view: FeatureView<F, J>;
  /** All features of the view when absent. */
  readonly features?: readonly string[];
  readonly prefix?: string;
  readonly keys?: Readonly<Record<string, string>>;
}

/** Defines a feature view over a batch source. */
export function featureView<const F extends string, const E extends AnyEntity>(
  name: string,
  options: FeatureViewOptions<F, E>,
): FeatureView<F, JoinKeyOf<E>> {
  type View = FeatureView<F, JoinKeyOf<E>>;
  const view = { ...freezeCopy(options), kind: 'featureView', name } as unknown as View;
  return Object.freeze(
    Object.assign(
      view,
      selectable(() => ({ kind: 'viewSelection', view })),
    ),
  );
}

type Chosen<F extends string, J extends string> = Omit<ViewSelection<F, J>, keyof Selectable>;

/** The methods of a view or selection: each answers with a selection that also keeps what was `chosen` before. */
function selectable<F extends string, J extends string>(chosen: () => Chosen<F, J>): Selectable<F, J> {
  const choose = (more: Partial<Chosen<F, J>>): ViewSelection<F, J> => {
    const selection = { ...chosen(), ...more };
    return Object.freeze({ ...selection, ...selectable(() => selection) });
  };
  return {
    select: (...features) => choose({ features: Object.freeze(features) }),
    as: (prefix) => choose({ prefix }),
    withKeys: (keys) => choose({ keys: Object.freeze({ ...keys } as Record<string, string>) }),
  };
}

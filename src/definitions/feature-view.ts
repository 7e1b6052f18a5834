/** A feature view: typed features of entities, read from the columns of one source, whole or in selections. */
import type { BatchSource } from './batch-source.ts';
import type { DeprecatedOptions } from './deprecated.ts';
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { DurationText } from './duration.ts';
import type { Entity } from './entity.ts';
import type { FeatureOptions } from './feature.ts';
import type { SqlSource } from './sql-source.ts';
import type { FeatureTypes } from './value-of.ts';
import type { ValueTypeText } from './value-type.ts';
import { type AnyEntity, type JoinKeyOf, type Selectable, selectable } from './view-selection.ts';

/** `T` are the features' types by name, `E` the entities. */
export interface FeatureViewOptions<T extends FeatureTypes = FeatureTypes, E extends AnyEntity = Entity>
  extends DescribedOptions {
  /** Whose features these are; none means one global row. */
  readonly entities: readonly E[];
  readonly source: BatchSource | SqlSource;
  /** How old a row may be and still count, inclusive; absent or zero is unlimited. */
  readonly ttl?: DurationText;
  /** How long after its event time a row can be read at the earliest. */
  readonly delay?: DurationText;
  /** How old what is served of it may be, by event time and by processing time: measured and told, never part of a value. */
  readonly freshness?: DurationText;
  /** Reads the rows as they were known at each time: a row counts only from its created timestamp on. */
  readonly asKnown?: boolean;
  /** Join key -> source column, where they differ. */
  readonly keys?: Readonly<Partial<Record<JoinKeyOf<E>, string>>>;
  readonly features: { readonly [F in keyof T]: FeatureOptions<T[F]> };
  readonly deprecated?: DeprecatedOptions;
}

export interface FeatureView<T extends FeatureTypes = FeatureTypes, J extends string = string, N extends string = string>
  extends Omit<FeatureViewOptions<T, Entity>, 'keys'>,
    Selectable<T, J, N> {
  readonly kind: 'featureView';
  readonly name: N;
  readonly keys?: Readonly<Record<string, string>>;
}

/** Defines a feature view over a batch source or an SQL source. */
export function featureView<
  const N extends string,
  const T extends Readonly<Record<string, ValueTypeText>>,
  const E extends AnyEntity,
>(name: N, options: FeatureViewOptions<T, E>): FeatureView<T, JoinKeyOf<E>, N> {
  type View = FeatureView<T, JoinKeyOf<E>, N>;
  const view = { ...freezeCopy(options), kind: 'featureView', name } as unknown as View;
  const methods = selectable(() => ({ kind: 'viewSelection', view }));
  return Object.freeze(Object.assign(view, methods)) as View;
}

/** A stream feature view: aggregates of an entity's events over sliding windows, or over its current session (semantics 6). */
import type { Aggregation } from './aggregation.ts';
import type { DeprecatedOptions } from './deprecated.ts';
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { DurationText } from './duration.ts';
import type { Entity } from './entity.ts';
import type { EventSource } from './event-source.ts';
import type { FeatureTypes } from './value-of.ts';
import type { ValueTypeText } from './value-type.ts';
import { type AnyEntity, type JoinKeyOf, type Selectable, selectable } from './view-selection.ts';

type TypesOf<F> = { readonly [N in keyof F]: F[N] extends Aggregation<infer T> ? T : ValueTypeText };

export interface StreamFeatureViewOptions<
  F extends Readonly<Record<string, Aggregation>> = Readonly<Record<string, Aggregation>>,
  E extends AnyEntity = Entity,
> extends DescribedOptions {
  /** Whose features these are; none means one global row. */
  readonly entities: readonly E[];
  readonly source: EventSource;
  /** How long an event may take until it is served: training leaves out what is younger. */
  readonly delay?: DurationText;
  /** How old what is served of it may be, by event time and by processing time: measured and told, never part of a value. */
  readonly freshness?: DurationText;
  /** Join key -> source column, where they differ. */
  readonly keys?: Readonly<Partial<Record<JoinKeyOf<E>, string>>>;
  /** The current session instead of windows: events that follow each other within the gap, the last one no older than that. */
  readonly session?: { readonly gap: DurationText };
  readonly features: F;
  readonly deprecated?: DeprecatedOptions;
}

export interface StreamFeatureView<T extends FeatureTypes = FeatureTypes, J extends string = string, N extends string = string>
  extends Omit<StreamFeatureViewOptions, 'keys'>,
    Selectable<T, J, N> {
  readonly kind: 'streamFeatureView';
  readonly name: N;
  readonly keys?: Readonly<Record<string, string>>;
}

/** Defines a stream feature view: `streamFeatureView('activity', { entities: [user], source: clicks, features: { clicks_7d: count({ window: '7d' }) } })`. */
export function streamFeatureView<
  const N extends string,
  const F extends Readonly<Record<string, Aggregation>>,
  const E extends AnyEntity,
>(name: N, options: StreamFeatureViewOptions<F, E>): StreamFeatureView<TypesOf<F>, JoinKeyOf<E>, N> {
  type View = StreamFeatureView<TypesOf<F>, JoinKeyOf<E>, N>;
  const view = { ...freezeCopy(options), kind: 'streamFeatureView', name } as unknown as View;
  const methods = selectable(() => ({ kind: 'viewSelection', view }));
  return Object.freeze(Object.assign(view, methods)) as View;
}

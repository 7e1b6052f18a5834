/** A view as the online path needs it: compiled once for a registry document, then used by reads, writes and merges. */
import { parseDurationUs } from '../definitions/duration.ts';
import { parseValueType, type ValueType } from '../definitions/value-type.ts';
import { FeatureStoreError } from '../errors.ts';
import type { RegistryDocument, ViewDocument } from '../registry/document.ts';
import type { JoinKey } from './encoding/keys.ts';
import type { OnlineRow, RowSchema } from './encoding/row.ts';

export interface OnlineView {
  readonly name: string;
  readonly joinKeys: readonly JoinKey[];
  /** The entities that are part of each of its keys, other than the key itself, each with where its keys stand among `joinKeys`. */
  readonly entities: readonly OnlineEntity[];
  /** What rows written now are written under: all features in the view's order. */
  readonly schema: RowSchema;
  readonly types: readonly ValueType[];
  /** Positions of the features in the order of the source's columns, in which rows compare by value (rule 8.1). */
  readonly valueOrder: readonly number[];
  /** 0 is unlimited. */
  readonly ttlUs: bigint;
  readonly visibility: Visibility;
}

export interface OnlineEntity {
  readonly joinKeys: readonly JoinKey[];
  readonly positions: readonly number[];
}

export interface Visibility {
  readonly delayUs: bigint;
  /** A row whose available timestamp is null is never visible. */
  readonly needsAvailable: boolean;
  /** As-known-at, of a source with a created timestamp: a row counts from its created timestamp on. */
  readonly needsCreated: boolean;
}

type Definitions = Pick<RegistryDocument, 'entities' | 'sources'>;

/** Compiles a view of a registry document; keep the result as long as the document is the applied one. */
export function compileOnlineView(view: ViewDocument, { entities, sources }: Definitions): OnlineView {
  const source = sources.find((candidate) => candidate.name === view.source);
  if (source === undefined) throw noSource(view);
  const columns = source.columns.map((column) => column.name);
  return {
    name: view.name,
    joinKeys: view.keys.map(({ name, type }) => ({ name, type })),
    entities: entitiesWithin(view, entities),
    schema: { view: view.name, features: view.features.map(({ name, type, hash }) => ({ name, type, hash })) },
    types: view.features.map((feature) => parseValueType(feature.type)),
    valueOrder: view.features
      .map((feature, position) => ({ position, column: columns.indexOf(feature.column) }))
      .sort((a, b) => a.column - b.column || a.position - b.position)
      .map(({ position }) => position),
    ttlUs: view.ttl === undefined ? 0n : parseDurationUs(view.ttl),
    visibility: {
      delayUs: view.delay === undefined ? 0n : parseDurationUs(view.delay),
      needsAvailable: source.availableAt !== undefined,
      needsCreated: view.asKnown && source.createdTimestamp !== undefined,
    },
  };
}

/** Also such as the view does not name: a pair of user and item contains the user (rule 8.4). */
export function entitiesWithin({ keys }: ViewDocument, entities: RegistryDocument['entities']): readonly OnlineEntity[] {
  const placed = entities.map(({ joinKeys }) => joinKeys.map(({ name }) => keys.findIndex((key) => key.name === name)));
  return placed
    .filter(
      (positions) => !positions.includes(-1) && !(positions.length === keys.length && positions.every((at, own) => at === own)),
    )
    .map((positions) => ({
      positions,
      joinKeys: positions.map((at) => keys[at] as JoinKey).map(({ name, type }) => ({ name, type })),
    }));
}

/** Clocks of processes may be apart: a row is taken to be visible for everybody only when it has been so for this long. */
export const clockMarginUs = 60_000_000n;

/** From when on a row is visible (section 3); undefined is never. */
export function visibleFromUs(
  { delayUs, needsAvailable, needsCreated }: Visibility,
  { eventUs, createdUs, availableUs }: Pick<OnlineRow, 'eventUs' | 'createdUs' | 'availableUs'>,
): bigint | undefined {
  let from = eventUs + delayUs;
  if (needsAvailable) {
    if (availableUs === null) return undefined;
    if (availableUs > from) from = availableUs;
  }
  if (needsCreated) {
    if (createdUs === null) return undefined;
    if (createdUs > from) from = createdUs;
  }
  return from;
}

function noSource({ name, source }: ViewDocument): FeatureStoreError {
  return new FeatureStoreError('INTERNAL', `feature view "${name}" has no source "${source}" among the applied definitions`);
}

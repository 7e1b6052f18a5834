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
  /** Its entities, each with where its keys stand among `joinKeys`. */
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
  readonly name: string;
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
  if (source === undefined) throw missing(view, 'source', view.source);
  const columns = source.columns.map((column) => column.name);
  return {
    name: view.name,
    joinKeys: view.keys.map(({ name, type }) => ({ name, type })),
    entities: view.entities.map((name) => {
      const entity = entities.find((candidate) => candidate.name === name);
      if (entity === undefined) throw missing(view, 'entity', name);
      const positions = entity.joinKeys.map((key) => view.keys.findIndex((candidate) => candidate.name === key.name));
      return { name, joinKeys: entity.joinKeys.map(({ name, type }) => ({ name, type })), positions };
    }),
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

function missing(view: ViewDocument, kind: string, name: string): FeatureStoreError {
  return new FeatureStoreError('INTERNAL', `feature view "${view.name}" has no ${kind} "${name}" among the applied definitions`);
}

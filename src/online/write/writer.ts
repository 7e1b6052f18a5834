/** Writes rows so that the greatest wins in any order of arrival (rule 8.1), and erases entities for good (rule 8.4). */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { JoinKey } from '../encoding/keys.ts';
import { createOnlineSchemas } from '../encoding/schemas.ts';
import type { OnlineStore } from '../store.ts';
import type { OnlineView } from '../view.ts';
import type { KeyArrivals, WrittenRow } from './arrivals.ts';
import { type ErasureReport, eraseEntity, liftErasure, readErasures } from './erase.ts';
import type { WriteTarget } from './target.ts';
import { type ArrivalWriter, openArrivalWriter } from './write-arrivals.ts';
import { type RowCounts, writeRows } from './write-rows.ts';

export type { ArrivalWriter, ErasureReport, KeyArrivals, RowCounts, WriteTarget, WrittenRow };

export interface OnlineWriter {
  /** Rows of one call may be of one key and in any order. After an error any part may be written; writing again is safe. */
  write(view: OnlineView, rows: readonly WrittenRow[], nowUs: bigint, signal?: AbortSignal): Promise<RowCounts>;
  /** Opens views with the same join keys for rows that come encoded. */
  open(views: readonly OnlineView[], signal?: AbortSignal): Promise<ArrivalWriter>;
  /** Removes all rows of the entity with these join keys, those of composite keys that contain it included, and leaves a tombstone. */
  erase(
    joinKeys: readonly JoinKey[],
    values: readonly LiteralValue[],
    atUs: bigint,
    signal?: AbortSignal,
  ): Promise<ErasureReport>;
  /** Takes the tombstone away; whether there was one. What was erased does not come back by itself. */
  lift(joinKeys: readonly JoinKey[], values: readonly LiteralValue[], signal?: AbortSignal): Promise<boolean>;
  /** For each of the entities when it was erased; undefined where it is not. */
  readErasures(
    joinKeys: readonly JoinKey[],
    entities: readonly (readonly LiteralValue[])[],
    signal?: AbortSignal,
  ): Promise<(bigint | undefined)[]>;
}

export function createOnlineWriter(store: OnlineStore, project: string): OnlineWriter {
  const schemas = createOnlineSchemas(store, project);
  const scope = { store, project, schemas };
  return {
    write: (view, rows, nowUs, signal) => writeRows(scope, view, rows, nowUs, signal),
    open: (views, signal) => openArrivalWriter(scope, views, signal),
    erase: (joinKeys, values, atUs, signal) => eraseEntity(scope, joinKeys, values, atUs, signal),
    lift: (joinKeys, values, signal) => liftErasure(scope, joinKeys, values, signal),
    readErasures: (joinKeys, entities, signal) => readErasures(scope, joinKeys, entities, signal),
  };
}

/** What was served, in the form of what history is asked: an entity frame, and beside it what came online and what was known then. */
import type { Column } from '../../arrow/column.ts';
import type { Schema } from '../../arrow/schema.ts';
import type { HistoricalRequest } from '../../offline/request.ts';
import type { OnlineRequest } from '../../online/retrieve/answer.ts';
import type { Side } from './compare-feature.ts';

/** The column that holds T. */
export const evaluatedAt = 'evaluated_at';

/** Answers of one shape. */
export interface ServedBatch {
  /** What was asked, by `features` and never by a service, in the order of `outputs`; its time is the column `evaluated_at`. */
  readonly request: HistoricalRequest;
  /** The version of the definitions under which it was answered. */
  readonly version: number;
  readonly schema: Schema;
  /** Of the frame, none of them with a dictionary. */
  readonly columns: readonly Column[];
  readonly length: number;
  readonly outputs: readonly ServedOutput[];
  /** Of a look-up by its label; several where the answer came in between. */
  knownAt(label: string, row: number): readonly KnownThen[];
  /** What was served before now: the entities and values of the request by which some of its rows are asked for once more. */
  entitiesOf?(rows: readonly number[]): OnlineRequest['entities'];
}

export interface ServedOutput {
  /** The name of its column. */
  readonly name: string;
  /** `view:feature` or `view@prefix:feature`. */
  readonly reference: string;
  readonly view: string;
  readonly feature: string;
  /** As it was served. */
  readonly type: string;
  readonly online: Side;
}

/** What the server knew of a look-up's view when it answered; undefined is not told. */
export interface KnownThen {
  /** Up to which event timestamp a batch view was materialized; null if never. */
  readonly watermarkUs?: bigint | null;
  /** When the run that brought it there ended. */
  readonly finishedUs?: bigint;
  /** Up to which event time events were applied, in every partition; null if none was. */
  readonly appliedUs?: bigint | null;
  /** Of each partition the offset of the first event that was not applied: more exact than `appliedUs`. */
  readonly next?: ReadonlyMap<string, bigint>;
}

/** The same rows with some of the outputs. */
export function withOutputs(batch: ServedBatch, keep: (output: ServedOutput) => boolean): ServedBatch {
  const outputs = batch.outputs.filter(keep);
  return { ...batch, outputs, request: { ...batch.request, features: outputs.map(({ reference }) => reference) } };
}

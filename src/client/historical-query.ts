/** What a client asks of history, and the two ends of it: the entity frame that goes up, the training set that comes down. */
import type { Dictionaries } from '../arrow/dictionaries.ts';
import type { RecordBatch } from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import type { HistoricalReport } from './answers.ts';
import type { ReaderWarning } from './warnings.ts';

/** Members as on the wire (docs/reference/flight.md), which says what each means; null is the same as leaving it out. */
export interface HistoricalQuery {
  /** `view:feature` or `view@prefix:feature`; this or `service`. */
  readonly features?: readonly string[] | null;
  readonly service?: string | null;
  readonly full_feature_names?: boolean;
  readonly statuses?: boolean;
  readonly as_known?: boolean | null;
  readonly timestamp?: string;
  readonly timezone?: string | null;
  readonly at?: string | null;
  /** View or prefix -> join key -> the frame's column. */
  readonly keys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** A file that the server may read, in place of a frame. */
  readonly path?: string | null;
  readonly batch_rows?: number | null;
  /** Of the bodies of the answer, and of the frame. */
  readonly compression?: 'lz4' | 'zstd' | null;
}

export interface FrameBatch {
  readonly batch: RecordBatch;
  /** Those that the batch was written against; empty where no column has one. */
  readonly dictionaries: Dictionaries;
}

/** Rows to answer, read once and no faster than the server takes them. */
export interface EntityFrame {
  readonly schema: Schema;
  readonly batches: AsyncIterable<FrameBatch>;
}

/** A training set that the server is ready to stream. */
export interface TrainingSet {
  /** The frame's fields, then the features. The batches' own schema has the identity besides, in its metadata. */
  readonly schema: Schema;
  /** undefined where the server does not know before the end. */
  readonly rows: number | undefined;
  /** What of it is deprecated, as over HTTP; a process is told of each once, as a DeprecationWarning. */
  readonly warnings: readonly ReaderWarning[];
  /** What the action `cancel` takes. */
  readonly query: string;
  /**
   * Streams the answer, anew at each call, no faster than it is read; leaving the loop early cancels the call on the server. An
   * answer that is not whole rejects after its last batch: DATA_LOSS, or the error that ended it. FAILED_PRECONDITION where the
   * definitions changed meanwhile and the columns would be others.
   */
  batches(): AsyncGenerator<FrameBatch, void>;
  /** Of the last answer that was read to its end; FAILED_PRECONDITION before. */
  report(): HistoricalReport;
}

/** An entity frame in a file: what whoever reads it needs to know. */
import type { Column } from '../../arrow/column.ts';
import type { Dictionaries } from '../../arrow/dictionaries.ts';
import type { Schema } from '../../arrow/schema.ts';

/** Some rows of a frame. */
export interface FrameRows {
  readonly columns: readonly Column[];
  readonly length: number;
  /** What dictionary columns refer to. */
  readonly dictionaries: Dictionaries;
}

export interface FrameFile {
  readonly schema: Schema;
  /** undefined where only reading tells. */
  readonly rows: bigint | undefined;
  /** sha256 of the state of the file: path, size, modification time and, of Parquet, the footer. */
  readonly hash: string;
  /** Reads the file from its start; a frame without rows has one empty batch. */
  batches(maxRows: number, signal: AbortSignal): AsyncGenerator<FrameRows, void>;
}

/** Which file to read, and how messages and hashes call it. */
export interface FramePath {
  /** Absolute, links resolved. */
  readonly file: string;
  /** As its user wrote it. */
  readonly name: string;
  /** Where relative paths start. */
  readonly root: string;
}

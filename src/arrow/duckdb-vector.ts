/** What all builders of columns out of DuckDB's vectors have in common. */
import duckdb from '@duckdb/node-bindings';
import type { Column } from './column.ts';
import { bytesOf, int32View } from './typed-view.ts';

/** Appends runs of the vector that was loaded last; rows of lists need not come in order. */
export interface ColumnBuilder {
  /** Looks at a vector of `size` rows, which stays valid until the next load. */
  load(vector: duckdb.Vector, size: number): void;
  append(start: number, count: number): void;
  /** Bytes appended since the last take, but for the bitmap of nulls. */
  bytes(): number;
  /** The column so far; the builder starts anew. */
  take(): Column;
}

/** The validity bitmap of a vector, undefined where no row is null. */
export function readValidity(vector: duckdb.Vector, size: number): Uint8Array | undefined {
  const words = Math.ceil(size / 64);
  return (duckdb.vector_get_validity(vector, words * 8) as Uint8Array | null) ?? undefined;
}

/** Arrow's offsets from the ends of rows: a zero before them. */
export function withFirstOffset(ends: Uint8Array): Uint8Array {
  const offsets = new Int32Array(ends.byteLength / 4 + 1);
  offsets.set(int32View(ends), 1);
  return bytesOf(offsets);
}

/** DuckDB's chunks appended to Arrow columns. */
import { type DuckDBDataChunk, DuckDBLogicalType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { FeatureStoreError } from '../errors.ts';
import { columnFromValues } from './build.ts';
import type { Column } from './column.ts';
import { createBuilder } from './duckdb-builder.ts';
import type { ColumnBuilder } from './duckdb-vector.ts';
import type { Field } from './schema.ts';

export { duckdbField } from './duckdb-field.ts';

export interface ChunkAppender {
  /** Copies a chunk's rows; the chunk is not needed afterwards. */
  append(chunk: DuckDBDataChunk): void;
  /** Rows appended since the last take. */
  readonly rows: number;
  /** Bytes that their columns hold, but for the bitmaps of nulls. */
  readonly bytes: number;
  /** The columns of these rows; the appender starts anew. */
  take(): Column[];
}

/**
 * An appender for chunks whose columns are, in order, those of the fields, each of the type that duckdbField maps to its field's:
 * otherwise append throws INTERNAL. A hugeint beyond 38 digits is OUT_OF_RANGE, text beyond 2 GiB RESOURCE_EXHAUSTED.
 */
export function createChunkAppender(fields: readonly Field[]): ChunkAppender {
  let builders: ColumnBuilder[] | undefined;
  let rows = 0;
  return {
    append(chunk) {
      const raw = chunk.chunk;
      const count = duckdb.data_chunk_get_size(raw);
      checkWidth(raw, fields.length);
      const vectors = fields.map((_, index) => duckdb.data_chunk_get_vector(raw, index));
      builders ??= openBuilders(fields, vectors);
      for (const [index, builder] of builders.entries()) {
        builder.load(vectors[index] as duckdb.Vector, count);
        builder.append(0, count);
      }
      rows += count;
    },
    get rows() {
      return rows;
    },
    get bytes() {
      return builders?.reduce((sum, builder) => sum + builder.bytes(), 0) ?? 0;
    },
    take() {
      rows = 0;
      return builders === undefined
        ? fields.map((field) => columnFromValues(field, []))
        : builders.map((builder) => builder.take());
    },
  };
}

/** A vector asked for beyond the chunk's would crash the process. */
function checkWidth(chunk: duckdb.DataChunk, wanted: number): void {
  const count = duckdb.data_chunk_get_column_count(chunk);
  if (count !== wanted)
    throw new FeatureStoreError('INTERNAL', `${count} columns arrived from DuckDB where ${wanted} were planned`);
}

function openBuilders(fields: readonly Field[], vectors: readonly duckdb.Vector[]): ColumnBuilder[] {
  return fields.map((field, index) => {
    const type = DuckDBLogicalType.create(duckdb.vector_get_column_type(vectors[index] as duckdb.Vector)).asType();
    return createBuilder(field, type);
  });
}

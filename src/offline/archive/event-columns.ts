/** Columns of decoded events copied into DuckDB's vectors: typed arrays where a type has them, so that no value is looked at twice. */
import { type DuckDBDataChunk, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { parseDay } from '../../definitions/day.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { compilePushedColumn } from './values.ts';

/** Writes rows `from` up to `to` into a column of a chunk that has as many; `from` is a multiple of 64. */
export type CopyRows = (chunk: DuckDBDataChunk, column: number, from: number, to: number) => void;

/** Chosen once a column: plain values (see LiteralValue) of the type, or nulls. */
export function compileCopy(type: DuckDBType, values: readonly LiteralValue[]): CopyRows {
  const data = fixedData(type.typeId, values);
  if (data !== undefined) return copyFixed(data, nullsOf(values));
  if (type.typeId === DuckDBTypeId.VARCHAR) return copyTexts(values as readonly (string | null)[], nullsOf(values));
  const { convert } = compilePushedColumn(type, {});
  return (chunk, column, from, to) =>
    chunk.setColumnValues(
      column,
      values.slice(from, to).map((value) => (value === null ? null : convert(value))),
    );
}

/** Integers of 64 bits as they are, none of them null. */
export function copyBig(data: BigInt64Array | BigUint64Array): CopyRows {
  return copyFixed(data, undefined);
}

type FixedData = BigInt64Array | BigUint64Array | Int32Array | Float32Array | Float64Array | Uint8Array;

function fixedData(type: DuckDBTypeId, values: readonly LiteralValue[]): FixedData | undefined {
  const count = values.length;
  switch (type) {
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return fillBigs(values as readonly (bigint | null)[]);
    case DuckDBTypeId.INTEGER:
      return fill(new Int32Array(count), values as readonly (number | null)[]);
    case DuckDBTypeId.FLOAT:
      return fill(new Float32Array(count), values as readonly (number | null)[]);
    case DuckDBTypeId.DOUBLE:
      return fill(new Float64Array(count), values as readonly (number | null)[]);
    case DuckDBTypeId.BOOLEAN:
      return Uint8Array.from(values, (value) => (value === true ? 1 : 0));
    case DuckDBTypeId.DATE:
      return Int32Array.from(values as readonly (string | null)[], (value) => (value === null ? 0 : (parseDay(value) as number)));
    default:
      return undefined;
  }
}

/** A loop: `from` takes several times as long. */
function fill<T extends Int32Array | Float32Array | Float64Array>(data: T, values: readonly (number | null)[]): T {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number | null;
    if (value !== null) data[row] = value;
  }
  return data;
}

function fillBigs(values: readonly (bigint | null)[]): BigInt64Array {
  const data = new BigInt64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as bigint | null;
    if (value !== null) data[row] = value;
  }
  return data;
}

/** A bit of each value that is not null, in whole words of 64; undefined where none is null. */
function nullsOf(values: readonly LiteralValue[]): Uint8Array | undefined {
  if (!values.includes(null)) return undefined;
  const bits = new Uint8Array(Math.ceil(values.length / 64) * 8);
  for (let row = 0; row < values.length; row++) {
    if (values[row] !== null) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  }
  return bits;
}

function copyFixed(data: FixedData, nulls: Uint8Array | undefined): CopyRows {
  const width = data.BYTES_PER_ELEMENT;
  return (chunk, column, from, to) => {
    const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
    duckdb.copy_data_to_vector(vector, 0, data.buffer as ArrayBuffer, from * width, (to - from) * width);
    copyNulls(vector, nulls, from, to);
  };
}

function copyTexts(values: readonly (string | null)[], nulls: Uint8Array | undefined): CopyRows {
  return (chunk, column, from, to) => {
    const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
    for (let row = from; row < to; row++) {
      const text = values[row];
      if (text != null) duckdb.vector_assign_string_element(vector, row - from, text);
    }
    copyNulls(vector, nulls, from, to);
  };
}

function copyNulls(vector: duckdb.Vector, nulls: Uint8Array | undefined, from: number, to: number): void {
  if (nulls === undefined) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, nulls.buffer as ArrayBuffer, from >> 3, Math.ceil((to - from) / 64) * 8);
}

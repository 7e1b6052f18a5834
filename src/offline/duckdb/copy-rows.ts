/** Columns that go into DuckDB's vectors whole, without a value of JavaScript for each of theirs. */
import type { DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Column } from '../../arrow/column.ts';
import { layoutOf } from '../../arrow/layout.ts';
import type { Field } from '../../arrow/schema.ts';
import { bytesOf, int32View } from '../../arrow/typed-view.ts';

/** Rows `from` up to `to` into a column of a chunk that has as many; `from` is a multiple of 8. False where they are left to others. */
export type RowsCopier = (chunk: DuckDBDataChunk, at: number, column: Column, from: number, to: number) => boolean;

/** How the field's column is copied, as write-parquet.ts maps it; undefined where it has to go value by value. */
export function copierOf({ type, dictionary }: Field): RowsCopier | undefined {
  if (dictionary !== undefined) return dictionary.indexBits === 8 ? copyFixed : undefined;
  switch (type.id) {
    case 'bool':
      return copyBits;
    case 'int':
      return copyFixed;
    case 'float':
      return type.bits === 16 ? undefined : copyFixed;
    case 'date':
      return type.unit === 'day' ? copyFixed : undefined;
    case 'timestamp':
      return type.timezone === undefined || type.unit === 'us' ? copyFixed : undefined;
    case 'utf8':
    case 'binary':
      return copyText;
    default:
      return undefined;
  }
}

/** The very bytes that Arrow has. */
const copyFixed: RowsCopier = (chunk, at, column, from, to) => {
  const layout = layoutOf(column.field);
  if (layout.kind !== 'fixed') return false;
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, at);
  const data = column.buffers[0] as Uint8Array<ArrayBuffer>;
  duckdb.copy_data_to_vector(vector, 0, data.buffer, data.byteOffset + from * layout.bytes, (to - from) * layout.bytes);
  copyValidity(vector, column, from, to);
  return true;
};

/** A byte for each bit. */
const copyBits: RowsCopier = (chunk, at, column, from, to) => {
  const bits = column.buffers[0] as Uint8Array;
  const bytes = new Uint8Array(to - from);
  for (let row = from; row < to; row++) bytes[row - from] = ((bits[row >> 3] as number) >> (row & 7)) & 1;
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, at);
  duckdb.copy_data_to_vector(vector, 0, bytes.buffer, 0, bytes.length);
  copyValidity(vector, column, from, to);
  return true;
};

/**
 * A text of DuckDB is 16 bytes: its length, and then up to 12 bytes of its own, or 4 of them and an address. All bytes of the rows are
 * given to the vector as one text, which it keeps; long texts are parts of that one. Left to others where DuckDB takes it for no text.
 */
const copyText: RowsCopier = (chunk, at, column, from, to) => {
  const [offsets, data] = [int32View(column.buffers[0] as Uint8Array), column.buffers[1] as Uint8Array];
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, at);
  const start = offsets[from] as number;
  const address = keepText(vector, data.subarray(start, offsets[to]));
  if (address === undefined) return false;
  const isText = column.field.type.id === 'utf8';
  const words = new Int32Array(4 * (to - from));
  const bytes = bytesOf(words);
  for (let row = from; row < to; row++) {
    const first = offsets[row] as number;
    const length = (offsets[row + 1] as number) - first;
    const word = 4 * (row - from);
    words[word] = length;
    // Within a character: the whole is text and this part is not.
    if (isText && length > 0 && ((data[first] as number) & 0xc0) === 0x80) return false;
    const own = length > 12 ? 4 : length;
    for (let byte = 0; byte < own; byte++) bytes[4 * word + 4 + byte] = data[first + byte] as number;
    if (length <= 12) continue;
    const there = address + first - start;
    const high = Math.floor(there / 2 ** 32);
    words[word + 2] = there - high * 2 ** 32;
    words[word + 3] = high;
  }
  duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, words.byteLength);
  copyValidity(vector, column, from, to);
  return true;
};

/** Where the vector keeps the text, if it is longer than 12 bytes; undefined where DuckDB refuses it. */
function keepText(vector: duckdb.Vector, text: Uint8Array): number | undefined {
  if (text.length === 0) return 0;
  duckdb.copy_data_to_vector(vector, 0, noText, 0, 16);
  duckdb.vector_assign_string_element_len(vector, 0, text);
  const [length = 0, , low = 0, high = 0] = int32View(duckdb.vector_get_data(vector, 16));
  return length === text.length ? (low >>> 0) + high * 2 ** 32 : undefined;
}

const noText = new ArrayBuffer(16);

function copyValidity(vector: duckdb.Vector, { nullCount, validity }: Column, from: number, to: number): void {
  if (nullCount === 0 || validity === undefined) return;
  duckdb.vector_ensure_validity_writable(vector);
  const bits = validity as Uint8Array<ArrayBuffer>;
  duckdb.copy_data_to_vector_validity(vector, 0, bits.buffer, bits.byteOffset + (from >> 3), Math.ceil((to - from) / 8));
}

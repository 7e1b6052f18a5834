/** Strings and bytes out of DuckDB's vectors, and the types that are written as text. */
import type { DuckDBEnumType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { getBit } from './bitmap.ts';
import { type LongStrings, loadLongStrings } from './duckdb-long-strings.ts';
import { type ColumnBuilder, readValidity, withFirstOffset } from './duckdb-vector.ts';
import { copyBytes } from './gather.ts';
import { createGrowingBytes, createGrowingValidity, grow, takeBytes } from './growing-bytes.ts';
import type { Field } from './schema.ts';
import { checkTotal } from './take.ts';
import { int32View } from './typed-view.ts';

/** A string is 16 bytes: uint32 length, then up to 12 bytes in place, or 4 of them and a pointer to all. */
export function createTextBuilder(field: Field): ColumnBuilder {
  let bytes: Uint8Array;
  let words: Int32Array;
  let long: LongStrings;
  const rows: RowTexts = {
    load(vector, size, nulls) {
      bytes = duckdb.vector_get_data(vector, 16 * size);
      words = int32View(bytes);
      long = loadLongStrings(bytes, size, nulls);
    },
    length: (row) => words[4 * row] as number,
    copyRows(start, count, ends, at, target) {
      for (let i = 0; i < count; i++) {
        const end = ends[i] as number;
        if (end - at > 12) {
          i = long.copyRun(start, i, count, ends, at, target);
          at = ends[i] as number;
        } else for (let from = 16 * (start + i) + 4; at < end; ) target[at++] = bytes[from++] as number;
      }
    },
  };
  return createRowTextBuilder(field, rows);
}

/** An enum's values as text. */
export function createEnumBuilder(field: Field, type: DuckDBEnumType): ColumnBuilder {
  const encoder = new TextEncoder();
  const values = type.values.map((value) => encoder.encode(value));
  const width = type.values.length <= 0xff ? 1 : type.values.length <= 0xffff ? 2 : 4;
  const arrays = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
  let codes: Uint8Array | Uint16Array | Uint32Array;
  return createRowTextBuilder(field, {
    load(vector, size) {
      const data = duckdb.vector_get_data(vector, width * size);
      codes = new arrays[width](data.buffer as ArrayBuffer, data.byteOffset, size);
    },
    length: (row) => (values[codes[row] as number] as Uint8Array).byteLength,
    copyRows(start, count, ends, at, target) {
      for (let i = 0; i < count; at = ends[i++] as number) {
        const length = (ends[i] as number) - at;
        if (length > 0) copyBytes(target, at, values[codes[start + i] as number] as Uint8Array, 0, length);
      }
    },
  });
}

/** A uuid's 36 characters. DuckDB stores it as a 128-bit integer with the highest bit flipped, so that it sorts as text does. */
export function createUuidBuilder(field: Field): ColumnBuilder {
  let bytes: Uint8Array;
  return createRowTextBuilder(field, {
    load(vector, size) {
      bytes = duckdb.vector_get_data(vector, 16 * size);
    },
    length: () => 36,
    copyRows(start, count, ends, at, target) {
      for (let i = 0; i < count; i++) {
        if ((ends[i] as number) > at) writeUuid(bytes, 16 * (start + i), target, at);
        at = ends[i] as number;
      }
    },
  });
}

function writeUuid(bytes: Uint8Array, from: number, target: Uint8Array, at: number): void {
  for (let i = 15; i >= 0; i--) {
    const byte = (bytes[from + i] as number) ^ (i === 15 ? 0x80 : 0);
    target[at++] = hexDigit(byte >> 4);
    target[at++] = hexDigit(byte & 15);
    if (i === 12 || i === 10 || i === 8 || i === 6) target[at++] = 0x2d;
  }
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

interface RowTexts {
  load(vector: duckdb.Vector, size: number, nulls: Uint8Array | undefined): void;
  /** Bytes of a row that is not null. */
  length(row: number): number;
  /** Copies `count` rows from `start` on to `at`; `ends` tells where each one ends there, nulls and empty texts where they begin. */
  copyRows(start: number, count: number, ends: Int32Array, at: number, target: Uint8Array): void;
}

function createRowTextBuilder(field: Field, rows: RowTexts): ColumnBuilder {
  const ends = createGrowingBytes();
  const data = createGrowingBytes();
  const validity = createGrowingValidity();
  let nulls: Uint8Array | undefined;
  return {
    load(vector, size) {
      nulls = readValidity(vector, size);
      rows.load(vector, size, nulls);
    },
    append(start, count) {
      const firstEnd = grow(ends, 4 * count);
      const out = int32View(ends.bytes.subarray(firstEnd));
      let total = data.length;
      for (let i = 0; i < count; i++) {
        const row = start + i;
        if (nulls === undefined || getBit(nulls, row)) total += rows.length(row);
        out[i] = total;
      }
      checkTotal(field.name, total);
      const at = grow(data, total - data.length);
      rows.copyRows(start, count, out, at, data.bytes);
      validity.append(nulls, start, count);
    },
    bytes: () => ends.length + data.length,
    take: () => ({ field, ...validity.take(), buffers: [withFirstOffset(takeBytes(ends)), takeBytes(data)], children: [] }),
  };
}

/** Builders of columns whose values are of one width, filled in loops over typed memory. */
import { bitmapBytes, setBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import type { Field } from '../../arrow/schema.ts';
import { bytesOf } from '../../arrow/typed-view.ts';
import { type ColumnBuilder, createNulls, grown, startRows } from './column-builder.ts';

export interface BigintsBuilder extends ColumnBuilder {
  /** The last rows, unless one of them is null. */
  last(rows: number): BigInt64Array | undefined;
  /** Adds rows of which none is null. */
  addAll(values: BigInt64Array): void;
}

export function createBigintsBuilder(field: Field): BigintsBuilder {
  const nulls = createNulls();
  const make = (size: number) => new BigInt64Array(size);
  let data = make(startRows);
  let length = 0;
  const grow = (rows: number) => {
    if (length + rows > data.length) data = grown(data, length + rows, make);
  };
  return {
    add(values, { picked, from, to }) {
      grow(to - from);
      for (let row = from; row < to; row++, length++) {
        const value = values[picked === undefined ? row : (picked[row] as number)];
        if (value === null || value === undefined) nulls.add(length, 1);
        else data[length] = value as bigint;
      }
    },
    addAll(values) {
      grow(values.length);
      data.set(values, length);
      length += values.length;
    },
    repeat(value, rows) {
      grow(rows);
      if (value === null || value === undefined) nulls.add(length, rows);
      else data.fill(value as bigint, length, length + rows);
      length += rows;
    },
    last: (rows) => (nulls.last() < length - rows ? data.subarray(length - rows, length) : undefined),
    bytes: () => 8 * length,
    take() {
      const column = { field, length, ...nulls.take(length), buffers: [bytesOf(data.subarray(0, length))], children: [] };
      length = 0;
      return column;
    },
  };
}

type Numbers = Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

export function createNumbersBuilder(field: Field, make: (length: number) => Numbers): ColumnBuilder {
  const nulls = createNulls();
  let data = make(startRows);
  let length = 0;
  const grow = (rows: number) => {
    if (length + rows > data.length) data = grown(data, length + rows, make);
  };
  return {
    add(values, { picked, from, to }) {
      grow(to - from);
      for (let row = from; row < to; row++, length++) {
        const value = values[picked === undefined ? row : (picked[row] as number)];
        if (value === null || value === undefined) nulls.add(length, 1);
        else data[length] = value as number;
      }
    },
    repeat(value, rows) {
      grow(rows);
      if (value === null || value === undefined) nulls.add(length, rows);
      else data.fill(value as number, length, length + rows);
      length += rows;
    },
    bytes: () => data.BYTES_PER_ELEMENT * length,
    take() {
      const column = { field, length, ...nulls.take(length), buffers: [bytesOf(data.subarray(0, length))], children: [] };
      length = 0;
      return column;
    },
  };
}

/** Of places in a dictionary, a byte each. */
export function createPlacesBuilder(field: Field): ColumnBuilder {
  return createBytesBuilder((data) => ({ field, nullCount: 0, buffers: [data] }));
}

/** Of bits, out of bytes that are 0 or 1. */
export function createFlagsBuilder(field: Field): ColumnBuilder {
  return createBytesBuilder((bytes) => {
    const bits = new Uint8Array(bitmapBytes(bytes.length));
    for (let row = 0; row < bytes.length; row++) if (bytes[row] === 1) setBit(bits, row);
    return { field, nullCount: 0, buffers: [bits] };
  });
}

/** Of a byte a row, none of them null. */
function createBytesBuilder(columnOf: (data: Uint8Array) => Pick<Column, 'field' | 'nullCount' | 'buffers'>): ColumnBuilder {
  const make = (size: number) => new Uint8Array(size);
  let data = make(startRows);
  let length = 0;
  const grow = (rows: number) => {
    if (length + rows > data.length) data = grown(data, length + rows, make);
  };
  return {
    add(values, { picked, from, to }) {
      grow(to - from);
      const bytes = values as Uint8Array;
      if (picked === undefined) data.set(bytes.subarray(from, to), length);
      else for (let row = from; row < to; row++) data[length + row - from] = bytes[picked[row] as number] as number;
      length += to - from;
    },
    repeat(value, rows) {
      grow(rows);
      data.fill(value as number, length, length + rows);
      length += rows;
    },
    bytes: () => length,
    take() {
      const column = { ...columnOf(data.subarray(0, length)), length, children: [] };
      length = 0;
      return column;
    },
  };
}

/** Columns as one matrix, row by row: what a model takes, so that no client has to turn columns into rows. */
import { bitmapBytes, fillBits, getBit } from '../arrow/bitmap.ts';
import type { Column } from '../arrow/column.ts';
import { toUtf8 } from '../arrow/plain.ts';
import { readValue } from '../arrow/read-value.ts';
import { type Field, formatType } from '../arrow/schema.ts';
import { dataView, readOffsets } from '../arrow/typed-view.ts';
import { FeatureStoreError } from '../errors.ts';

export const denseTypes = ['float32', 'float64', 'int32', 'int64'] as const;
export type DenseType = (typeof denseTypes)[number];
type Values = Float32Array | Float64Array | Int32Array | BigInt64Array;

/** Ids of a column's strings, from 1 on; 0 is null and what is unknown. */
export type Vocabulary = ReadonlyMap<string, number>;

export interface DenseOptions {
  readonly type: DenseType;
  /** Stands where a value is null. undefined: NaN in matrices of floats; null integers, booleans and lists are refused. */
  readonly fill: number | undefined;
}

export interface Matrix {
  /** `rows` times `width` numbers. */
  readonly values: Values;
  /** 1 where there is a value and 0 where it is filled, if it was asked for. */
  readonly mask: Uint8Array | undefined;
}

/** Writes a column's values at every `width`-th place from `at` on. */
type Write = (column: Column, values: Values, at: number, width: number) => void;

interface Part {
  readonly index: number;
  /** How many places of a row it takes. */
  readonly width: number;
  readonly write: Write;
  /** A null needs no filling: the vocabulary's 0 stands for it. */
  readonly takesNulls: boolean;
}

export interface DensePlan {
  readonly type: DenseType;
  readonly width: number;
  /** Of columns in the order of the fields that it was planned for. */
  build(columns: readonly Column[], rows: number, wantsMask: boolean): Matrix;
}

/** Plans a matrix of fields, by their places; INVALID_ARGUMENT names the column that cannot be part of it, and the ways out. */
export function planDense(
  fields: readonly Field[],
  indices: readonly number[],
  { type, fill }: DenseOptions,
  vocabularies: ReadonlyMap<string, Vocabulary>,
): DensePlan {
  checkFill(type, fill);
  const parts = indices.map((index) => planPart(fields[index] as Field, index, type, vocabularies));
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const filled = fill ?? (type === 'float32' || type === 'float64' ? Number.NaN : undefined);
  return {
    type,
    width,
    build(columns, rows, wantsMask) {
      const values = createValues(type, rows * width);
      const mask = wantsMask ? new Uint8Array(rows * width).fill(1) : undefined;
      let at = 0;
      for (const part of parts) {
        const column = columns[part.index] as Column;
        part.write(column, values, at, width);
        if (column.nullCount > 0) fillNulls(column, part, { values, mask }, at, width, filled);
        at += part.width;
      }
      return { values, mask };
    },
  };
}

function checkFill(type: DenseType, fill: number | undefined): void {
  if (fill === undefined || type === 'float32' || type === 'float64') return;
  if (Number.isSafeInteger(fill) && (type === 'int64' || fill === (fill | 0))) return;
  throw new FeatureStoreError('INVALID_ARGUMENT', `a matrix of ${type} cannot be filled with ${fill}; give an integer that fits`);
}

function createValues(type: DenseType, length: number): Values {
  if (type === 'float32') return new Float32Array(length);
  if (type === 'float64') return new Float64Array(length);
  return type === 'int32' ? new Int32Array(length) : new BigInt64Array(length);
}

function fillNulls(
  { field, length, validity }: Column,
  part: Part,
  { values, mask }: Matrix,
  at: number,
  width: number,
  fill: number | undefined,
): void {
  if (fill === undefined && !part.takesNulls) {
    throw refuseColumn(field, 'has nulls, which integers have no place for', nullsWay);
  }
  const value = values instanceof BigInt64Array ? BigInt(fill ?? 0) : (fill ?? 0);
  for (let row = 0; row < length; row++) {
    if (validity === undefined || getBit(validity, row)) continue;
    const from = row * width + at;
    if (!part.takesNulls)
      (values as { fill(value: unknown, from: number, to: number): void }).fill(value, from, from + part.width);
    mask?.fill(0, from, from + part.width);
  }
}

function planPart(field: Field, index: number, type: DenseType, vocabularies: ReadonlyMap<string, Vocabulary>): Part {
  const { type: stored } = field;
  const vocabulary = vocabularies.get(field.name);
  if (stored.id === 'utf8' || stored.id === 'largeUtf8' || stored.id === 'utf8View') {
    if (vocabulary === undefined)
      throw refuseColumn(field, 'is text without a vocabulary', 'leave it out, or ask for it as a column of its own');
    return { index, width: 1, write: writeIds(vocabulary), takesNulls: true };
  }
  if (stored.id !== 'fixedSizeList') return { index, width: 1, write: writeNumbers(field, type), takesNulls: false };
  const element = field.children[0] as Field;
  if (element.type.id === 'fixedSizeList') throw refuseColumn(field, 'is a list of lists', 'leave it out');
  return { index, width: stored.size, write: writeVectors(field, stored.size, writeNumbers(element, type)), takesNulls: false };
}

function writeIds(vocabulary: Vocabulary): Write {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return (column, values, at, step) => {
    const { length, buffers } = toUtf8(column);
    const [first, text] = buffers as [Uint8Array, Uint8Array];
    const offsets = readOffsets(first, 4);
    const isWide = values instanceof BigInt64Array;
    for (let row = 0; row < length; row++, at += step) {
      const from = offsets[row] as number;
      const id = vocabulary.get(decoder.decode(text.subarray(from, offsets[row + 1]))) ?? 0;
      if (isWide) values[at] = BigInt(id);
      else values[at] = id;
    }
  };
}

/** A list's elements are a column of their own, `size` times as long. */
function writeVectors(list: Field, size: number, write: Write): Write {
  return (column, values, at, step) => {
    const child = column.children[0] as Column;
    const validity = new Uint8Array(bitmapBytes(child.length));
    let nullCount = 0;
    for (let row = 0, element = 0; row < column.length; row++, element += size) {
      if (isThere(column, row)) fillBits(validity, element, size);
      else nullCount += size;
    }
    for (let element = 0; child.nullCount > 0 && element < child.length; element++) {
      if (getBit(validity, element) && !isThere(child, element))
        throw refuseColumn(list, 'has lists with nulls in them', 'leave it out, or ask for it as a column of its own');
    }
    const rows = createLike(values, child.length);
    write({ ...child, nullCount, validity }, rows, 0, 1);
    for (let row = 0; row < column.length; row++)
      values.set(rows.subarray(row * size, (row + 1) * size) as never, row * step + at);
  };
}

function createLike(values: Values, length: number): Values {
  return new (values.constructor as new (length: number) => Values)(length);
}

/** What is null is filled afterwards: whatever stands in its place must not be refused. */
function writeNumbers(field: Field, type: DenseType): Write {
  const { type: stored } = field;
  const isInteger = stored.id === 'int' || stored.id === 'bool';
  if (type === 'int32' || type === 'int64') {
    if (isInteger) return writeIntegers(field, type);
    throw refuseColumn(field, `is no integer, which a matrix of ${type} holds`, 'ask for float32 or float64, or leave it out');
  }
  if (stored.id === 'float' && stored.bits !== 16) return writeFloats(stored.bits);
  if (isInteger || stored.id === 'float' || stored.id === 'decimal') return writeExactly(field, type);
  throw refuseColumn(field, `cannot become a number of ${type}`, 'leave it out, or ask for it as a column of its own');
}

function writeFloats(bits: 32 | 64): Write {
  return ({ length, buffers }, values, at, step) => {
    const [bytes] = buffers as [Uint8Array];
    const source =
      bits === 32
        ? new Float32Array(bytes.buffer, bytes.byteOffset, length)
        : new Float64Array(bytes.buffer, bytes.byteOffset, length);
    const target = values as Float32Array | Float64Array;
    for (let row = 0; row < length; row++, at += step) target[at] = source[row] as number;
  };
}

/** Integers must be what they were; what a decimal or a half is in the type's digits is its nearest. */
function writeExactly(field: Field, type: DenseType): Write {
  const mustBeExact = field.type.id === 'int';
  return (column, values, at, step) => {
    const read = numberReader(column);
    const target = values as Float32Array | Float64Array;
    for (let row = 0; row < column.length; row++, at += step) {
      const value = read(row);
      target[at] = value;
      if (mustBeExact && target[at] !== value && isThere(column, row)) {
        throw refuseColumn(
          field,
          `holds ${value}, which ${type} has not the digits for`,
          'ask for float64 or int64, or leave it out',
        );
      }
      if (mustBeExact && !Number.isSafeInteger(value) && isThere(column, row)) {
        throw refuseColumn(
          field,
          `holds ${readValue(column, row)}, which ${type} has not the digits for`,
          'ask for int64, or leave it out',
        );
      }
    }
  };
}

function writeIntegers(field: Field, type: 'int32' | 'int64'): Write {
  const { type: stored } = field;
  const isWide = stored.id === 'int' && stored.bits === 64;
  const isOutside = (column: Column, row: number, what: unknown) => {
    if (isThere(column, row))
      throw refuseColumn(field, `holds ${what}, which is outside ${type}`, 'ask for int64, or leave it out');
  };
  return (column, values, at, step) => {
    if (values instanceof BigInt64Array && isWide) {
      const [bytes] = column.buffers as [Uint8Array];
      const source = new BigInt64Array(bytes.buffer, bytes.byteOffset, column.length);
      const isSigned = stored.signed;
      for (let row = 0; row < column.length; row++, at += step) {
        values[at] = source[row] as bigint;
        if (!isSigned && (source[row] as bigint) < 0n) isOutside(column, row, BigInt.asUintN(64, source[row] as bigint));
      }
      return;
    }
    const read = numberReader(column);
    for (let row = 0; row < column.length; row++, at += step) {
      const value = read(row);
      if (values instanceof BigInt64Array) values[at] = BigInt(value);
      else {
        (values as Int32Array)[at] = value;
        if (values[at] !== value) isOutside(column, row, isWide ? readValue(column, row) : value);
      }
    }
  };
}

function isThere({ nullCount, validity }: Column, row: number): boolean {
  return nullCount === 0 || validity === undefined || getBit(validity, row);
}

/** The numbers of a column; 64 bits are rounded to the nearest double. */
function numberReader(column: Column): (row: number) => number {
  const { field, length } = column;
  const { type } = field;
  const [bytes] = column.buffers as [Uint8Array];
  if (type.id === 'bool') return (row) => (getBit(bytes, row) ? 1 : 0);
  if (type.id !== 'int') return (row) => (isThere(column, row) ? Number(readValue(column, row)) : 0);
  if (type.bits === 64) {
    const view = dataView(bytes);
    const high = type.signed
      ? (row: number) => view.getInt32(8 * row + 4, true)
      : (row: number) => view.getUint32(8 * row + 4, true);
    return (row) => high(row) * 2 ** 32 + view.getUint32(8 * row, true);
  }
  const source = new arrays[`${type.signed ? '' : 'u'}${type.bits}`](bytes.buffer as ArrayBuffer, bytes.byteOffset, length);
  return (row) => source[row] as number;
}

const arrays = {
  8: Int8Array,
  16: Int16Array,
  32: Int32Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
} as const;

/** Clients fill features alone. */
export const nullsWay =
  'of a feature give `fill` or ask for a matrix of floats; else leave it out, or fill it in the frame of which the dataset is made';

/** INVALID_ARGUMENT that names a column, what of it is in the way, and the ways out. */
export function refuseColumn(field: Field, what: string, way: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `column "${field.name}" (${formatType(field)}) ${what}: ${way}`, {
    details: { column: field.name },
  });
}

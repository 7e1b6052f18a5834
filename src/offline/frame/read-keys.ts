/** Key columns of a frame or a projection as keys, converted by value where every value fits (rule 2.2). */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { toBinary, toUtf8 } from '../../arrow/plain.ts';
import { readValue } from '../../arrow/read-value.ts';
import { formatType } from '../../arrow/schema.ts';
import { halfValue } from '../../arrow/value-codec.ts';
import type { KeyType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import { combineKeys, type Keys } from '../projection/keys.ts';

/** Where a key column stands, to name it in an error: row 0 of the column is row `firstRow` of the whole frame. */
export interface KeyPlace {
  readonly joinKey: string;
  readonly column: string;
  readonly firstRow: number;
}

/** Reads one key column, dictionaries already resolved. */
export function readKeyColumn(column: Column, type: KeyType, place: KeyPlace): Keys {
  const nulls = readNulls(column);
  // Without a value, none fails to fit, whatever the type.
  if (column.field.type.id === 'null' || column.nullCount === column.length) return nullKeys(column.length, type);
  switch (type) {
    case 'int32':
    case 'int64':
      return readInts(column, type, place, nulls);
    case 'bool':
      return readBools(column, place, nulls);
    case 'string':
      return readBytes(toUtf8(requireKind(column, ['utf8', 'largeUtf8', 'utf8View'], type, place)), nulls);
    case 'bytes':
      return readBytes(
        toBinary(requireKind(column, ['binary', 'largeBinary', 'binaryView', 'fixedSizeBinary'], type, place)),
        nulls,
      );
  }
}

/** Reads all key columns of a view as one. */
export function readKeys(
  columns: readonly Column[],
  types: readonly KeyType[],
  places: readonly KeyPlace[],
  length: number,
): Keys {
  const parts = columns.map((column, index) => readKeyColumn(column, types[index] as KeyType, places[index] as KeyPlace));
  return combineKeys(parts, length);
}

/** One byte a row, 1 where the value is null; undefined where none is. */
export function readNulls(column: Column): Uint8Array | undefined {
  if (column.nullCount === 0 || column.validity === undefined) return undefined;
  const nulls = new Uint8Array(column.length);
  for (let row = 0; row < nulls.length; row++) nulls[row] = getBit(column.validity, row) ? 0 : 1;
  return nulls;
}

function nullKeys(length: number, type: KeyType): Keys {
  const nulls = new Uint8Array(length).fill(1);
  if (type === 'string' || type === 'bytes')
    return { kind: 'bytes', length, offsets: new Int32Array(length + 1), data: new Uint8Array(0), nulls };
  return { kind: 'int', length, words: new Int32Array(2 * length), nulls };
}

function readBytes(column: Column, nulls: Uint8Array | undefined): Keys {
  const [offsets, data] = column.buffers as [Uint8Array, Uint8Array];
  return {
    kind: 'bytes',
    length: column.length,
    offsets: new Int32Array(offsets.buffer, offsets.byteOffset, column.length + 1),
    data,
    nulls,
  };
}

function readBools(column: Column, place: KeyPlace, nulls: Uint8Array | undefined): Keys {
  const words = new Int32Array(2 * column.length);
  const bits = requireKind(column, ['bool'], 'bool', place).buffers[0] as Uint8Array;
  for (let row = 0; row < column.length; row++) words[2 * row] = getBit(bits, row) ? 1 : 0;
  return { kind: 'int', length: column.length, words, nulls };
}

function readInts(column: Column, type: 'int32' | 'int64', place: KeyPlace, nulls: Uint8Array | undefined): Keys {
  const { type: arrow } = column.field;
  if (arrow.id === 'float') return readWholeFloats(column, arrow.bits, type, place, nulls);
  if (arrow.id !== 'int') throw refuseType(column, type, place);
  const words = widenInts(column, arrow.bits, arrow.signed);
  const fits32 = type === 'int64' || arrow.bits < 32 || (arrow.bits === 32 && arrow.signed);
  const fits64 = arrow.bits < 64 || arrow.signed;
  if (!fits32 || !fits64) {
    for (let row = 0; row < column.length; row++) {
      if (nulls?.[row] === 1) continue;
      const low = words[2 * row] as number;
      const high = words[2 * row + 1] as number;
      if ((!fits64 && high < 0) || (type === 'int32' && high !== low >> 31)) {
        const value = fits64 ? (BigInt(high) << 32n) | BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
        throw refuseValue(String(value), row, type, place);
      }
    }
  }
  return { kind: 'int', length: column.length, words, nulls };
}

function widenInts(column: Column, bits: 8 | 16 | 32 | 64, signed: boolean): Int32Array {
  const data = column.buffers[0] as Uint8Array;
  if (bits === 64) return new Int32Array(data.buffer, data.byteOffset, 2 * column.length);
  const arrays = signed ? { 8: Int8Array, 16: Int16Array, 32: Int32Array } : { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array };
  const values = new arrays[bits](data.buffer as ArrayBuffer, data.byteOffset, column.length);
  const words = new Int32Array(2 * column.length);
  for (let row = 0; row < column.length; row++) {
    const value = values[row] as number;
    words[2 * row] = value | 0;
    words[2 * row + 1] = value < 0 ? -1 : 0;
  }
  return words;
}

function readWholeFloats(
  column: Column,
  bits: 16 | 32 | 64,
  type: 'int32' | 'int64',
  place: KeyPlace,
  given: Uint8Array | undefined,
): Keys {
  const data = column.buffers[0] as Uint8Array;
  const values =
    bits === 64
      ? new Float64Array(data.buffer, data.byteOffset, column.length)
      : bits === 32
        ? new Float32Array(data.buffer, data.byteOffset, column.length)
        : Float64Array.from(new Uint16Array(data.buffer, data.byteOffset, column.length), halfValue);
  const limit = type === 'int32' ? 2 ** 31 : 2 ** 53;
  const words = new Int32Array(2 * column.length);
  let nulls = given;
  for (let row = 0; row < column.length; row++) {
    if (given?.[row] === 1) continue;
    const value = values[row] as number;
    if (Number.isNaN(value)) {
      if (nulls === given) nulls = given === undefined ? new Uint8Array(column.length) : given.slice();
      (nulls as Uint8Array)[row] = 1;
      continue;
    }
    const fits = Number.isInteger(value) && value < limit && (value > -limit || (type === 'int32' && value === -limit));
    if (!fits) throw refuseValue(String(value), row, type, place);
    words[2 * row] = value | 0;
    words[2 * row + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return { kind: 'int', length: column.length, words, nulls };
}

function requireKind(column: Column, kinds: readonly string[], type: KeyType, place: KeyPlace): Column {
  if (!kinds.includes(column.field.type.id)) throw refuseType(column, type, place);
  return column;
}

function refuseType(column: Column, type: KeyType, place: KeyPlace): FeatureStoreError {
  const came = formatType(column.field);
  const row = Math.max(0, readNulls(column)?.indexOf(0) ?? 0);
  const at = place.firstRow + row;
  const value = formatValue(readValue(column, row));
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `join key "${place.joinKey}" is ${type}, but column "${place.column}" of the frame is ${came}${value === undefined ? '' : ` (${value} in row ${at})`}, which is never equal to one; convert the column to ${type}`,
    { details: { joinKey: place.joinKey, column: place.column, type: came, wanted: type, row: at } },
  );
}

/** A value to show in a message; undefined for those that have no short text. */
function formatValue(value: unknown): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return ['bigint', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function refuseValue(value: string, row: number, type: KeyType, place: KeyPlace): FeatureStoreError {
  const at = place.firstRow + row;
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `join key "${place.joinKey}" is ${type}, but column "${place.column}" of the frame holds ${value} in row ${at}, which no ${type} is equal to; correct or drop that row`,
    { details: { joinKey: place.joinKey, column: place.column, row: at, value } },
  );
}

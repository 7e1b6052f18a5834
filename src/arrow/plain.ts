/** Encoded columns as plain ones: dictionaries resolved, views and large offsets narrowed, for keys and other reads by byte. */
import { FeatureStoreError } from '../errors.ts';
import { getBit } from './bitmap.ts';
import type { Column } from './column.ts';
import { copyBytes } from './gather.ts';
import { layoutOf } from './layout.ts';
import { readView } from './read-value.ts';
import { dictionaryValues } from './record-batch.ts';
import { formatType } from './schema.ts';
import { checkTotal, takeColumn } from './take.ts';
import { bytesOf, dataView, readOffsets } from './typed-view.ts';

/** The values that a dictionary column's indices stand for; INVALID_ARGUMENT where an index is outside the dictionary. */
export function decodeDictionaryColumn(column: Column, values: Column): Column {
  const { field } = column;
  if (!field.dictionary) return column;
  const plain = takeColumn(values, readIndices(column, values.length));
  return { ...plain, field: dictionaryValues(field) };
}

/** A column of strings as utf8 with 32-bit offsets; INVALID_ARGUMENT for any other type, a dictionary included. */
export function toUtf8(column: Column): Column {
  return toText(column, ['utf8', 'largeUtf8', 'utf8View'], 'utf8');
}

/** A column of bytes, of fixed size too, as binary with 32-bit offsets; INVALID_ARGUMENT for any other type. */
export function toBinary(column: Column): Column {
  return toText(column, ['binary', 'largeBinary', 'binaryView', 'fixedSizeBinary'], 'binary');
}

function toText(column: Column, accepted: readonly string[], id: 'utf8' | 'binary'): Column {
  const { field } = column;
  if (field.dictionary || !accepted.includes(field.type.id)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `Column "${field.name}" is ${formatType(field)}, not ${accepted.join(', ')}`);
  }
  if (field.type.id === id) return column;
  return { ...column, field: { ...field, type: { id } }, buffers: narrow(column) };
}

function narrow(column: Column): Uint8Array[] {
  const layout = layoutOf(column.field);
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  if (layout.kind === 'text') return [bytesOf(readOffsets(first, layout.bytes)), second];
  if (layout.kind !== 'fixed') return flattenViews(column);
  const offsets = Int32Array.from({ length: column.length + 1 }, (_, row) => row * layout.bytes);
  return [bytesOf(offsets), first];
}

function flattenViews(column: Column): Uint8Array[] {
  const lengths = dataView(column.buffers[0] as Uint8Array);
  const validity = column.nullCount > 0 ? column.validity : undefined;
  const offsets = new Int32Array(column.length + 1);
  let total = 0;
  for (let row = 0; row < column.length; row++) {
    if (validity === undefined || getBit(validity, row)) total += lengths.getInt32(16 * row, true);
    checkTotal(column.field.name, total);
    offsets[row + 1] = total;
  }
  const data = new Uint8Array(total);
  for (let row = 0; row < column.length; row++) {
    const at = offsets[row] as number;
    if (offsets[row + 1] === at) continue;
    const bytes = readView(column, row);
    copyBytes(data, at, bytes, 0, bytes.byteLength);
  }
  return [bytesOf(offsets), data];
}

function readIndices(column: Column, count: number): Int32Array {
  const { indexBits, indexSigned } = column.field.dictionary as NonNullable<Column['field']['dictionary']>;
  const data = column.buffers[0] as Uint8Array;
  const validity = column.nullCount > 0 ? column.validity : undefined;
  const read = indexReader(dataView(data), indexBits, indexSigned);
  const indices = new Int32Array(column.length);
  for (let row = 0; row < indices.length; row++) {
    if (validity !== undefined && !getBit(validity, row)) {
      indices[row] = -1;
      continue;
    }
    const index = read(row);
    if (index < 0 || index >= count) {
      const details = { column: column.field.name, row };
      const message = `Row ${row} of column "${column.field.name}" has index ${index} in a dictionary of ${count} values`;
      throw new FeatureStoreError('INVALID_ARGUMENT', message, { details });
    }
    indices[row] = index;
  }
  return indices;
}

function indexReader(view: DataView, bits: 8 | 16 | 32 | 64, signed: boolean): (row: number) => number {
  switch (bits) {
    case 8:
      return signed ? (row) => view.getInt8(row) : (row) => view.getUint8(row);
    case 16:
      return signed ? (row) => view.getInt16(2 * row, true) : (row) => view.getUint16(2 * row, true);
    case 32:
      return signed ? (row) => view.getInt32(4 * row, true) : (row) => view.getUint32(4 * row, true);
    case 64:
      return signed ? (row) => Number(view.getBigInt64(8 * row, true)) : (row) => Number(view.getBigUint64(8 * row, true));
  }
}

/** Values of features as bytes that are the same exactly for equal values (rule 3.1): -0.0 is written as 0.0, every NaN as one. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { type GrowingBytes, grow } from '../../arrow/growing-bytes.ts';
import { layoutOf } from '../../arrow/layout.ts';
import { type Field, formatType } from '../../arrow/schema.ts';
import { dataView, readOffsets } from '../../arrow/typed-view.ts';
import { decodeFixed } from '../../arrow/value-codec.ts';
import { FeatureStoreError } from '../../errors.ts';

/** Appends the value of a row that is not null. */
export type CanonicalWriter = (row: number, sink: GrowingBytes) => void;

/**
 * A writer of a column's values: those of fixed width as they are, text and bytes as a length in 4 bytes and themselves, lists as a
 * count in 4 bytes (not where the type has it) and their elements, each behind a byte that is 0 where it is null.
 */
export function canonicalWriter(column: Column): CanonicalWriter {
  const layout = layoutOf(column.field);
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  switch (layout.kind) {
    case 'bits':
      return (row, sink) => {
        const at = grow(sink, 1);
        sink.bytes[at] = getBit(first, row) ? 1 : 0;
      };
    case 'fixed':
      return fixedWriter(column.field, first, layout.bytes);
    case 'text': {
      const offsets = readOffsets(first, layout.bytes);
      return (row, sink) => {
        const start = offsets[row] as number;
        const end = offsets[row + 1] as number;
        writeCount(sink, end - start);
        const at = grow(sink, end - start);
        for (let byte = start; byte < end; byte++) sink.bytes[at + byte - start] = second[byte] as number;
      };
    }
    case 'list': {
      const offsets = readOffsets(first, layout.bytes);
      const write = elementWriter(column.children[0] as Column);
      return (row, sink) => {
        const end = offsets[row + 1] as number;
        writeCount(sink, end - (offsets[row] as number));
        for (let element = offsets[row] as number; element < end; element++) write(element, sink);
      };
    }
    case 'fixedList': {
      const write = elementWriter(column.children[0] as Column);
      const { size } = layout;
      return (row, sink) => {
        for (let element = row * size; element < (row + 1) * size; element++) write(element, sink);
      };
    }
    default:
      throw noFeature(column.field);
  }
}

/** The value, as readValue gives those of a column. */
export function readCanonical(field: Field, bytes: Uint8Array): unknown {
  return readAt(field, bytes, dataView(bytes), { at: 0 });
}

function readAt(field: Field, bytes: Uint8Array, view: DataView, cursor: { at: number }): unknown {
  const layout = layoutOf(field);
  const { at } = cursor;
  switch (layout.kind) {
    case 'bits':
      cursor.at += 1;
      return bytes[at] === 1;
    case 'fixed':
      cursor.at += layout.bytes;
      return decodeFixed(field.type, view, at);
    case 'text': {
      const length = view.getUint32(at, true);
      cursor.at += 4 + length;
      const value = bytes.slice(at + 4, at + 4 + length);
      return field.type.id === 'utf8' ? Buffer.from(value.buffer).toString() : value;
    }
    case 'list':
      cursor.at += 4;
      return readElements(field, view.getUint32(at, true), bytes, view, cursor);
    case 'fixedList':
      return readElements(field, layout.size, bytes, view, cursor);
    default:
      throw noFeature(field);
  }
}

function readElements(field: Field, count: number, bytes: Uint8Array, view: DataView, cursor: { at: number }): unknown[] {
  return Array.from({ length: count }, () =>
    bytes[cursor.at++] === 0 ? null : readAt(field.children[0] as Field, bytes, view, cursor),
  );
}

function elementWriter(elements: Column): CanonicalWriter {
  const write = canonicalWriter(elements);
  const { validity } = elements;
  return (element, sink) => {
    const isValid = validity === undefined || getBit(validity, element);
    const at = grow(sink, 1);
    sink.bytes[at] = isValid ? 1 : 0;
    if (isValid) write(element, sink);
  };
}

function fixedWriter(field: Field, data: Uint8Array, width: number): CanonicalWriter {
  const copy: CanonicalWriter = (row, sink) => {
    const at = grow(sink, width);
    for (let byte = 0; byte < width; byte++) sink.bytes[at + byte] = data[row * width + byte] as number;
  };
  if (field.type.id !== 'float') return copy;
  const values = width === 8 ? new Float64Array(data.buffer, data.byteOffset) : new Float32Array(data.buffer, data.byteOffset);
  const nan = new Uint8Array(width === 8 ? Float64Array.of(Number.NaN).buffer : Float32Array.of(Number.NaN).buffer);
  return (row, sink) => {
    const value = values[row] as number;
    if (value !== 0 && !Number.isNaN(value)) return copy(row, sink);
    const at = grow(sink, width);
    if (value === 0) sink.bytes.fill(0, at, at + width);
    else sink.bytes.set(nan, at);
  };
}

function writeCount(sink: GrowingBytes, count: number): void {
  const at = grow(sink, 4);
  for (let byte = 0; byte < 4; byte++) sink.bytes[at + byte] = (count >>> (8 * byte)) & 255;
}

function noFeature(field: Field): FeatureStoreError {
  return new FeatureStoreError('INTERNAL', `no feature has the type ${formatType(field)} of "${field.name}"`);
}

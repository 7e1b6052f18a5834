/** Columns from JavaScript values, losslessly: for literals, previews and tests, not for the hot path. */
import { FeatureStoreError } from '../errors.ts';
import { bitmapBytes, setBit } from './bitmap.ts';
import type { Column } from './column.ts';
import { hasValidity, layoutOf } from './layout.ts';
import { type ArrowType, type Field, formatType } from './schema.ts';
import { bytesOf, dataView, writeOffsets } from './typed-view.ts';
import { encodeFixed } from './value-codec.ts';

/**
 * A column of values as readValue gives them: null; boolean; number for integers up to 32 bits, floats and days; bigint for
 * 64-bit integers, timestamps, times and durations in their own unit; string for text and decimals; Uint8Array for bytes; arrays for
 * lists; objects for structs; [key, value] pairs for maps; {typeId, value} for unions. A dictionary column takes its indices.
 */
export function columnFromValues(field: Field, values: readonly unknown[]): Column {
  const layout = layoutOf(field);
  const { length } = values;
  const nulls = buildValidity(field, values);
  const done = (buffers: readonly Uint8Array[], children: readonly Column[] = []) => ({
    field,
    length,
    ...nulls,
    buffers,
    children,
  });
  const child = (index: number) => field.children[index] as Field;
  switch (layout.kind) {
    case 'none':
      return { ...done([]), nullCount: length };
    case 'bits':
      return done([buildBits(values)]);
    case 'fixed': {
      const data = new Uint8Array(length * layout.bytes);
      const view = dataView(data);
      for (const [row, value] of values.entries())
        if (value != null) encodeFixed(storedType(field), view, row * layout.bytes, value);
      return done([data]);
    }
    case 'text': {
      const [offsets, data] = buildText(field, values);
      return done([writeOffsets(offsets, layout.bytes), data]);
    }
    case 'views':
      return done(buildViews(field, values));
    case 'list':
      return done(
        [writeOffsets(buildListOffsets(field, values), layout.bytes)],
        [columnFromValues(child(0), listElements(field, values))],
      );
    case 'listView': {
      const offsets = buildListOffsets(field, values);
      const sizes = offsets.slice(1).map((offset, row) => offset - (offsets[row] as number));
      const buffers = [writeOffsets(offsets.slice(0, -1), layout.bytes), writeOffsets(sizes, layout.bytes)];
      return done(buffers, [columnFromValues(child(0), listElements(field, values))]);
    }
    case 'fixedList': {
      const elements = values.flatMap((value) => (value == null ? new Array(layout.size).fill(null) : asArray(field, value)));
      if (elements.length !== length * layout.size) throw mismatch(field, `a list that is not ${layout.size} long`);
      return done([], [columnFromValues(child(0), elements)]);
    }
    case 'struct':
      return done(
        [],
        field.children.map((part) =>
          columnFromValues(
            part,
            values.map((value) => readPart(part.name, value)),
          ),
        ),
      );
    case 'sparseUnion':
    case 'denseUnion':
      return { ...done([]), ...buildUnion(field, values, layout.kind === 'sparseUnion') };
    case 'runs': {
      const ends = columnFromValues(
        child(0),
        child(0).type.id === 'int' ? values.map((_, row) => runEnd(child(0), row + 1)) : [],
      );
      return done([], [ends, columnFromValues(child(1), values)]);
    }
  }
}

/** The type of what a column's fixed-width buffer holds: indices where a dictionary encodes it. */
export function storedType(field: Field): ArrowType {
  if (!field.dictionary) return field.type;
  return { id: 'int', bits: field.dictionary.indexBits, signed: field.dictionary.indexSigned };
}

function buildValidity(field: Field, values: readonly unknown[]): Pick<Column, 'nullCount' | 'validity'> {
  const nullCount = values.reduce((count: number, value) => count + (value == null ? 1 : 0), 0);
  if (nullCount === 0 || !hasValidity(layoutOf(field))) return { nullCount: 0 };
  const validity = new Uint8Array(bitmapBytes(values.length));
  for (const [row, value] of values.entries()) if (value != null) setBit(validity, row);
  return { nullCount, validity };
}

function buildBits(values: readonly unknown[]): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(values.length));
  for (const [row, value] of values.entries()) if (value === true) setBit(bits, row);
  return bits;
}

function buildText(field: Field, values: readonly unknown[]): [Int32Array, Uint8Array] {
  const parts = values.map((value) => (value == null ? noBytes : asBytes(field, value)));
  const offsets = new Int32Array(values.length + 1);
  for (const [row, part] of parts.entries()) offsets[row + 1] = (offsets[row] as number) + part.byteLength;
  const data = new Uint8Array(offsets[values.length] as number);
  for (const [row, part] of parts.entries()) data.set(part, offsets[row]);
  return [offsets, data];
}

function buildViews(field: Field, values: readonly unknown[]): Uint8Array[] {
  const views = new Uint8Array(16 * values.length);
  const view = dataView(views);
  const long: Uint8Array[] = [];
  let at = 0;
  for (const [row, value] of values.entries()) {
    if (value == null) continue;
    const bytes = asBytes(field, value);
    view.setInt32(16 * row, bytes.byteLength, true);
    views.set(bytes.subarray(0, bytes.byteLength <= 12 ? 12 : 4), 16 * row + 4);
    if (bytes.byteLength <= 12) continue;
    view.setInt32(16 * row + 12, at, true);
    long.push(bytes);
    at += bytes.byteLength;
  }
  return long.length === 0 ? [views] : [views, new Uint8Array(Buffer.concat(long))];
}

function buildListOffsets(field: Field, values: readonly unknown[]): Int32Array {
  const offsets = new Int32Array(values.length + 1);
  for (const [row, value] of values.entries()) {
    offsets[row + 1] = (offsets[row] as number) + (value == null ? 0 : asArray(field, value).length);
  }
  return offsets;
}

function listElements(field: Field, values: readonly unknown[]): unknown[] {
  const elements = values.flatMap((value) => (value == null ? [] : asArray(field, value)));
  if (field.type.id !== 'map') return elements;
  const [key, value] = field.children[0]?.children.map((part) => part.name) ?? [];
  return elements.map((pair) => {
    const [left, right] = asArray(field, pair);
    return { [key as string]: left, [value as string]: right };
  });
}

function buildUnion(field: Field, values: readonly unknown[], sparse: boolean): Pick<Column, 'buffers' | 'children'> {
  const declared = field.type.id === 'union' ? field.type.typeIds : [];
  const rows = values.map((value) => (value ?? { typeId: declared[0], value: null }) as { typeId: number; value: unknown });
  const ids = Int8Array.from(rows, (row) => row.typeId);
  if (sparse) {
    const part = (id: number | undefined) => rows.map((row) => (row.typeId === id ? row.value : null));
    return { buffers: [bytesOf(ids)], children: field.children.map((child, i) => columnFromValues(child, part(declared[i]))) };
  }
  const parts = declared.map(() => [] as unknown[]);
  const offsets = Int32Array.from(rows, (row) => (parts[declared.indexOf(row.typeId)] as unknown[]).push(row.value) - 1);
  const children = field.children.map((child, i) => columnFromValues(child, parts[i] as unknown[]));
  return { buffers: [bytesOf(ids), bytesOf(offsets)], children };
}

function runEnd(field: Field, end: number): number | bigint {
  return field.type.id === 'int' && field.type.bits === 64 ? BigInt(end) : end;
}

function readPart(name: string, value: unknown): unknown {
  return value == null ? null : (value as Record<string, unknown>)[name];
}

function asArray(field: Field, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw mismatch(field, typeof value);
  return value;
}

function asBytes(field: Field, value: unknown): Uint8Array {
  if (typeof value === 'string' && field.type.id.toLowerCase().includes('utf8')) return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  throw mismatch(field, typeof value);
}

function mismatch(field: Field, got: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `Column "${field.name}" of ${formatType(field)} cannot hold ${got}`);
}

const noBytes = new Uint8Array(0);

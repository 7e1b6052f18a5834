/** One value of a column as JavaScript, losslessly: the inverse of columnFromValues. */
import { getBit } from './bitmap.ts';
import { storedType } from './build.ts';
import type { Column } from './column.ts';
import { layoutOf } from './layout.ts';
import { readRunEnd } from './run-end.ts';
import { dataView, int8View, int32View } from './typed-view.ts';
import { decodeFixed } from './value-codec.ts';

/** The value of a row, as columnFromValues takes it; null where it is null. A dictionary column gives its index. */
export function readValue(column: Column, row: number): unknown {
  if (column.nullCount > 0 && column.validity !== undefined && !getBit(column.validity, row)) return null;
  const { field } = column;
  const layout = layoutOf(field);
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  const child = column.children[0] as Column;
  switch (layout.kind) {
    case 'none':
      return null;
    case 'bits':
      return getBit(first, row);
    case 'fixed':
      return decodeFixed(storedType(field), dataView(first), row * layout.bytes);
    case 'text':
      return toValue(column, second.subarray(readOffset(first, layout.bytes, row), readOffset(first, layout.bytes, row + 1)));
    case 'views':
      return toValue(column, readView(column, row));
    case 'list':
      return readList(column, readOffset(first, layout.bytes, row), readOffset(first, layout.bytes, row + 1));
    case 'listView': {
      const from = readOffset(first, layout.bytes, row);
      return readList(column, from, from + readOffset(second, layout.bytes, row));
    }
    case 'fixedList':
      return readList(column, row * layout.size, (row + 1) * layout.size);
    case 'struct':
      return Object.fromEntries(column.children.map((part) => [part.field.name, readValue(part, row)]));
    case 'sparseUnion':
    case 'denseUnion': {
      const typeId = int8View(first)[row] as number;
      const index = field.type.id === 'union' ? field.type.typeIds.indexOf(typeId) : 0;
      const at = layout.kind === 'sparseUnion' ? row : (int32View(second)[row] as number);
      return { typeId, value: readValue(column.children[index] as Column, at) };
    }
    case 'runs':
      return readValue(column.children[1] as Column, findRun(child, row));
  }
}

/** All values of a column. */
export function readValues(column: Column): unknown[] {
  return Array.from({ length: column.length }, (_, row) => readValue(column, row));
}

/** The bytes of one row of a views column that is not null. */
export function readView(column: Column, row: number): Uint8Array {
  const [views, ...data] = column.buffers as [Uint8Array, ...Uint8Array[]];
  const words = int32View(views);
  const length = words[4 * row] as number;
  if (length <= 12) return views.subarray(16 * row + 4, 16 * row + 4 + length);
  const offset = words[4 * row + 3] as number;
  return (data[words[4 * row + 2] as number] as Uint8Array).subarray(offset, offset + length);
}

function readList(column: Column, from: number, to: number): unknown[] {
  const child = column.children[0] as Column;
  const elements = Array.from({ length: to - from }, (_, i) => readValue(child, from + i));
  if (column.field.type.id !== 'map') return elements;
  return elements.map((entry) => Object.values(entry as Record<string, unknown>));
}

function toValue(column: Column, bytes: Uint8Array): string | Uint8Array {
  return column.field.type.id.toLowerCase().includes('utf8')
    ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    : bytes;
}

function readOffset(bytes: Uint8Array, width: 4 | 8, row: number): number {
  return int32View(bytes)[(row * width) / 4] as number;
}

function findRun(ends: Column, row: number): number {
  let run = 0;
  while (readRunEnd(ends, run) <= row) run++;
  return run;
}

/** Columns of one field, one after the other, as one column. */
import { FeatureStoreError } from '../errors.ts';
import { bitmapBytes, copyBits, fillBits } from './bitmap.ts';
import type { Column } from './column.ts';
import { type Layout, layoutOf } from './layout.ts';
import { readRunEnd } from './run-end.ts';
import { formatType } from './schema.ts';
import { sliceColumn } from './slice.ts';
import { checkTotal } from './take.ts';
import { bytesOf, int8View, int32View, readOffsets, writeOffsets } from './typed-view.ts';

/** One column of all rows; at least one part, all of the first one's type. A single part comes back as it is. */
export function concatColumns(columns: readonly Column[]): Column {
  const first = columns[0];
  if (first === undefined) throw new FeatureStoreError('INTERNAL', 'No column to join with others');
  if (columns.length === 1) return first;
  const type = formatType(first.field);
  for (const column of columns) {
    if (formatType(column.field) !== type) {
      throw new FeatureStoreError(
        'INTERNAL',
        `Column "${first.field.name}" of ${type} cannot be followed by one of ${formatType(column.field)}`,
      );
    }
  }
  return concat(columns, first);
}

function concat(columns: readonly Column[], first: Column): Column {
  const { field } = first;
  const layout = layoutOf(field);
  const length = sum(columns, (column) => column.length);
  checkTotal(field.name, length);
  const nulls = concatValidity(columns, layout, length);
  const done = (buffers: readonly Uint8Array[], children: readonly Column[] = []) => ({
    field,
    length,
    ...nulls,
    buffers,
    children,
  });
  switch (layout.kind) {
    case 'none':
      return done([]);
    case 'bits':
      return done([concatBits(columns, length)]);
    case 'fixed':
      return done([
        concatBytes(
          field.name,
          columns.map((column) => column.buffers[0] as Uint8Array),
        ),
      ]);
    case 'text': {
      const parts = columns.map((column) => {
        const offsets = readOffsets(column.buffers[0] as Uint8Array, layout.bytes);
        return (column.buffers[1] as Uint8Array).subarray(offsets[0], offsets[column.length]);
      });
      const data = concatBytes(field.name, parts);
      return done([concatOffsets(columns, layout.bytes, length), data]);
    }
    case 'list': {
      const children = columns.map((column) => {
        const offsets = readOffsets(column.buffers[0] as Uint8Array, layout.bytes);
        return sliceColumn(column.children[0] as Column, offsets[0] as number, offsets[column.length] as number);
      });
      return done([concatOffsets(columns, layout.bytes, length)], [concatColumns(children)]);
    }
    case 'views':
      return done(concatViews(columns, length));
    case 'listView':
      return done(concatListViews(columns, layout.bytes), concatChildren(columns));
    case 'fixedList':
    case 'struct':
      return done([], concatChildren(columns));
    case 'sparseUnion':
      return done(
        [
          concatBytes(
            field.name,
            columns.map((column) => column.buffers[0] as Uint8Array),
          ),
        ],
        concatChildren(columns),
      );
    case 'denseUnion':
      return done(concatDenseUnion(columns, length), concatChildren(columns));
    case 'runs':
      return done([], concatRuns(columns, length));
  }
}

function concatChildren(columns: readonly Column[]): Column[] {
  return (columns[0] as Column).children.map((_, index) =>
    concatColumns(columns.map((column) => column.children[index] as Column)),
  );
}

function concatValidity(columns: readonly Column[], layout: Layout, length: number): Pick<Column, 'nullCount' | 'validity'> {
  const nullCount = sum(columns, (column) => column.nullCount);
  if (nullCount === 0 || layout.kind === 'none') return { nullCount };
  const validity = new Uint8Array(bitmapBytes(length));
  let at = 0;
  for (const column of columns) {
    if (column.nullCount > 0 && column.validity !== undefined) copyBits(validity, at, column.validity, 0, column.length);
    else fillBits(validity, at, column.length);
    at += column.length;
  }
  return { nullCount, validity };
}

function concatBits(columns: readonly Column[], length: number): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(length));
  let at = 0;
  for (const column of columns) {
    copyBits(bits, at, column.buffers[0] as Uint8Array, 0, column.length);
    at += column.length;
  }
  return bits;
}

function concatBytes(name: string, parts: readonly Uint8Array[]): Uint8Array {
  const total = sum(parts, (part) => part.byteLength);
  checkTotal(name, total);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function concatOffsets(columns: readonly Column[], width: 4 | 8, length: number): Uint8Array {
  const offsets = new Int32Array(length + 1);
  let row = 0;
  let base = 0;
  for (const column of columns) {
    const source = readOffsets(column.buffers[0] as Uint8Array, width);
    const start = source[0] as number;
    for (let i = 1; i <= column.length; i++) offsets[row + i] = (source[i] as number) - start + base;
    row += column.length;
    base += (source[column.length] as number) - start;
    checkTotal(column.field.name, base);
  }
  return writeOffsets(offsets, width);
}

function concatViews(columns: readonly Column[], length: number): Uint8Array[] {
  const words = new Int32Array(4 * length);
  const data: Uint8Array[] = [];
  let at = 0;
  for (const column of columns) {
    words.set(int32View(column.buffers[0] as Uint8Array), at);
    const end = at + 4 * column.length;
    for (; at < end; at += 4) if ((words[at] as number) > 12) words[at + 2] = (words[at + 2] as number) + data.length;
    data.push(...column.buffers.slice(1));
  }
  return [bytesOf(words), ...data];
}

function concatListViews(columns: readonly Column[], width: 4 | 8): Uint8Array[] {
  let base = 0;
  const offsets = columns.map((column) => {
    const shift = base;
    base += (column.children[0] as Column).length;
    return writeOffsets(
      readOffsets(column.buffers[0] as Uint8Array, width).map((offset) => offset + shift),
      width,
    );
  });
  const name = (columns[0] as Column).field.name;
  return [
    concatBytes(name, offsets),
    concatBytes(
      name,
      columns.map((column) => column.buffers[1] as Uint8Array),
    ),
  ];
}

function concatDenseUnion(columns: readonly Column[], length: number): Uint8Array[] {
  const { field } = columns[0] as Column;
  const declared = field.type.id === 'union' ? field.type.typeIds : [];
  const bases = new Int32Array(256);
  const offsets = new Int32Array(length);
  let row = 0;
  for (const column of columns) {
    const ids = int8View(column.buffers[0] as Uint8Array);
    const source = int32View(column.buffers[1] as Uint8Array);
    for (let i = 0; i < column.length; i++) offsets[row++] = (source[i] as number) + (bases[(ids[i] as number) & 255] as number);
    for (const [index, id] of declared.entries()) {
      bases[id & 255] = (bases[id & 255] as number) + (column.children[index] as Column).length;
    }
  }
  return [
    concatBytes(
      field.name,
      columns.map((column) => column.buffers[0] as Uint8Array),
    ),
    bytesOf(offsets),
  ];
}

/** Each part's runs are first cut to its own rows, then counted on from the rows before it. */
function concatRuns(columns: readonly Column[], length: number): Column[] {
  const endsField = ((columns[0] as Column).children[0] as Column).field;
  const bits = endsField.type.id === 'int' ? endsField.type.bits : 64;
  if (bits === 16 && length > 32767)
    throw new FeatureStoreError(
      'RESOURCE_EXHAUSTED',
      `The runs of column "${(columns[0] as Column).field.name}" do not fit 16 bits`,
    );
  const runs: number[] = [];
  const values: Column[] = [];
  let base = 0;
  for (const column of columns) {
    const [ends, runValues] = column.children as [Column, Column];
    let count = 0;
    while (count < ends.length && (count === 0 ? 0 : readRunEnd(ends, count - 1)) < column.length) {
      runs.push(base + Math.min(readRunEnd(ends, count), column.length));
      count++;
    }
    values.push(sliceColumn(runValues, 0, count));
    base += column.length;
  }
  const data =
    bits === 16 ? Int16Array.from(runs) : bits === 32 ? Int32Array.from(runs) : BigInt64Array.from(runs, (end) => BigInt(end));
  const ends = { field: endsField, length: runs.length, nullCount: 0, buffers: [bytesOf(data)], children: [] };
  return [ends, concatColumns(values)];
}

function sum<T>(parts: readonly T[], size: (part: T) => number): number {
  return parts.reduce((total, part) => total + size(part), 0);
}

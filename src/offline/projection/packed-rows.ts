/** Fixed-width features row by row: a row's values stand together, so that picking a row waits for memory once and not once a feature. */
import { bitmapBytes, getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { layoutOf } from '../../arrow/layout.ts';
import type { Field } from '../../arrow/schema.ts';

/** A row is `stride` words: one of validity bits if any packed column has nulls, then each column's value in one word or two. */
export interface PackedRows {
  readonly length: number;
  readonly stride: number;
  readonly words: Int32Array;
  readonly slots: readonly PackedSlot[];
}

export interface PackedSlot {
  readonly field: Field;
  /** First word of the value in a row. */
  readonly at: number;
  readonly width: 1 | 2;
  /** Bit of the row's first word that says the value is not null; -1 where no value of the column is null. */
  readonly bit: number;
}

/** Bits in the word of validity. */
const maxNullable = 32;

/** A column in one part or more, of one field. */
type Parts = readonly Column[];

/** Which of the columns can be packed together: values of 4 or 8 bytes, at most 32 columns with nulls. */
export function choosePacked(columns: readonly Parts[]): number[] {
  let nullable = 0;
  return [...columns.keys()].filter((index) => {
    const column = columns[index] as Parts;
    const layout = layoutOf(fieldOf(column));
    if (layout.kind !== 'fixed' || (layout.bytes !== 4 && layout.bytes !== 8)) return false;
    if (hasNulls(column)) nullable += 1;
    return !hasNulls(column) || nullable <= maxNullable;
  });
}

/** Packs columns of equal parts, each of which `choosePacked` has chosen. */
export function packRows(columns: readonly Parts[]): PackedRows {
  const length = (columns[0] ?? []).reduce((sum, part) => sum + part.length, 0);
  const nullable = columns.filter(hasNulls);
  let stride = nullable.length === 0 ? 0 : 1;
  const slots = columns.map((column): PackedSlot => {
    const field = fieldOf(column);
    const width = wordsOf(field);
    const slot = { field, at: stride, width, bit: nullable.indexOf(column) };
    stride += width;
    return slot;
  });
  const words = new Int32Array(stride * length);
  let first = 0;
  for (const [index, { length: rows }] of (columns[0] ?? []).entries()) {
    const part = columns.map((column) => column[index] as Column);
    const target = words.subarray(stride * first, stride * (first + rows));
    for (let from = 0; from < rows; from += blockRows) {
      const to = Math.min(rows, from + blockRows);
      for (const [at, column] of part.entries()) writeColumn(target, stride, slots[at] as PackedSlot, column, from, to);
    }
    first += rows;
  }
  return { length, stride, words, slots };
}

function fieldOf(column: Parts): Field {
  return (column[0] as Column).field;
}

function hasNulls(column: Parts): boolean {
  return column.some((part) => part.nullCount > 0);
}

/** Rows `rows[i]` of the slots at `wanted`, null where the row is negative. */
export function takePacked(packed: PackedRows, wanted: readonly number[], rows: Int32Array): Column[] {
  const slots = wanted.map((at) => packed.slots[at] as PackedSlot);
  const values = slots.map((slot) => new Int32Array(slot.width * rows.length));
  for (let from = 0; from < rows.length; from += blockRows) {
    const to = Math.min(rows.length, from + blockRows);
    for (const [index, slot] of slots.entries()) {
      const target = values[index] as Int32Array;
      if (slot.width === 1) takeSingles(packed, slot.at, rows, from, to, target);
      else takePairs(packed, slot.at, rows, from, to, target);
    }
  }
  const shared = slots.some((slot) => slot.bit < 0) ? takeValidity(packed, -1, rows) : undefined;
  return slots.map((slot, index) => {
    const { buffer } = values[index] as Int32Array;
    const nulls = slot.bit < 0 ? shared : takeValidity(packed, slot.bit, rows);
    return { field: slot.field, length: rows.length, nullCount: 0, ...nulls, buffers: [new Uint8Array(buffer)], children: [] };
  });
}

/** Rows are written and taken in blocks: the first column brings those of a block into the processor's cache, the others find them there. */
const blockRows = 512;

function wordsOf(field: Field): 1 | 2 {
  const layout = layoutOf(field);
  return layout.kind === 'fixed' && layout.bytes === 8 ? 2 : 1;
}

function writeColumn(
  words: Int32Array,
  stride: number,
  { at, width, bit }: PackedSlot,
  column: Column,
  from: number,
  to: number,
): void {
  const data = column.buffers[0] as Uint8Array;
  const source = new Int32Array(data.buffer, data.byteOffset, width * column.length);
  for (let row = from; row < to; row++) {
    words[row * stride + at] = source[row * width] as number;
    if (width === 2) words[row * stride + at + 1] = source[row * width + 1] as number;
  }
  if (bit < 0) return;
  const validity = column.nullCount > 0 ? column.validity : undefined;
  for (let row = from; row < to; row++) {
    if (validity === undefined || getBit(validity, row)) words[row * stride] = (words[row * stride] as number) | (1 << bit);
  }
}

function takeSingles(
  { words, stride }: PackedRows,
  at: number,
  rows: Int32Array,
  from: number,
  to: number,
  target: Int32Array,
): void {
  for (let i = from; i < to; i++) {
    const row = rows[i] as number;
    if (row >= 0) target[i] = words[row * stride + at] as number;
  }
}

function takePairs(
  { words, stride }: PackedRows,
  at: number,
  rows: Int32Array,
  from: number,
  to: number,
  target: Int32Array,
): void {
  for (let i = from; i < to; i++) {
    const row = rows[i] as number;
    if (row < 0) continue;
    target[2 * i] = words[row * stride + at] as number;
    target[2 * i + 1] = words[row * stride + at + 1] as number;
  }
}

function takeValidity({ words, stride }: PackedRows, bit: number, rows: Int32Array): Pick<Column, 'nullCount' | 'validity'> {
  const validity = new Uint8Array(bitmapBytes(rows.length));
  let nullCount = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    if (row >= 0 && (bit < 0 || (((words[row * stride] as number) >>> bit) & 1) === 1)) {
      validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
    } else nullCount += 1;
  }
  return nullCount === 0 ? { nullCount } : { nullCount, validity };
}

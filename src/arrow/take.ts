/** Rows of a column picked by position, in any order and as often as asked for. */
import { FeatureStoreError } from '../errors.ts';
import { bitmapBytes } from './bitmap.ts';
import type { Column } from './column.ts';
import { compactViews } from './compact-views.ts';
import { gatherBits, gatherFixed, shortRun } from './gather.ts';
import { layoutOf } from './layout.ts';
import { maxLength } from './message.ts';
import { formatType } from './schema.ts';
import { readOffsets, writeOffsets } from './typed-view.ts';

/**
 * Row i of the result is row `indices[i]` of the column, or null where the index is negative. An index beyond the column is an
 * INTERNAL error; unions and run-end encoded columns are refused with UNIMPLEMENTED, more than 2 GiB of text or list elements
 * with RESOURCE_EXHAUSTED.
 */
export function takeColumn(column: Column, indices: Int32Array): Column {
  checkIndices(column, indices);
  return take(column, indices);
}

/** Takes the same rows of several columns; where a column has no nulls of its own, the nulls of the indices are found once. */
export function takeColumns(columns: readonly Column[], indices: Int32Array): Column[] {
  const plain = columns.find((column) => column.nullCount === 0);
  const shared = plain === undefined ? undefined : takeValidity(plain, indices);
  return columns.map((column) => {
    checkIndices(column, indices);
    return take(column, indices, column.nullCount === 0 ? shared : undefined);
  });
}

function checkIndices({ field, length }: Column, indices: Int32Array): void {
  let greatest = -1;
  for (let i = 0; i < indices.length; i++) if ((indices[i] as number) > greatest) greatest = indices[i] as number;
  if (greatest >= length)
    throw new FeatureStoreError('INTERNAL', `Row ${greatest} was asked of column "${field.name}", which has ${length}`);
}

function take(column: Column, indices: Int32Array, known?: Pick<Column, 'nullCount' | 'validity'>): Column {
  const { field } = column;
  const layout = layoutOf(field);
  const nulls = known ?? takeValidity(column, indices);
  const done = (buffers: readonly Uint8Array[], children: readonly Column[] = []) => ({
    field,
    length: indices.length,
    ...nulls,
    buffers,
    children,
  });
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  switch (layout.kind) {
    case 'none':
      return { field, length: indices.length, nullCount: indices.length, buffers: [], children: [] };
    case 'bits':
      return done([gatherBits(first, indices)]);
    case 'fixed':
      return done([gatherFixed(first, layout.bytes, indices)]);
    case 'text':
      return done(takeText(field.name, first, second, layout.bytes, indices));
    case 'list':
      return takeList(column, layout.bytes, indices, done);
    case 'fixedList':
      return done([], [take(column.children[0] as Column, expandIndices(indices, layout.size))]);
    case 'struct':
      return done(
        [],
        column.children.map((child) => take(child, indices)),
      );
    case 'views':
      return done(compactViews(gatherFixed(first, 16, indices), column.buffers.slice(1), nulls.validity));
    case 'listView':
      return done([gatherFixed(first, layout.bytes, indices), gatherFixed(second, layout.bytes, indices)], column.children);
    default:
      throw new FeatureStoreError(
        'UNIMPLEMENTED',
        `Rows of column "${field.name}" cannot be picked: its type is ${formatType(field)}`,
      );
  }
}

function takeValidity(column: Column, indices: Int32Array): Pick<Column, 'nullCount' | 'validity'> {
  const source = column.nullCount > 0 ? column.validity : undefined;
  let negative = source !== undefined;
  for (let i = 0; !negative && i < indices.length; i++) negative = (indices[i] as number) < 0;
  if (!negative) return { nullCount: 0 };
  const validity = new Uint8Array(bitmapBytes(indices.length));
  let nullCount = 0;
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    const valid = from >= 0 && (source === undefined || ((source[from >> 3] as number) >> (from & 7)) & 1);
    if (valid) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
    else nullCount++;
  }
  return nullCount === 0 ? { nullCount } : { nullCount, validity };
}

function takeText(name: string, offsetBytes: Uint8Array, data: Uint8Array, width: 4 | 8, indices: Int32Array): Uint8Array[] {
  const source = readOffsets(offsetBytes, width);
  const offsets = takeOffsets(name, source, indices);
  const starts = takeStarts(source, indices);
  const target = new Uint8Array(offsets[indices.length] as number);
  // Neighbours that were neighbours before are copied as one run.
  let at = 0;
  let from = 0;
  let to = 0;
  for (let i = 0; i < indices.length; i++) {
    const start = starts[i] as number;
    const length = (offsets[i + 1] as number) - (offsets[i] as number);
    if (start === to || length === 0) {
      if (length > 0) to += length;
      continue;
    }
    if (to - from > shortRun) {
      target.set(data.subarray(from, to), at);
      at += to - from;
    } else while (from < to) target[at++] = data[from++] as number;
    from = start;
    to = start + length;
  }
  target.set(data.subarray(from, to), at);
  return [writeOffsets(offsets, width), target];
}

/** Where each picked row starts: read ahead of the copying, so that cache misses overlap. */
function takeStarts(source: Int32Array, indices: Int32Array): Int32Array {
  const starts = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index >= 0) starts[i] = source[index] as number;
  }
  return starts;
}

function takeList(
  column: Column,
  width: 4 | 8,
  indices: Int32Array,
  done: (buffers: Uint8Array[], children: Column[]) => Column,
): Column {
  const source = readOffsets(column.buffers[0] as Uint8Array, width);
  const offsets = takeOffsets(column.field.name, source, indices);
  const childIndices = new Int32Array(offsets[indices.length] as number);
  for (let i = 0, at = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index < 0) continue;
    const end = source[index + 1] as number;
    for (let from = source[index] as number; from < end; from++) childIndices[at++] = from;
  }
  return done([writeOffsets(offsets, width)], [take(column.children[0] as Column, childIndices)]);
}

/** The offsets of the picked rows: one more than there are indices, from 0 on. */
function takeOffsets(name: string, source: Int32Array, indices: Int32Array): Int32Array {
  const offsets = new Int32Array(indices.length + 1);
  let total = 0;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index >= 0) total += (source[index + 1] as number) - (source[index] as number);
    offsets[i + 1] = total;
  }
  checkTotal(name, total);
  return offsets;
}

/** Refuses what 32-bit offsets cannot index. */
export function checkTotal(name: string, total: number): void {
  if (total <= maxLength) return;
  throw new FeatureStoreError(
    'RESOURCE_EXHAUSTED',
    `Column "${name}" would hold more than 2 GiB in one batch; ask for smaller batches`,
  );
}

/** Indices of the elements of fixed-size lists. */
function expandIndices(indices: Int32Array, size: number): Int32Array {
  const expanded = new Int32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    for (let j = 0; j < size; j++) expanded[i * size + j] = from < 0 ? -1 : from * size + j;
  }
  return expanded;
}

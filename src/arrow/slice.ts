/** A run of a column's rows, sharing its bytes: only offsets, views, run ends and odd bitmaps are written anew. */
import { bitmapBytes, countZeroBits, sliceBits } from './bitmap.ts';
import type { Column } from './column.ts';
import { compactViews } from './compact-views.ts';
import { layoutOf } from './layout.ts';
import { readRunEnd } from './run-end.ts';
import { int8View, int32View, readOffsets, writeOffsets } from './typed-view.ts';

/** Rows [start, end) of a column of any type; 0 <= start <= end <= column.length. Nothing of the other rows stays reachable. */
export function sliceColumn(column: Column, start: number, end: number): Column {
  if (start === 0 && end === column.length) return column;
  const { field } = column;
  const length = end - start;
  const layout = layoutOf(field);
  const nulls = sliceValidity(column, start, length);
  const done = (buffers: readonly Uint8Array[], children: readonly Column[] = []) => ({
    field,
    length,
    ...nulls,
    buffers,
    children,
  });
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  const [child] = column.children as [Column];
  switch (layout.kind) {
    case 'none':
      return { ...done([]), nullCount: length };
    case 'bits':
      return done([sliceBits(first, start, length)]);
    case 'fixed':
      return done([rows(first, layout.bytes, start, end)]);
    case 'text': {
      const [offsets, from, to] = rebase(first, layout.bytes, start, end);
      return done([offsets, second.subarray(from, to)]);
    }
    case 'list': {
      const [offsets, from, to] = rebase(first, layout.bytes, start, end);
      return done([offsets], [sliceColumn(child, from, to)]);
    }
    case 'listView': {
      const sizes = rows(second, layout.bytes, start, end);
      const [offsets, from, to] = rebaseListViews(rows(first, layout.bytes, start, end), sizes, layout.bytes);
      return done([offsets, sizes], [sliceColumn(child, from, to)]);
    }
    case 'views':
      return done(compactViews(rows(first, 16, start, end), column.buffers.slice(1), nulls.validity));
    case 'fixedList':
      return done([], [sliceColumn(child, start * layout.size, end * layout.size)]);
    case 'struct':
      return done(
        [],
        column.children.map((part) => sliceColumn(part, start, end)),
      );
    case 'sparseUnion':
      return done(
        [rows(first, 1, start, end)],
        column.children.map((part) => sliceColumn(part, start, end)),
      );
    case 'denseUnion':
      return { ...done([]), ...sliceDenseUnion(column, start, end) };
    case 'runs':
      return done([], sliceRuns(column, start, end));
  }
}

function sliceValidity(column: Column, start: number, length: number): Pick<Column, 'nullCount' | 'validity'> {
  if (column.nullCount === 0 || column.validity === undefined) return { nullCount: 0 };
  const nullCount = countZeroBits(column.validity, start, length);
  if (nullCount === 0) return { nullCount };
  return { nullCount, validity: sliceBits(column.validity, start, length).subarray(0, bitmapBytes(length)) };
}

function rows(bytes: Uint8Array, width: number, start: number, end: number): Uint8Array {
  return bytes.subarray(start * width, end * width);
}

/** Offsets of the run that start at 0, and the range of bytes or children that they stood for. */
function rebase(bytes: Uint8Array, width: 4 | 8, start: number, end: number): [Uint8Array, number, number] {
  const run = bytes.subarray(start * width, (end + 1) * width);
  const offsets = readOffsets(run, width);
  const from = offsets[0] as number;
  const to = offsets[end - start] as number;
  if (from === 0) return [run, from, to];
  const rebased = new Int32Array(offsets.length);
  for (let i = 0; i < rebased.length; i++) rebased[i] = (offsets[i] as number) - from;
  return [writeOffsets(rebased, width), from, to];
}

function rebaseListViews(bytes: Uint8Array, sizeBytes: Uint8Array, width: 4 | 8): [Uint8Array, number, number] {
  const offsets = readOffsets(bytes, width);
  const sizes = readOffsets(sizeBytes, width);
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  for (let i = 0; i < offsets.length; i++) {
    if (sizes[i] === 0) continue;
    from = Math.min(from, offsets[i] as number);
    to = Math.max(to, (offsets[i] as number) + (sizes[i] as number));
  }
  if (to === 0) from = 0;
  return [
    writeOffsets(
      offsets.map((offset, i) => (sizes[i] === 0 ? 0 : offset - from)),
      width,
    ),
    from,
    to,
  ];
}

function sliceDenseUnion(column: Column, start: number, end: number): Pick<Column, 'buffers' | 'children'> {
  const typeIds = rows(column.buffers[0] as Uint8Array, 1, start, end);
  const offsets = int32View(column.buffers[1] as Uint8Array).slice(start, end);
  const ids = int8View(typeIds);
  const declared = column.field.type.id === 'union' ? column.field.type.typeIds : [];
  const children = column.children.map((child, index) => {
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] !== declared[index]) continue;
      from = Math.min(from, offsets[i] as number);
      to = Math.max(to, (offsets[i] as number) + 1);
    }
    if (to === 0) return sliceColumn(child, 0, 0);
    for (let i = 0; i < ids.length; i++) if (ids[i] === declared[index]) offsets[i] = (offsets[i] as number) - from;
    return sliceColumn(child, from, to);
  });
  return { buffers: [typeIds, new Uint8Array(offsets.buffer)], children };
}

/** The runs that reach into [start, end), their ends counted from `start` and the last one at the slice's own end. */
function sliceRuns(column: Column, start: number, end: number): Column[] {
  const [ends, values] = column.children as [Column, Column];
  if (start === end) return [sliceColumn(ends, 0, 0), sliceColumn(values, 0, 0)];
  let first = 0;
  while (readRunEnd(ends, first) <= start) first++;
  let last = first;
  while (readRunEnd(ends, last) < end) last++;
  const count = last - first + 1;
  const bytes = ends.field.type.id === 'int' ? ends.field.type.bits / 8 : 4;
  const data = new Uint8Array(count * bytes);
  const view = new DataView(data.buffer);
  for (let run = 0; run < count; run++) {
    const value = Math.min(readRunEnd(ends, first + run), end) - start;
    if (bytes === 2) view.setInt16(2 * run, value, true);
    else if (bytes === 4) view.setInt32(4 * run, value, true);
    else view.setBigInt64(8 * run, BigInt(value), true);
  }
  return [{ ...ends, length: count, buffers: [data] }, sliceColumn(values, first, last + 1)];
}

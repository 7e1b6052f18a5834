/** One column out of a body, with everything checked that later reads rely on: sizes, offsets, views, type ids, run ends. */
import { bitmapBytes, countZeroBits, getBit } from './bitmap.ts';
import type { BodyReader } from './body.ts';
import type { Column } from './column.ts';
import { childFields, hasValidity, type Layout, layoutOf } from './layout.ts';
import { malformed } from './metadata-reader.ts';
import { readRunEnd } from './run-end.ts';
import type { Field } from './schema.ts';
import { sliceColumn } from './slice.ts';
import { int8View, int32View } from './typed-view.ts';

/** Reads the next column of a body. */
export function decodeColumn(body: BodyReader, field: Field): Column {
  const node = body.nextNode(field.name);
  const layout = layoutOf(field);
  const { length } = node;
  const validity = hasValidity(layout) ? readValidity(body, field, length, node.nullCount) : undefined;
  const nulls = {
    nullCount: layout.kind === 'none' ? length : validity === undefined ? 0 : countZeroBits(validity, 0, length),
    ...(validity === undefined ? {} : { validity }),
  };
  const buffers = readBuffers(body, field.name, layout, length, validity);
  const children = childFields(field).map((child) => decodeColumn(body, child));
  return { field, length, ...nulls, buffers, children: fitChildren(field, layout, length, buffers, children) };
}

function readValidity(body: BodyReader, field: Field, length: number, nullCount: number): Uint8Array | undefined {
  const bytes = bitmapBytes(length);
  const validity = body.nextBuffer(field.name, nullCount === 0 ? 0 : bytes);
  if (nullCount === 0) return undefined;
  return validity.subarray(0, bytes);
}

function readBuffers(
  body: BodyReader,
  name: string,
  layout: Layout,
  length: number,
  validity: Uint8Array | undefined,
): Uint8Array[] {
  const exact = (bytes: number) => body.nextBuffer(name, bytes).subarray(0, bytes);
  switch (layout.kind) {
    case 'none':
    case 'struct':
    case 'fixedList':
    case 'runs':
      return [];
    case 'bits':
      return [exact(bitmapBytes(length))];
    case 'fixed':
      return [exact(length * layout.bytes)];
    case 'text': {
      const offsets = readOffsetBuffer(body, name, length, layout.bytes);
      const end = checkOffsets(offsets, layout.bytes, name);
      return [offsets, exact(end)];
    }
    case 'list': {
      const offsets = readOffsetBuffer(body, name, length, layout.bytes);
      checkOffsets(offsets, layout.bytes, name);
      return [offsets];
    }
    case 'listView':
      return [exact(length * layout.bytes), exact(length * layout.bytes)];
    case 'views': {
      const views = exact(length * 16);
      const data = Array.from({ length: body.nextVariadicCount(name) }, () => body.nextBuffer(name, 0));
      checkViews(views, data, validity, name);
      return [views, ...data];
    }
    case 'sparseUnion':
      return [exact(length)];
    case 'denseUnion':
      return [exact(length), exact(length * 4)];
  }
}

/** The format lets an empty column come without its one offset. */
function readOffsetBuffer(body: BodyReader, name: string, length: number, width: 4 | 8): Uint8Array {
  const wanted = (length + 1) * width;
  const offsets = body.nextBuffer(name, length === 0 ? 0 : wanted);
  return offsets.byteLength < wanted ? new Uint8Array(wanted) : offsets.subarray(0, wanted);
}

/** Offsets must not be negative nor fall, so that the last one bounds them all: it is returned. */
function checkOffsets(offsets: Uint8Array, width: 4 | 8, name: string): number {
  const words = int32View(offsets);
  const step = width / 4;
  let previous = 0;
  let ordered = true;
  for (let i = 0; i < words.length; i += step) {
    const next = words[i] as number;
    ordered = ordered && next >= previous && (step === 1 || words[i + 1] === 0);
    previous = next;
  }
  if (!ordered) throw malformed(`the offsets of column "${name}" are negative, falling or beyond 2 GiB`);
  return previous;
}

/** A view is int32 length and, up to 12 bytes, the bytes; beyond that 4 bytes of prefix, int32 buffer, int32 offset. */
function checkViews(views: Uint8Array, data: readonly Uint8Array[], validity: Uint8Array | undefined, name: string): void {
  const words = int32View(views);
  for (let row = 0; 4 * row < words.length; row++) {
    const length = words[4 * row] as number;
    if (length >= 0 && length <= 12) continue;
    if (validity !== undefined && !getBit(validity, row)) continue;
    const buffer = data[words[4 * row + 2] as number];
    const offset = words[4 * row + 3] as number;
    if (length < 0 || buffer === undefined || offset < 0 || offset + length > buffer.byteLength) {
      throw malformed(`row ${row} of column "${name}" points outside its buffers`);
    }
  }
}

/** Checks that children have what their parent points at; surplus rows are cut off. */
function fitChildren(
  field: Field,
  layout: Layout,
  length: number,
  buffers: readonly Uint8Array[],
  children: readonly Column[],
): readonly Column[] {
  switch (layout.kind) {
    case 'list': {
      const words = int32View(buffers[0] as Uint8Array);
      return [cut(field, children[0] as Column, words[(length * layout.bytes) / 4] as number)];
    }
    case 'fixedList':
      return [cut(field, children[0] as Column, length * layout.size)];
    case 'struct':
    case 'sparseUnion':
      if (layout.kind === 'sparseUnion') checkTypeIds(field, buffers[0] as Uint8Array, undefined, children);
      return children.map((child) => cut(field, child, length));
    case 'denseUnion':
      checkTypeIds(field, buffers[0] as Uint8Array, int32View(buffers[1] as Uint8Array), children);
      return children;
    case 'listView':
      checkListViews(field, buffers, layout.bytes, children[0] as Column);
      return children;
    case 'runs':
      checkRunEnds(field, length, children[0] as Column, children[1] as Column);
      return children;
    default:
      return children;
  }
}

function cut(parent: Field, child: Column, length: number): Column {
  if (child.length < length)
    throw malformed(`"${child.field.name}" of column "${parent.name}" has ${child.length} rows where ${length} are needed`);
  return child.length === length ? child : sliceColumn(child, 0, length);
}

function checkTypeIds(field: Field, ids: Uint8Array, offsets: Int32Array | undefined, children: readonly Column[]): void {
  const lengths = new Float64Array(256).fill(-1);
  if (field.type.id === 'union')
    for (const [index, id] of field.type.typeIds.entries()) lengths[id & 255] = children[index]?.length ?? -1;
  const typeIds = int8View(ids);
  for (let row = 0; row < typeIds.length; row++) {
    const length = lengths[(typeIds[row] as number) & 255] as number;
    const offset = offsets === undefined ? row : (offsets[row] as number);
    if (offset < 0 || offset >= length) throw malformed(`row ${row} of union "${field.name}" points at no value`);
  }
}

function checkListViews(field: Field, buffers: readonly Uint8Array[], width: 4 | 8, child: Column): void {
  const [offsets, sizes] = buffers.map(int32View) as [Int32Array, Int32Array];
  const step = width / 4;
  for (let i = 0; i < offsets.length; i += step) {
    const offset = offsets[i] as number;
    const size = sizes[i] as number;
    const narrow = step === 1 || (offsets[i + 1] === 0 && sizes[i + 1] === 0);
    if (!narrow || offset < 0 || size < 0 || offset + size > child.length)
      throw malformed(`row ${i / step} of column "${field.name}" points outside its list`);
  }
}

function checkRunEnds(field: Field, length: number, ends: Column, values: Column): void {
  if (ends.nullCount > 0 || values.length < ends.length)
    throw malformed(`the runs of column "${field.name}" do not match its values`);
  let previous = 0;
  for (let run = 0; run < ends.length; run++) {
    const end = readRunEnd(ends, run);
    if (end <= previous) throw malformed(`the run ends of column "${field.name}" do not rise`);
    previous = end;
  }
  if (previous < length) throw malformed(`the runs of column "${field.name}" end at row ${previous} of ${length}`);
}

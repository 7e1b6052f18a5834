/** Rows picked from several columns of one type, as defaults beside found values want it. */
import { FeatureStoreError } from '../errors.ts';
import { bitmapBytes, getBit, setBit } from './bitmap.ts';
import type { Column } from './column.ts';
import { concatColumns } from './concat.ts';
import { copyBytes } from './gather.ts';
import { layoutOf } from './layout.ts';
import { formatType } from './schema.ts';
import { checkTotal, takeColumn } from './take.ts';
import { bytesOf, int16View, int32View, readOffsets, writeOffsets } from './typed-view.ts';

/**
 * Row i of the result is row `indices[i]` of `sources[which[i]]`, or null where the index is negative. The field is the first
 * source's. INTERNAL where an index or a source does not exist or the types differ; types that takeColumn refuses are refused.
 */
export function interleaveColumns(sources: readonly Column[], which: Uint8Array, indices: Int32Array): Column {
  checkPicks(sources, which, indices);
  return interleave(sources, which, indices);
}

function checkPicks(sources: readonly Column[], which: Uint8Array, indices: Int32Array): void {
  const [first] = sources;
  if (first === undefined) throw new FeatureStoreError('INTERNAL', 'No column to pick rows from');
  const type = formatType(first.field);
  for (const { field } of sources) {
    if (formatType(field) !== type)
      throw new FeatureStoreError(
        'INTERNAL',
        `Column "${first.field.name}" of ${type} cannot be mixed with ${formatType(field)}`,
      );
  }
  const lengths = Float64Array.from({ length: 256 }, (_, source) => sources[source]?.length ?? 0);
  for (let i = 0; i < indices.length; i++) {
    if ((indices[i] as number) >= (lengths[which[i] as number] as number)) {
      throw new FeatureStoreError(
        'INTERNAL',
        `Row ${indices[i]} was asked of source ${which[i]} of column "${first.field.name}", which has not as many`,
      );
    }
  }
}

function interleave(sources: readonly Column[], which: Uint8Array, indices: Int32Array): Column {
  const { field } = sources[0] as Column;
  const layout = layoutOf(field);
  const nulls = pickValidity(sources, which, indices);
  const { length } = indices;
  const done = (buffers: readonly Uint8Array[], children: readonly Column[] = []) => ({
    field,
    length,
    ...nulls,
    buffers,
    children,
  });
  const firsts = sources.map((source) => source.buffers[0] as Uint8Array);
  switch (layout.kind) {
    case 'bits':
      return done([pickBits(firsts, which, indices)]);
    case 'fixed':
      return done([pickFixed(firsts, layout.bytes, which, indices)]);
    case 'text':
      return done(pickText(sources, layout.bytes, which, indices));
    case 'list': {
      const starts = firsts.map((bytes) => readOffsets(bytes, layout.bytes));
      const offsets = pickOffsets(field.name, starts, which, indices);
      const total = offsets[length] as number;
      const childWhich = new Uint8Array(total);
      const childIndices = new Int32Array(total);
      for (let i = 0; i < length; i++) {
        if ((indices[i] as number) < 0) continue;
        const from = (starts[which[i] as number] as Int32Array)[indices[i] as number] as number;
        const at = offsets[i] as number;
        const count = (offsets[i + 1] as number) - at;
        for (let j = 0; j < count; j++) childIndices[at + j] = from + j;
        childWhich.fill(which[i] as number, at, at + count);
      }
      return done([writeOffsets(offsets, layout.bytes)], [interleave(childrenAt(sources, 0), childWhich, childIndices)]);
    }
    case 'fixedList': {
      const { size } = layout;
      const childWhich = new Uint8Array(length * size);
      const childIndices = new Int32Array(length * size);
      for (let i = 0; i < length; i++) {
        const index = indices[i] as number;
        childWhich.fill(which[i] as number, i * size, (i + 1) * size);
        for (let j = 0; j < size; j++) childIndices[i * size + j] = index < 0 ? -1 : index * size + j;
      }
      return done([], [interleave(childrenAt(sources, 0), childWhich, childIndices)]);
    }
    case 'struct':
      return done(
        [],
        field.children.map((_, index) => interleave(childrenAt(sources, index), which, indices)),
      );
    default:
      return pickFromJoined(sources, which, indices);
  }
}

function childrenAt(sources: readonly Column[], index: number): Column[] {
  return sources.map((source) => source.children[index] as Column);
}

/** Rare layouts: the sources are joined first, which costs a copy of them all. */
function pickFromJoined(sources: readonly Column[], which: Uint8Array, indices: Int32Array): Column {
  let total = 0;
  const bases = Int32Array.from(sources, (source) => {
    total += source.length;
    return total - source.length;
  });
  return takeColumn(
    concatColumns(sources),
    indices.map((index, i) => (index < 0 ? -1 : index + (bases[which[i] as number] as number))),
  );
}

function pickValidity(
  sources: readonly Column[],
  which: Uint8Array,
  indices: Int32Array,
): Pick<Column, 'nullCount' | 'validity'> {
  const bitmaps = sources.map((source) => (source.nullCount > 0 ? source.validity : undefined));
  if (bitmaps.every((bitmap) => bitmap === undefined) && indices.every((index) => index >= 0)) return { nullCount: 0 };
  const validity = new Uint8Array(bitmapBytes(indices.length));
  let nullCount = 0;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    const bitmap = bitmaps[which[i] as number];
    if (index >= 0 && (bitmap === undefined || getBit(bitmap, index))) setBit(validity, i);
    else nullCount++;
  }
  return nullCount === 0 ? { nullCount } : { nullCount, validity };
}

function pickBits(sources: readonly Uint8Array[], which: Uint8Array, indices: Int32Array): Uint8Array {
  const target = new Uint8Array(bitmapBytes(indices.length));
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index >= 0 && getBit(sources[which[i] as number] as Uint8Array, index)) setBit(target, i);
  }
  return target;
}

function pickFixed(sources: readonly Uint8Array[], width: number, which: Uint8Array, indices: Int32Array): Uint8Array {
  const aligned = (bytes: number) => sources.every((source) => source.byteOffset % bytes === 0);
  if (width === 8 && aligned(4)) return bytesOf(pickPairs(sources.map(int32View), which, indices));
  if (width % 4 === 0 && aligned(4)) return bytesOf(pickWords(sources.map(int32View), width / 4, which, indices));
  if (width === 2 && aligned(2)) return bytesOf(pickHalves(sources.map(int16View), which, indices));
  const target = new Uint8Array(width * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index >= 0) copyBytes(target, width * i, sources[which[i] as number] as Uint8Array, width * index, width * (index + 1));
  }
  return target;
}

function pickPairs(sources: readonly Int32Array[], which: Uint8Array, indices: Int32Array): Int32Array {
  const target = new Int32Array(2 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index < 0) continue;
    const source = sources[which[i] as number] as Int32Array;
    target[2 * i] = source[2 * index] as number;
    target[2 * i + 1] = source[2 * index + 1] as number;
  }
  return target;
}

function pickWords(sources: readonly Int32Array[], step: number, which: Uint8Array, indices: Int32Array): Int32Array {
  const target = new Int32Array(step * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index < 0) continue;
    const source = sources[which[i] as number] as Int32Array;
    for (let word = 0; word < step; word++) target[step * i + word] = source[step * index + word] as number;
  }
  return target;
}

function pickHalves(sources: readonly Int16Array[], which: Uint8Array, indices: Int32Array): Int16Array {
  const target = new Int16Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index >= 0) target[i] = (sources[which[i] as number] as Int16Array)[index] as number;
  }
  return target;
}

function pickText(sources: readonly Column[], width: 4 | 8, which: Uint8Array, indices: Int32Array): Uint8Array[] {
  const starts = sources.map((source) => readOffsets(source.buffers[0] as Uint8Array, width));
  const datas = sources.map((source) => source.buffers[1] as Uint8Array);
  const offsets = pickOffsets((sources[0] as Column).field.name, starts, which, indices);
  const target = new Uint8Array(offsets[indices.length] as number);
  for (let i = 0; i < indices.length; i++) {
    const at = offsets[i] as number;
    const length = (offsets[i + 1] as number) - at;
    if (length === 0) continue;
    const from = (starts[which[i] as number] as Int32Array)[indices[i] as number] as number;
    copyBytes(target, at, datas[which[i] as number] as Uint8Array, from, from + length);
  }
  return [writeOffsets(offsets, width), target];
}

function pickOffsets(name: string, starts: readonly Int32Array[], which: Uint8Array, indices: Int32Array): Int32Array {
  const offsets = new Int32Array(indices.length + 1);
  let total = 0;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    const source = starts[which[i] as number] as Int32Array;
    if (index >= 0) total += (source[index + 1] as number) - (source[index] as number);
    offsets[i + 1] = total;
  }
  checkTotal(name, total);
  return offsets;
}

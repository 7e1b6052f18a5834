/** Columns as DuckDB reads them, back in the types in which their writer had them: no value changes, or the column is refused. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { type ArrowType, type Field, formatType } from '../../arrow/schema.ts';
import { takeColumn } from '../../arrow/take.ts';
import { readOffsets, writeOffsets } from '../../arrow/typed-view.ts';
import { FeatureStoreError } from '../../errors.ts';
import { daysToMilliseconds, resizeNumbers, scaleCounts } from './restore-numbers.ts';
import { parseUuids, toFixedSize, toViews, widenOffsets } from './restore-text.ts';
import type { RestoreValues } from './restore-values.ts';

/** The column as one of `field`, a field without dictionaries. INVALID_ARGUMENT where that is another type altogether, or has no such value. */
export function restoreColumn(column: Column, field: Field): Column {
  return restore(column, field, field.name);
}

function restore(column: Column, field: Field, name: string): Column {
  const { length, nullCount } = column;
  if (field.type.id === 'null' && column.field.type.id === 'int' && nullCount === length)
    return { field, length, nullCount, buffers: [], children: [] };
  if (field.children.length !== column.children.length) throw otherType(column.field, field, name);
  if (field.children.length > 0) return restoreNested(column, field, name);
  const convert = conversion(column.field.type, field.type);
  if (convert === undefined) throw otherType(column.field, field, name);
  return { ...column, field, buffers: convert(column, () => refuseValue(field, name)) };
}

function restoreNested(column: Column, field: Field, name: string): Column {
  const { type } = field;
  const from = column.field.type.id;
  if (type.id === 'fixedSizeList' && from === 'list') return restoreFixedSizeList(column, field, type.size, name);
  const buffers = type.id === 'struct' && from === 'struct' ? [] : listBuffers(column, type);
  if (buffers === undefined) throw otherType(column.field, field, name);
  const children = column.children.map((child, index) => restore(child, field.children[index] as Field, name));
  return { ...column, field, buffers, children };
}

function restoreFixedSizeList(column: Column, field: Field, size: number, name: string): Column {
  const childField = field.children[0] as Field;
  const elements = restore(takeElements(column, size, name), childField, name);
  // Only what stands below a null list is null where no element may be.
  const { validity, ...rest } = elements;
  return { ...column, field, buffers: [], children: [childField.nullable ? elements : { ...rest, nullCount: 0 }] };
}

/** The way from one type without children to another; undefined where there is none. */
function conversion(from: ArrowType, to: ArrowType): RestoreValues | undefined {
  const same: RestoreValues = (column) => column.buffers;
  switch (to.id) {
    case 'int':
      if (from.id !== 'int') return undefined;
      return from.bits === to.bits && from.signed === to.signed ? same : resizeNumbers(from, from.bits / 8, to, to.bits / 8);
    case 'float':
      if (from.id !== 'float') return undefined;
      if (from.bits === to.bits) return same;
      return from.bits === 32 && to.bits === 16 ? resizeNumbers(from, 4, to, 2) : undefined;
    case 'decimal':
      if (from.id !== 'decimal' || from.scale !== to.scale || from.precision !== to.precision) return undefined;
      return from.bits === to.bits ? same : resizeNumbers(from, from.bits / 8, to, to.bits / 8);
    case 'utf8':
    case 'binary':
      return from.id === to.id ? same : undefined;
    case 'largeUtf8':
    case 'largeBinary':
      return from.id === (to.id === 'largeUtf8' ? 'utf8' : 'binary') ? widenOffsets : undefined;
    case 'utf8View':
    case 'binaryView':
      return from.id === (to.id === 'utf8View' ? 'utf8' : 'binary') ? toViews : undefined;
    case 'fixedSizeBinary':
      if (from.id === 'utf8' && to.width === 16) return parseUuids;
      return from.id === 'binary' ? toFixedSize(to.width) : undefined;
    case 'date':
      if (from.id !== 'date') return undefined;
      return from.unit === to.unit ? same : from.unit === 'day' ? daysToMilliseconds : undefined;
    case 'time':
    case 'timestamp':
      return from.id === to.id ? scaleCounts(from.unit, to.unit, to.id === 'time' ? to.bits : 64) : undefined;
    case 'duration':
      return from.id === 'int' && from.bits === 64 && from.signed ? same : undefined;
    case 'interval':
      return from.id === 'interval' && from.unit === to.unit ? same : undefined;
    default:
      return from.id === to.id ? same : undefined;
  }
}

/** The buffers of a list in another form; undefined for a type that is none. */
function listBuffers(column: Column, to: ArrowType): readonly Uint8Array[] | undefined {
  const from = column.field.type.id;
  if (from === 'map' && to.id === 'map') return column.buffers;
  if (from !== 'list') return undefined;
  if (to.id === 'list') return column.buffers;
  const offsets = readOffsets(column.buffers[0] as Uint8Array, 4);
  if (to.id === 'largeList') return [writeOffsets(offsets, 8)];
  if (to.id !== 'listView' && to.id !== 'largeListView') return undefined;
  const sizes = Int32Array.from({ length: column.length }, (_, row) => (offsets[row + 1] as number) - (offsets[row] as number));
  const bytes = to.id === 'listView' ? 4 : 8;
  return [writeOffsets(offsets.slice(0, column.length), bytes), writeOffsets(sizes, bytes)];
}

/** The elements of lists that are all `size` long; below a null list stand `size` nulls. */
function takeElements({ length, nullCount, validity, buffers, children }: Column, size: number, name: string): Column {
  const offsets = readOffsets(buffers[0] as Uint8Array, 4);
  const indices = new Int32Array(length * size).fill(-1);
  for (let row = 0; row < length; row++) {
    if (nullCount > 0 && validity !== undefined && !getBit(validity, row)) continue;
    const start = offsets[row] as number;
    const count = (offsets[row + 1] as number) - start;
    if (count !== size) {
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `column "${name}" has a list of ${count} elements where the file's Arrow schema says ${size}; write the file again`,
        { details: { column: name } },
      );
    }
    for (let i = 0; i < size; i++) indices[row * size + i] = start + i;
  }
  return takeColumn(children[0] as Column, indices);
}

function otherType(from: Field, to: Field, name: string): FeatureStoreError {
  const [stored, said] = [formatType(from), formatType(to)];
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `column "${name}" is read as ${stored} where the file's Arrow schema says ${said}; write it in another type, write the frame as an Arrow file (.arrow), or send it through a client`,
    { details: { column: name, stored, type: said } },
  );
}

function refuseValue(field: Field, name: string): never {
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `column "${name}" holds a value that no ${formatType(field)} is, as the file says its type is; write the file again`,
    { details: { column: name, type: formatType(field) } },
  );
}

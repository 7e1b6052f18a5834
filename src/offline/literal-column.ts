/** Columns of features as plain values and back: what transforms read and write. */
import { getBit } from '../arrow/bitmap.ts';
import { columnFromValues } from '../arrow/build.ts';
import type { Column } from '../arrow/column.ts';
import { readValue } from '../arrow/read-value.ts';
import { bytesOf, int32View } from '../arrow/typed-view.ts';
import { formatDay, parseDay } from '../definitions/day.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import type { ValueType } from '../definitions/value-type.ts';
import { featureField } from './feature-field.ts';

/** The values of rows `from` up to `to` of a column as `featureField` describes its type. */
export function readLiterals(column: Column, type: ValueType, from: number, to: number): LiteralValue[] {
  const read = literalReader(column, type);
  return Array.from({ length: to - from }, (_, row) => read(from + row));
}

/** A reader of such a column by row. */
export function literalReader(column: Column, type: ValueType): (row: number) => LiteralValue {
  const read = presentReader(column, type);
  const validity = column.nullCount > 0 ? column.validity : undefined;
  return validity === undefined ? read : (row) => (getBit(validity, row) ? read(row) : null);
}

/** The column of a feature's values. */
export function literalColumn(name: string, type: ValueType, values: readonly LiteralValue[]): Column {
  const field = featureField(name, type);
  const data = fixedData(type, values);
  if (data === undefined)
    return columnFromValues(
      field,
      values.map((value) => toColumnValue(type, value)),
    );
  let nullCount = 0;
  const validity = new Uint8Array((values.length + 7) >> 3);
  for (let row = 0; row < values.length; row++) {
    if (values[row] === null) nullCount += 1;
    else validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7));
  }
  const column = { field, length: values.length, nullCount, buffers: [bytesOf(data)], children: [] };
  return nullCount === 0 ? column : { ...column, validity };
}

/** Reads a row that is not null. The types that most features have are read without the detour of `readValue`. */
function presentReader(column: Column, type: ValueType): (row: number) => LiteralValue {
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  switch (type.kind) {
    case 'bool':
      return (row) => getBit(first, row);
    case 'int32': {
      const words = int32View(first);
      return (row) => words[row] as number;
    }
    case 'float32': {
      const floats = new Float32Array(first.buffer, first.byteOffset, column.length);
      return (row) => floats[row] as number;
    }
    case 'float64': {
      const floats = new Float64Array(first.buffer, first.byteOffset, column.length);
      return (row) => floats[row] as number;
    }
    case 'int64':
    case 'timestamp': {
      const integers = new BigInt64Array(first.buffer, first.byteOffset, column.length);
      return (row) => integers[row] as bigint;
    }
    case 'string': {
      if (column.field.type.id !== 'utf8') break;
      const offsets = int32View(first);
      const text = Buffer.from(second.buffer, second.byteOffset, second.byteLength);
      return (row) => text.toString('utf8', offsets[row] as number, offsets[row + 1] as number);
    }
  }
  return (row) => toLiteral(type, readValue(column, row));
}

/** Columns count dates in days where plain values write them out. */
function toLiteral(type: ValueType, value: unknown): LiteralValue {
  if (value === null) return null;
  if (type.kind === 'date') return formatDay(value as number);
  if (type.kind === 'list') return (value as unknown[]).map((item) => toLiteral(type.element, item));
  return value as LiteralValue;
}

/** The inverse of `toLiteral`: values as `columnFromValues` takes them. */
export function toColumnValue(type: ValueType, value: LiteralValue): unknown {
  if (value === null) return null;
  if (type.kind === 'date') return parseDay(value as string);
  if (type.kind === 'list') return (value as readonly LiteralValue[]).map((item) => toColumnValue(type.element, item));
  return value;
}

function fixedData(type: ValueType, values: readonly LiteralValue[]): ArrayBufferView | undefined {
  switch (type.kind) {
    case 'int32':
      return Int32Array.from(values, (value) => (value ?? 0) as number);
    case 'float32':
      return Float32Array.from(values, (value) => (value ?? 0) as number);
    case 'float64':
      return Float64Array.from(values, (value) => (value ?? 0) as number);
    case 'int64':
    case 'timestamp':
      return BigInt64Array.from(values, (value) => (value ?? 0n) as bigint);
    default:
      return undefined;
  }
}

/** Values of feature columns and of keys as plain values, by readers that are chosen once a column. */
import { getBit } from '../arrow/bitmap.ts';
import type { Column } from '../arrow/column.ts';
import { readValue } from '../arrow/read-value.ts';
import { formatDay } from '../definitions/day.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { type KeyType, parseValueType, type ValueType } from '../definitions/value-type.ts';
import type { ViewDocument } from '../registry/document.ts';
import { joinWords } from './instants.ts';
import type { Keys } from './projection/keys.ts';

export type ReadRow = (row: number) => LiteralValue;

/** Reads the columns of a view's features, in its order. */
export function readFeatures(view: ViewDocument, columns: readonly Column[]): ReadRow[] {
  return view.features.map((feature, at) => readColumn(parseValueType(feature.type), columns[at] as Column));
}

function readColumn(type: ValueType, column: Column): ReadRow {
  const read = readPresent(type, column);
  const validity = column.nullCount > 0 ? column.validity : undefined;
  return validity === undefined ? read : (row) => (getBit(validity, row) ? read(row) : null);
}

function readPresent(type: ValueType, column: Column): ReadRow {
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  switch (type.kind) {
    case 'int32': {
      const words = new Int32Array(first.buffer, first.byteOffset, column.length);
      return (row) => words[row] as number;
    }
    case 'int64':
    case 'timestamp': {
      const words = new BigInt64Array(first.buffer, first.byteOffset, column.length);
      return (row) => words[row] as bigint;
    }
    case 'float32': {
      const values = new Float32Array(first.buffer, first.byteOffset, column.length);
      return (row) => values[row] as number;
    }
    case 'float64': {
      const values = new Float64Array(first.buffer, first.byteOffset, column.length);
      return (row) => values[row] as number;
    }
    case 'string': {
      if (column.field.type.id !== 'utf8') break;
      const offsets = new Int32Array(first.buffer, first.byteOffset, column.length + 1);
      const data = Buffer.from(second.buffer, second.byteOffset, second.byteLength);
      return (row) => data.toString('utf8', offsets[row] as number, offsets[row + 1] as number);
    }
    case 'bool':
      return (row) => getBit(first, row);
  }
  return (row) => toPlain(type, readValue(column, row));
}

/** A value as readValue gives it: it has dates as days. */
export function toPlain(type: ValueType, value: unknown): LiteralValue {
  if (value === null) return null;
  if (type.kind === 'date') return formatDay(value as number);
  if (type.kind === 'list') return (value as unknown[]).map((item) => toPlain(type.element, item));
  return value as LiteralValue;
}

/** Reads the values of a view's keys out of the keys of an index, in the view's order. */
export function readKeyValues(view: ViewDocument, keys: Keys): (run: number) => LiteralValue[] {
  const types = view.keys.map((key) => key.type);
  const [first] = types;
  if (keys.kind === 'none' || first === undefined) return () => [];
  if (keys.kind === 'int') {
    const { words } = keys;
    return (run) => [toKey(first, joinWords(words[2 * run] as number, words[2 * run + 1] as number))];
  }
  const data = Buffer.from(keys.data.buffer, keys.data.byteOffset, keys.data.byteLength);
  const { offsets } = keys;
  if (types.length === 1) return (run) => [toKey(first, data.subarray(offsets[run] as number, offsets[run + 1] as number))];
  return (run) => {
    let at = offsets[run] as number;
    return types.map((type) => {
      if (type === 'string' || type === 'bytes') {
        const start = at + 4;
        at = start + data.readUInt32LE(at);
        return toKey(type, data.subarray(start, at));
      }
      at += 8;
      return toKey(type, data.readBigInt64LE(at - 8));
    });
  };
}

/** Integers and booleans are stored as 64-bit integers. */
function toKey(type: KeyType, stored: bigint | Buffer): LiteralValue {
  switch (type) {
    case 'int64':
      return stored as bigint;
    case 'int32':
      return Number(stored);
    case 'bool':
      return stored !== 0n;
    case 'string':
      return stored.toString();
    case 'bytes':
      return new Uint8Array(stored as Buffer);
  }
}

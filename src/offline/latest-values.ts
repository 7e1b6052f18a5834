/** Values of feature columns and of keys as plain values, by readers that are chosen once a column. */
import type { Column } from '../arrow/column.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { type KeyType, parseValueType } from '../definitions/value-type.ts';
import type { ViewDocument } from '../registry/document.ts';
import { joinWords } from './instants.ts';
import { literalReader } from './literal-column.ts';
import { type KeyColumn, type Keys, splitKeys } from './projection/keys.ts';

export type ReadRow = (row: number) => LiteralValue;

/** Reads the columns of a view's features, in its order. */
export function readFeatures(view: ViewDocument, columns: readonly Column[]): ReadRow[] {
  return view.features.map((feature, at) => literalReader(columns[at] as Column, parseValueType(feature.type)));
}

/** The columns of a view's keys, in its order, out of the keys of an index. */
export function readKeyColumns(view: ViewDocument, keys: Keys): KeyColumn[] {
  return splitKeys(
    keys,
    view.keys.map(({ type }) => (type === 'string' || type === 'bytes' ? 'bytes' : 'int')),
  );
}

/** Reads the values of a view's keys out of their columns. */
export function readKeyValues(view: ViewDocument, columns: readonly KeyColumn[]): (row: number) => LiteralValue[] {
  const readers = columns.map((column, at) => keyReader((view.keys[at] as ViewDocument['keys'][number]).type, column));
  return (row) => readers.map((read) => read(row));
}

function keyReader(type: KeyType, column: KeyColumn): ReadRow {
  if (column.kind === 'int') {
    const { words } = column;
    return (row) => toKey(type, joinWords(words[2 * row] as number, words[2 * row + 1] as number));
  }
  const { starts, ends } = column;
  const data = Buffer.from(column.data.buffer, column.data.byteOffset, column.data.byteLength);
  return (row) => toKey(type, data.subarray(starts[row], ends[row]));
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

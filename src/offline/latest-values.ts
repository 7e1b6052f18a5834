/** Values of feature columns and of keys as plain values, by readers that are chosen once a column. */
import type { Column } from '../arrow/column.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { type KeyType, parseValueType } from '../definitions/value-type.ts';
import type { ViewDocument } from '../registry/document.ts';
import { joinWords } from './instants.ts';
import { literalReader } from './literal-column.ts';
import type { Keys } from './projection/keys.ts';

export type ReadRow = (row: number) => LiteralValue;

/** Reads the columns of a view's features, in its order. */
export function readFeatures(view: ViewDocument, columns: readonly Column[]): ReadRow[] {
  return view.features.map((feature, at) => literalReader(columns[at] as Column, parseValueType(feature.type)));
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

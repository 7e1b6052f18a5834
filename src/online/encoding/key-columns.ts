/** Keys of entities straight out of columns, in the bytes that keys.ts writes. */
import { joinWords, writeByte, writeRange, writeZigzag } from './bytes.ts';
import { encodeKeyHead, type JoinKey, keyTags, writeKeyBytes } from './keys.ts';
import type { ColumnWriter } from './value-columns.ts';

/**
 * The values of one join key, none of them null: integers and booleans as two words each, the low one first; strings and bytes by where
 * each starts and ends.
 */
export type KeyColumn =
  | { readonly kind: 'int'; readonly words: Int32Array }
  | { readonly kind: 'bytes'; readonly data: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array };

/** A writer of the keys of entities, whose join keys' values stand in the columns. */
export function compileKeyWriter(project: string, joinKeys: readonly JoinKey[], columns: readonly KeyColumn[]): ColumnWriter {
  const head = encodeKeyHead(project, joinKeys);
  const writers = joinKeys.map(({ type }, at) => compilePart(type, columns[at] as KeyColumn));
  return (sink, row) => {
    writeRange(sink, head, 0, head.length);
    for (let at = 0; at < writers.length; at++) (writers[at] as ColumnWriter)(sink, row);
  };
}

function compilePart(type: JoinKey['type'], column: KeyColumn): ColumnWriter {
  if (column.kind === 'bytes') {
    const { data, starts, ends } = column;
    return (sink, row) =>
      writeKeyBytes(sink, type === 'string' ? type : 'bytes', data, starts[row] as number, ends[row] as number);
  }
  const { words } = column;
  if (type === 'bool') {
    return (sink, row) => {
      writeByte(sink, keyTags.bool);
      writeByte(sink, words[2 * row] === 0 ? 0 : 1);
    };
  }
  return (sink, row) => {
    writeByte(sink, keyTags.integer);
    writeZigzag(sink, joinWords(words[2 * row] as number, words[2 * row + 1] as number));
  };
}

/** When the rows of a projection happened and were made, out of the columns in which that is stored. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';

export interface StoredTimes {
  /** Words of the event timestamps in microseconds. */
  readonly event: Int32Array;
  /** Words of the created timestamps, where the source has them. */
  readonly created?: Int32Array;
  /** Tells the rows without a created timestamp; absent where there are none. */
  readonly createdNulls?: (row: number) => boolean;
}

/** The times among a bucket's stored columns (see `projectionSchema`). */
export function readStoredTimes(columns: readonly Column[]): StoredTimes {
  const find = (name: string) => columns.find((column) => column.field.name === name);
  const created = find('created');
  const validity = created?.validity;
  return {
    event: wordsOf(find('event') as Column),
    created: created && wordsOf(created),
    createdNulls: validity && ((row) => !getBit(validity, row)),
  };
}

/** The words of a column of 64-bit integers. */
export function wordsOf(column: Column): Int32Array {
  const data = column.buffers[0] as Uint8Array;
  return new Int32Array(data.buffer, data.byteOffset, 2 * column.length);
}

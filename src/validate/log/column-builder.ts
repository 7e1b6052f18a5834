/** What columns of the log are built with: from answers into memory of their own, so that nothing of an answer is kept. */
import { bitmapBytes } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';

/** Some of the rows of an answer: `picked` are their places, of which those `from` up to `to` are meant; undefined: all are picked. */
export interface PickedRange {
  readonly picked: readonly number[] | undefined;
  readonly from: number;
  readonly to: number;
}

export interface ColumnBuilder {
  /** Adds rows of an answer's column. */
  add(values: ArrayLike<unknown>, rows: PickedRange): void;
  /** Adds the value as often. */
  repeat(value: unknown, rows: number): void;
  /** Bytes so far, about. */
  bytes(): number;
  /** The column so far, in memory that is used again for the next one. */
  take(): Column;
}

/** Rows that a builder has room for at first. */
export const startRows = 64;

/** The rows that are null: most columns have none. */
export function createNulls() {
  let valid: Uint8Array<ArrayBuffer> | undefined;
  let nullCount = 0;
  let lastRow = -1;
  return {
    last: () => lastRow,
    add(row: number, rows: number): void {
      if (rows === 0) return;
      const size = bitmapBytes(row + rows);
      if (valid === undefined || size > valid.length) {
        const next = new Uint8Array(Math.max(startRows / 8, 2 * size)).fill(0xff);
        if (valid !== undefined) next.set(valid);
        valid = next;
      }
      for (let at = row; at < row + rows; at++) valid[at >> 3] = (valid[at >> 3] as number) & ~(1 << (at & 7));
      nullCount += rows;
      lastRow = row + rows - 1;
    },
    /** Of `length` rows; then none is null any more. */
    take(length: number): Pick<Column, 'nullCount' | 'validity'> {
      if (valid === undefined) return { nullCount: 0 };
      const validity = new Uint8Array(bitmapBytes(length)).fill(0xff);
      validity.set(valid.subarray(0, validity.length));
      const taken = { nullCount, validity };
      valid = undefined;
      nullCount = 0;
      lastRow = -1;
      return taken;
    },
  };
}

/** Larger memory with the same in it. */
export function grown<T extends { readonly length: number; set(from: T): void }>(
  data: T,
  least: number,
  make: (length: number) => T,
): T {
  const larger = make(Math.max(least, 2 * data.length));
  larger.set(data);
  return larger;
}

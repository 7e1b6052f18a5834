/** Whether rows of a projection, sorted by key and times, need an order by value (section 3). */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';

/** Whether two neighbours have the same key, event and created timestamp, the last row of the part before included. */
export function hasTies(
  columns: readonly Column[],
  before: readonly Column[] | undefined,
  keys: number,
  created: boolean,
): boolean {
  const compared = columns.slice(0, keys + 1 + (created ? 1 : 0));
  if (
    before !== undefined &&
    compared.every((column, index) => sameValue(before[index] as Column, (before[0] as Column).length - 1, column, 0))
  )
    return true;
  const length = (columns[0] as Column).length;
  // The event timestamp first: it tells most neighbours apart.
  const order = [compared[keys] as Column, ...compared.filter((_, index) => index !== keys)];
  const equals = order.map(neighbourEquality);
  for (let row = 1; row < length; row++) {
    let same = true;
    for (let at = 0; same && at < equals.length; at++) same = (equals[at] as (row: number) => boolean)(row);
    if (same) return true;
  }
  return false;
}

function neighbourEquality(column: Column): (row: number) => boolean {
  if (column.field.type.id !== 'int') return (row) => sameValue(column, row - 1, column, row);
  const data = column.buffers[0] as Uint8Array;
  const words = new Int32Array(data.buffer, data.byteOffset, 2 * column.length);
  if (column.nullCount === 0) return (row) => words[2 * row] === words[2 * row - 2] && words[2 * row + 1] === words[2 * row - 1];
  return (row) => sameValue(column, row - 1, column, row);
}

function sameValue(left: Column, a: number, right: Column, b: number): boolean {
  const leftNull = isNull(left, a);
  if (leftNull || isNull(right, b)) return leftNull && isNull(right, b);
  return Buffer.compare(valueBytes(left, a), valueBytes(right, b)) === 0;
}

function isNull(column: Column, row: number): boolean {
  return column.validity !== undefined && !getBit(column.validity, row);
}

function valueBytes(column: Column, row: number): Uint8Array {
  const [first, data] = column.buffers as [Uint8Array, Uint8Array];
  if (column.field.type.id === 'int') return first.subarray(8 * row, 8 * row + 8);
  const offsets = new Int32Array(first.buffer, first.byteOffset, column.length + 1);
  return data.subarray(offsets[row], offsets[row + 1]);
}

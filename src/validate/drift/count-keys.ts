/** How many rows each key has: rows of one key tell of one draw. */
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';

/** Adds a batch's rows to those of before; a key is what its columns hold together. */
export function countKeys(drawn: Map<unknown, number>, columns: readonly Column[], rows: number): void {
  const keyOf = (row: number) =>
    columns.length === 1
      ? plain(readValue(columns[0] as Column, row))
      : columns.map((each) => String(plain(readValue(each, row)))).join('\u0000');
  for (let row = 0; row < rows; row++) {
    const key = keyOf(row);
    drawn.set(key, (drawn.get(key) ?? 0) + 1);
  }
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

/** Rows of one key, event and created timestamp that differ by value alone, of which some become visible later. */
import { compareValues } from '../definitions/value-order.ts';
import type { LatestRow } from '../offline/latest.ts';
import type { OnlineView } from '../online/view.ts';

/**
 * Leaves out the rows that the store could not put in their place: all columns of the source decide between such rows, and the store
 * has those of the view. What is left out is not visible yet, and the first run after it is writes it. `rows` come as readLatest gives
 * them: those of one key together, from the greatest to the least.
 */
export function dropMisplaced(view: OnlineView, rows: readonly LatestRow[]): readonly LatestRow[] {
  if (!rows.some((row, at) => isTied(rows[at + 1], row))) return rows;
  const kept: LatestRow[] = [];
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at] as LatestRow;
    const below = kept.at(-1);
    if (!isTied(below, row) || compareStored(view, row, below as LatestRow) >= 0) kept.push(row);
  }
  return kept.reverse();
}

function isTied(a: LatestRow | undefined, b: LatestRow): boolean {
  if (a === undefined || a.eventUs !== b.eventUs || a.createdUs !== b.createdUs) return false;
  return a.keys.every((key, at) => isSameKey(key, b.keys[at]));
}

function isSameKey(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b;
}

function compareStored({ valueOrder, types }: OnlineView, a: LatestRow, b: LatestRow): number {
  for (const at of valueOrder) {
    const order = compareValues(types[at] as OnlineView['types'][number], a.values[at] ?? null, b.values[at] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

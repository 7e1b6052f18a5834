/** Rows of one key, event and created timestamp that differ by value alone, of which some become visible later. */
import { compareValues } from '../definitions/value-order.ts';
import type { LatestBlock, LatestRow } from '../offline/latest.ts';
import type { OnlineView } from '../online/view.ts';

/**
 * The rows from one to another that are to be left out, as the store could not put them in their place: all columns of the source decide
 * between such rows, and the store has those of the view. What is left out is not visible yet, and the first run after it is writes it.
 */
export function findMisplaced(view: OnlineView, block: LatestBlock, from: number, to: number): ReadonlySet<number> | undefined {
  let misplaced: Set<number> | undefined;
  for (let last = to - 1; last > from; last--) {
    const end = last + 1;
    while (last > from && isTied(block, last - 1, last)) last--;
    if (end - last === 1) continue;
    misplaced ??= new Set();
    const rows = block.read(last, end);
    let below = rows.at(-1) as LatestRow;
    for (let at = rows.length - 2; at >= 0; at--) {
      const row = rows[at] as LatestRow;
      if (compareStored(view, row, below) >= 0) below = row;
      else misplaced.add(last + at);
    }
  }
  return misplaced;
}

function isTied({ owners, event, created, createdNulls }: LatestBlock, a: number, b: number): boolean {
  if (owners[a] !== owners[b] || !isSame(event, a, b)) return false;
  const isNull = createdNulls?.[a] === 1;
  return isNull === (createdNulls?.[b] === 1) && (isNull || created === undefined || isSame(created, a, b));
}

function isSame(words: Int32Array, a: number, b: number): boolean {
  return words[2 * a] === words[2 * b] && words[2 * a + 1] === words[2 * b + 1];
}

function compareStored({ valueOrder, types }: OnlineView, a: LatestRow, b: LatestRow): number {
  for (const at of valueOrder) {
    const order = compareValues(types[at] as OnlineView['types'][number], a.values[at] ?? null, b.values[at] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

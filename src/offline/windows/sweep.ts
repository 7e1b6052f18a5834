/**
 * Windows one after another: sorted by their ends they overlap, so that from one to the next a few events come in and a few go out. Over
 * all windows of a key each event comes in and goes out once for each window's length, however many windows there are.
 */

/** Bounds among the chosen events by row of a frame: from the first that counts to the first that does not. */
export interface Bounds {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

export interface Sweeper {
  /** Empties the window. */
  clear(): void;
  /** Takes in the next event. */
  add(at: number): void;
  /** Lets the oldest event go. */
  drop(at: number): void;
  /** The window of a row of the frame is complete. */
  visit(row: number): void;
}

/** Visits every row whose window is not empty, each window's events in their order. */
export function sweep(order: Int32Array, { from, to }: Bounds, sweeper: Sweeper): void {
  let first = 0;
  let end = 0;
  for (const row of order) {
    const wantedFirst = from[row] as number;
    const wantedEnd = to[row] as number;
    if (wantedFirst >= wantedEnd) continue;
    // Beginning anew is cheaper where windows hardly overlap, and needed where they belong to another key.
    const moves = wantedFirst - first + (wantedEnd - end);
    if (wantedFirst < first || wantedFirst >= end || wantedEnd < end || moves > wantedEnd - wantedFirst) {
      sweeper.clear();
      first = wantedFirst;
      end = wantedFirst;
    }
    while (end < wantedEnd) sweeper.add(end++);
    while (first < wantedFirst) sweeper.drop(first++);
    sweeper.visit(row);
  }
}

/** The rows of a frame by the ends of their windows, of which there are `ends` at most. */
export function sortByEnd(to: Int32Array, ends: number): Int32Array {
  if (ends > 16 * to.length) return sortFew(to);
  const starts = new Int32Array(ends + 2);
  for (const end of to) starts[end + 1] = (starts[end + 1] as number) + 1;
  for (let end = 0; end <= ends; end++) starts[end + 1] = (starts[end + 1] as number) + (starts[end] as number);
  const sorted = new Int32Array(to.length);
  for (let row = 0; row < to.length; row++) {
    const end = to[row] as number;
    const at = starts[end] as number;
    sorted[at] = row;
    starts[end] = at + 1;
  }
  return sorted;
}

function sortFew(to: Int32Array): Int32Array {
  // Both numbers in one that is exact: up to 2^31 events by up to 2^22 rows of a frame.
  const width = to.length;
  const keys = Float64Array.from(to, (end, row) => end * width + row);
  keys.sort();
  return Int32Array.from(keys, (key) => key % width);
}

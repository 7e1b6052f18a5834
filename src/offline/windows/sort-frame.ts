/** The rows of a frame in the order of key and time. */
import type { EventTimes, InstantUs } from './event-times.ts';

/** Sorts by where windows end, of which there are `events` at most, and those that end alike by time. */
export function sortFrame(ends: Int32Array, events: number, times: EventTimes): Int32Array {
  const order = sortByEnd(ends, events);
  for (let from = 0; from < order.length; ) {
    const end = ends[order[from] as number];
    let to = from + 1;
    while (to < order.length && ends[order[to] as number] === end) to += 1;
    if (to - from > 1) sortByTime(order.subarray(from, to), times);
    from = to;
  }
  return order;
}

const few = 16;

function sortByTime(rows: Int32Array, times: EventTimes): void {
  if (rows.length > few) {
    rows.sort((a, b) => ((times[a] as InstantUs) < (times[b] as InstantUs) ? -1 : times[a] === times[b] ? a - b : 1));
    return;
  }
  for (let next = 1; next < rows.length; next++) {
    const row = rows[next] as number;
    const time = times[row] as InstantUs;
    let at = next;
    for (; at > 0 && (times[rows[at - 1] as number] as InstantUs) > time; at--) rows[at] = rows[at - 1] as number;
    rows[at] = row;
  }
}

function sortByEnd(ends: Int32Array, events: number): Int32Array {
  if (events > 16 * ends.length) return sortFew(ends);
  const starts = new Int32Array(events + 2);
  for (const end of ends) starts[end + 1] = (starts[end + 1] as number) + 1;
  for (let end = 0; end <= events; end++) starts[end + 1] = (starts[end + 1] as number) + (starts[end] as number);
  const sorted = new Int32Array(ends.length);
  for (let row = 0; row < ends.length; row++) {
    const end = ends[row] as number;
    const at = starts[end] as number;
    sorted[at] = row;
    starts[end] = at + 1;
  }
  return sorted;
}

function sortFew(ends: Int32Array): Int32Array {
  // Both numbers in one that is exact: up to 2^31 events by up to 2^22 rows of a frame.
  const width = ends.length;
  const keys = Float64Array.from(ends, (end, row) => end * width + row);
  keys.sort();
  return Int32Array.from(keys, (key) => key % width);
}

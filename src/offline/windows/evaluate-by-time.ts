/** first, last and last_n over windows: from the end that is wanted inward. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { compareValues } from '../../definitions/value-order.ts';
import { literalReader } from '../literal-column.ts';
import type { BucketEvents, Chosen } from './bucket-events.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import type { Evaluated } from './evaluated.ts';

export function evaluateByTime(
  name: 'first' | 'last' | 'last_n',
  { events, chosen, bounds: { from, to }, value, size }: EvaluateInput,
): Evaluated {
  const rows = sortAlike(events, chosen, value);
  if (name === 'last_n') {
    const ends = new Int32Array(to.length);
    let total = 0;
    for (let place = 0; place < to.length; place++) {
      total += Math.min(size, (to[place] as number) - (from[place] as number));
      ends[place] = total;
    }
    const items = new Int32Array(total);
    let item = 0;
    for (let place = 0; place < to.length; place++) {
      for (let at = (to[place] as number) - 1; item < (ends[place] as number); at--) items[item++] = rows[at] as number;
    }
    return { kind: 'lists', ends, rows: items };
  }
  const found = new Int32Array(to.length).fill(-1);
  for (let place = 0; place < to.length; place++) {
    const [first, end] = [from[place] as number, to[place] as number];
    if (end > first) found[place] = rows[name === 'first' ? first : end - 1] as number;
  }
  return { kind: 'events', rows: found };
}

/** The chosen events with those of one key and one time in the order of their values; of these a window holds all or none. */
function sortAlike(events: BucketEvents, chosen: Chosen, value: number): Int32Array {
  const { rows } = chosen;
  const { times, starts } = events;
  const isAlike = (at: number) => times[rows[at] as number] === times[rows[at - 1] as number];
  let any = false;
  for (let at = 1; at < rows.length && !any; at++) any = isAlike(at);
  if (!any) return rows;
  return events.keep(`by time and value ${value} of ${chosen.name}`, () => {
    const sorted = rows.slice();
    const type = events.type(value);
    const read = literalReader(events.column(value), type);
    const runs = runsOf(starts, rows);
    for (let start = 0; start < rows.length; ) {
      let end = start + 1;
      while (end < rows.length && isAlike(end) && runs[end] === runs[end - 1]) end += 1;
      if (end - start > 1) {
        const some = Array.from(rows.subarray(start, end), (row) => ({ row, value: read(row) as LiteralValue }));
        some.sort((a, b) => compareValues(type, a.value, b.value));
        for (const [at, { row }] of some.entries()) sorted[start + at] = row;
      }
      start = end;
    }
    return sorted;
  });
}

/** The run of each of the rows. */
function runsOf(starts: Int32Array, rows: Int32Array): Int32Array {
  let run = 0;
  return rows.map((row) => {
    while ((starts[run + 1] as number) <= row) run += 1;
    return run;
  });
}

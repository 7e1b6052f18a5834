/** The medians of a growing set of floats, found from its end: sorted once, and taken away in a linked list in turns. */
import type { Pace } from '../pace.ts';
import { type MarkedFloats, sortFloats } from './sort-floats.ts';

const turnRows = 16_384;

/**
 * The median after each group of values has come, of an even count the mean of the two middle values; `floats.marks` are the groups,
 * 0 to `groups` - 1, none of them empty, in the order in which they come. Spoils the arrays given; 24 bytes a value at most, theirs
 * included.
 */
export async function runningMedians(floats: MarkedFloats, groups: number, pace: Pace): Promise<number[]> {
  const { values, positions, starts } = await placeByGroup(floats, groups, pace);
  const { length } = values;
  // Node i + 1 is value i; 0 and length + 1 are the ends.
  const before = new Int32Array(length + 2);
  const after = new Int32Array(length + 2);
  for (let node = 0; node < length + 2; node++) {
    if (node % turnRows === 0) await pace();
    before[node] = node - 1;
    after[node] = node + 1;
  }
  let count = length;
  /** The middle one, or the lower of the two. */
  let middle = (length + 1) >> 1;
  const medians = new Array<number>(groups);
  for (let group = groups - 1; group >= 0; group--) {
    const low = values[middle - 1] as number;
    medians[group] = count % 2 === 1 ? low : meanOf(low, values[(after[middle] as number) - 1] as number);
    for (let at = starts[group] as number; at < (starts[group + 1] as number); at++) {
      if (at % turnRows === 0) await pace();
      const node = (positions[at] as number) + 1;
      if (count % 2 === 1 && node >= middle) middle = before[middle] as number;
      else if (count % 2 === 0 && node <= middle) middle = after[middle] as number;
      after[before[node] as number] = after[node] as number;
      before[after[node] as number] = before[node] as number;
      count -= 1;
    }
  }
  return medians;
}

/** The sorted values, and for each group the places of its own: `positions` from `starts[group]` on. */
async function placeByGroup(
  floats: MarkedFloats,
  groups: number,
  pace: Pace,
): Promise<{ values: Float64Array; positions: Int32Array; starts: Int32Array }> {
  const { values, marks } = await sortFloats(floats, pace);
  return { values, ...(await groupRows(marks, groups, pace)) };
}

/** The rows of each group in their order: `positions` from `starts[group]` up to `starts[group + 1]`. */
export async function groupRows(
  marks: Int32Array,
  groups: number,
  pace: Pace,
): Promise<{ positions: Int32Array; starts: Int32Array }> {
  const starts = new Int32Array(groups + 1);
  for (let row = 0; row < marks.length; row++) {
    if (row % turnRows === 0) await pace();
    const next = (marks[row] as number) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let group = 0; group < groups; group++) starts[group + 1] = (starts[group + 1] as number) + (starts[group] as number);
  const places = starts.slice();
  const positions = new Int32Array(marks.length);
  for (let row = 0; row < marks.length; row++) {
    if (row % turnRows === 0) await pace();
    const group = marks[row] as number;
    const place = places[group] as number;
    places[group] = place + 1;
    positions[place] = row;
  }
  return { positions, starts };
}

function meanOf(low: number, high: number): number {
  const mean = (low + high) / 2;
  return Number.isFinite(mean) || !Number.isFinite(low) || !Number.isFinite(high) ? mean : low / 2 + high / 2;
}

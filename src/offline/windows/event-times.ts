/** Instants of events and windows: numbers where all are exact as such, which is up to the year 2255, else bigints. */
import { windowStartUs } from '../../aggregate/window.ts';

/** Microseconds by row; within a key they ascend. */
export type EventTimes = Float64Array | BigInt64Array;

export type InstantUs = number | bigint;

/** Half of what is exact, so that an instant less a window is too. */
const exactUs = 2 ** 52;

/** Instants as two words a row, as numbers or as bigints. */
export function readInstants(words: Int32Array): EventTimes {
  const numbers = new Float64Array(words.length / 2);
  for (let row = 0; row < numbers.length; row++) {
    const us = (words[2 * row + 1] as number) * 4_294_967_296 + ((words[2 * row] as number) >>> 0);
    if (us >= exactUs || us <= -exactUs) return BigInt64Array.from(numbers, (_, at) => joinWords(words, at));
    numbers[row] = us;
  }
  return numbers;
}

function joinWords(words: Int32Array, row: number): bigint {
  return (BigInt(words[2 * row + 1] as number) << 32n) | BigInt((words[2 * row] as number) >>> 0);
}

/** T less a duration. */
export function subtractUs(time: InstantUs, us: bigint): InstantUs {
  return typeof time === 'number' && us <= exactUs ? time - Number(us) : BigInt(time) - us;
}

/** Where the window at T begins (rule 6.2). */
export function startOf(time: InstantUs, windowUs: bigint, hopUs: bigint): InstantUs {
  if (typeof time === 'bigint' || windowUs > exactUs) return windowStartUs(BigInt(time), windowUs, hopUs);
  const hop = Number(hopUs);
  const left = time - Number(windowUs);
  // The quotient may be rounded up or down to its neighbour; the product and the rest are exact.
  const start = Math.floor(left / hop) * hop;
  return start > left ? start - hop : left - start >= hop ? start + hop : start;
}

/** The first row from `from` up to `to` whose time is not before an instant; `to` if there is none. */
export function firstNotBefore(times: EventTimes, from: number, to: number, instant: InstantUs): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as InstantUs) < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The point-in-time look-up of section 3: for each row of a frame, the one row of a projection that wins at its time. */
import { type Instants, splitUs } from '../instants.ts';
import type { KeyIndex } from './key-index.ts';
import { lastVisible, type Visibility } from './visibility.ts';

export const found = 0;
export const notFound = 2;
export const outsideMaxAge = 3;

export interface LookUpRows {
  readonly index: KeyIndex;
  /** Words of the event timestamps; within a run rows ascend by event, created (null least), then the other columns. */
  readonly event: Int32Array;
  /** Absent where a row is visible from event + delay on. */
  readonly visibility?: Visibility;
  /** Present where rows of one key, event and created timestamp differ in their values. */
  readonly rivals?: Rivals;
}

/** By row: the nearest earlier row of the same key, event and created timestamp with other values (-1: none), and the first of them. */
export interface Rivals {
  readonly previous: Int32Array;
  readonly first: Int32Array;
}

export interface LookUpRule {
  readonly delayUs: bigint;
  /** 0 means that no row is too old. */
  readonly ttlUs: bigint;
}

export interface LookUpResult {
  /** Row of the projection by row of the frame, -1 where there is none. */
  readonly winners: Int32Array;
  /** `found`, `notFound` or `outsideMaxAge` by row. */
  readonly states: Uint8Array;
  /** Rows whose winner was chosen by value alone among several of equal event and created timestamps. */
  readonly ties: number;
}

/** Looks up every row; `runs` holds the run of its key, -1 for none (rules 2.3, 1.5: null keys and times find nothing). */
export function lookUp(rows: LookUpRows, rule: LookUpRule, runs: Int32Array, times: Instants): LookUpResult {
  const { event, visibility } = rows;
  const { starts } = rows.index;
  const winners = new Int32Array(runs.length);
  const states = new Uint8Array(runs.length);
  const delay = splitUs(rule.delayUs);
  const ttl = splitUs(rule.ttlUs);
  const { words, nulls } = times;
  let ties = 0;
  for (let row = 0; row < runs.length; row++) {
    if (row % warmRows === 0) touched[0] = touchRuns(event, starts, runs, row);
    const run = runs[row] as number;
    winners[row] = -1;
    states[row] = notFound;
    if (run < 0 || (nulls !== undefined && nulls[row] === 1)) continue;
    const timeLow = (words[2 * row] as number) >>> 0;
    const timeHigh = words[2 * row + 1] as number;
    let low = timeLow - delay.low;
    let high = timeHigh - delay.high;
    if (low < 0) {
      low += 0x1_0000_0000;
      high -= 1;
    }
    const start = starts[run] as number;
    let winner = lastNotAfter(event, start, starts[run + 1] as number, low, high);
    if (winner >= start && visibility !== undefined) winner = lastVisible(visibility, start, winner, timeLow, timeHigh);
    if (winner < start) continue;
    winners[row] = winner;
    states[row] = rule.ttlUs > 0n && isOlder(event, winner, ttl, timeLow, timeHigh) ? outsideMaxAge : found;
    if (rows.rivals !== undefined && hasRival(rows.rivals, visibility, winner, timeLow, timeHigh)) ties += 1;
  }
  return { winners, states, ties };
}

/** Rows whose runs are touched ahead: few enough to stay in the processor's cache until they are searched. */
const warmRows = 512;
/** What was read must be used, or the compiler would leave the reading out. */
const touched = new Int32Array(1);

/**
 * Reads the ends of the runs that are searched next. The searches wait for memory one after another; these reads do not depend on
 * each other, so the processor waits for many at once: measured, it halves the time of looking up a million rows.
 */
function touchRuns(event: Int32Array, starts: Int32Array, runs: Int32Array, from: number): number {
  const to = Math.min(runs.length, from + warmRows);
  let seen = 0;
  for (let row = from; row < to; row++) {
    const run = runs[row] as number;
    if (run >= 0) seen ^= (event[2 * (starts[run] as number)] as number) ^ (event[2 * (starts[run + 1] as number) - 1] as number);
  }
  return seen;
}

/** The last row of a run whose event timestamp is at most (high, low); `start - 1` if none is. */
function lastNotAfter(event: Int32Array, start: number, end: number, low: number, high: number): number {
  let from = start;
  let to = end;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const middleHigh = event[2 * middle + 1] as number;
    if (middleHigh < high || (middleHigh === high && (event[2 * middle] as number) >>> 0 <= low)) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

/** Whether event + ttl < T: a row of exactly the ttl's age is still young. */
function isOlder(event: Int32Array, row: number, ttl: { low: number; high: number }, timeLow: number, timeHigh: number): boolean {
  let low = ((event[2 * row] as number) >>> 0) + ttl.low;
  let high = (event[2 * row + 1] as number) + ttl.high;
  if (low > 0xffff_ffff) {
    low -= 0x1_0000_0000;
    high += 1;
  }
  return high < timeHigh || (high === timeHigh && low < timeLow);
}

/** Whether another visible row of the winner's key, event and created timestamp lost to it by value. */
function hasRival(
  rivals: Rivals,
  visibility: Visibility | undefined,
  winner: number,
  timeLow: number,
  timeHigh: number,
): boolean {
  const previous = rivals.previous[winner] as number;
  if (previous < 0 || visibility === undefined) return previous >= 0;
  return lastVisible(visibility, rivals.first[winner] as number, previous, timeLow, timeHigh) >= 0;
}

/**
 * Which events of its key are in the window or the session of each row of a frame (rules 6.2, 6.4 and 6.5): from the first that counts to
 * the first after it that does not, equal where none counts.
 */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { AggregateDocument } from '../../registry/document.ts';
import type { LookupPlan } from '../plan.ts';
import type { BucketEvents } from './bucket-events.ts';
import { firstNotBefore, type InstantUs, readInstants, startOf, subtractUs } from './event-times.ts';
import { type Bounds, sortByEnd } from './sweep.ts';

export interface FrameRows {
  /** The run of each row's key in the bucket, -1 for none. */
  readonly runs: Int32Array;
  /** Words of T by row. */
  readonly words: Int32Array;
}

export interface WindowPlan extends Pick<LookupPlan, 'view' | 'delayUs'> {
  /** First event of each run, and the number of events at the end. */
  readonly starts: Int32Array;
}

export interface WindowBounds extends Bounds {
  /** The rows by their ends; of any of the events chosen among all it is the same order. */
  readonly order: Int32Array;
}

/** Finds the windows of some rows: all of them end alike, and those of one length begin alike. */
export function openWindows(
  { view, delayUs, starts }: WindowPlan,
  events: BucketEvents,
  { runs, words }: FrameRows,
): (aggregate: AggregateDocument) => WindowBounds {
  const times = readInstants(words);
  const to = new Int32Array(runs.length);
  for (let row = 0; row < runs.length; row++) {
    const run = runs[row] as number;
    if (run < 0) continue;
    const right = subtractUs(times[row] as InstantUs, delayUs);
    to[row] = firstNotBefore(events.times, starts[run] as number, starts[run + 1] as number, right);
  }
  const order = sortByEnd(to, events.times.length);
  const known = new Map<string, WindowBounds>();
  return ({ window, hop }) => {
    const name = `${window} ${hop}`;
    const found = known.get(name);
    if (found !== undefined) return found;
    const findStart = compileStart(events, view.session?.gap, window, hop);
    const from = new Int32Array(runs.length);
    for (let row = 0; row < runs.length; row++) {
      const run = runs[row] as number;
      const end = to[row] as number;
      const first = run < 0 ? end : (starts[run] as number);
      from[row] = first === end ? end : findStart(times[row] as InstantUs, first, end);
    }
    const bounds = { from, to, order };
    known.set(name, bounds);
    return bounds;
  };
}

type FindStart = (time: InstantUs, first: number, end: number) => number;

/** `first` is the key's first event, and `end` is after its last one that counts. */
function compileStart(
  events: BucketEvents,
  gap: string | undefined,
  window: string | undefined,
  hop: string | undefined,
): FindStart {
  if (gap !== undefined) {
    const gapUs = parseDurationUs(gap);
    const firsts = events.sessionStarts(gapUs);
    return (time, _, end) =>
      (events.times[end - 1] as InstantUs) >= subtractUs(time, gapUs) ? (firsts[end - 1] as number) : end;
  }
  if (window === undefined || window === 'lifetime') return (_, first) => first;
  const windowUs = parseDurationUs(window);
  const hopUs = parseDurationUs(hop as string);
  return (time, first, end) => firstNotBefore(events.times, first, end, startOf(time, windowUs, hopUs));
}

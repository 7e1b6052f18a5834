/** Which events of its key are in the window or the session of each row of a frame (rules 6.2, 6.4 and 6.5). */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { AggregateDocument } from '../../registry/document.ts';
import type { LookupPlan } from '../plan.ts';
import type { BucketEvents } from './bucket-events.ts';
import { firstNotBefore, type InstantUs, readInstants, startOf, subtractUs } from './event-times.ts';
import type { Bounds } from './sweep.ts';

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

/** By row the first event that counts and the first after it that does not; equal where none counts. */
export function findBounds(
  { view, delayUs, starts }: WindowPlan,
  events: BucketEvents,
  { runs, words }: FrameRows,
  { window, hop }: AggregateDocument,
): Bounds {
  const times = readInstants(words);
  const from = new Int32Array(runs.length);
  const to = new Int32Array(runs.length);
  const findStart = compileStart(events, view.session?.gap, window, hop);
  for (let row = 0; row < runs.length; row++) {
    const run = runs[row] as number;
    if (run < 0) continue;
    const first = starts[run] as number;
    const time = times[row] as InstantUs;
    const end = firstNotBefore(events.times, first, starts[run + 1] as number, subtractUs(time, delayUs));
    to[row] = end;
    from[row] = end === first ? end : findStart(time, first, end);
  }
  return { from, to };
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

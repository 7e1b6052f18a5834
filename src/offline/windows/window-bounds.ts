/**
 * Which events of its key are in the window or the session of each row of a frame (rules 6.2, 6.4 and 6.5): from the first that counts to
 * the first after it that does not, equal where none counts. The rows stand in the order of key and time, so that from one to the next
 * both ends only move forward.
 */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { AggregateDocument } from '../../registry/document.ts';
import type { LookupPlan } from '../plan.ts';
import type { BucketEvents, Chosen } from './bucket-events.ts';
import { firstNotBefore, type InstantUs, readInstants, startOf, subtractUs } from './event-times.ts';
import { sortFrame } from './sort-frame.ts';

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

/** Bounds by place: among non-empty windows neither `from` nor `to` ever goes back. */
export interface Bounds {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

export interface WindowBounds extends Bounds {
  /** The row of the frame at each place. */
  readonly order: Int32Array;
  /** The same windows, counted in some of the events. */
  among(chosen: Chosen): Bounds;
}

/** Finds the windows of some rows: all of them end alike, and those of one length begin alike. */
export function openWindows(
  { view, delayUs, starts }: WindowPlan,
  events: BucketEvents,
  { runs, words }: FrameRows,
): (aggregate: AggregateDocument) => WindowBounds {
  const times = readInstants(words);
  const ends = new Int32Array(runs.length);
  for (let row = 0; row < runs.length; row++) {
    const run = runs[row] as number;
    if (run < 0) continue;
    const right = subtractUs(times[row] as InstantUs, delayUs);
    ends[row] = firstNotBefore(events.times, starts[run] as number, starts[run + 1] as number, right);
  }
  const order = sortFrame(ends, events.rows, times);
  const to = new Int32Array(order.length);
  for (let place = 0; place < order.length; place++) to[place] = ends[order[place] as number] as number;
  const known = new Map<string, WindowBounds>();
  return ({ window, hop }) => {
    const name = `${window} ${hop}`;
    const found = known.get(name);
    if (found !== undefined) return found;
    const findStart = compileStart(events, view.session?.gap, window, hop);
    const from = new Int32Array(order.length);
    for (let place = 0; place < order.length; place++) {
      const row = order[place] as number;
      const run = runs[row] as number;
      const end = to[place] as number;
      const first = run < 0 ? end : (starts[run] as number);
      from[place] = first === end ? end : findStart(times[row] as InstantUs, first, end);
    }
    const bounds = withAmong(order, { from, to });
    known.set(name, bounds);
    return bounds;
  };
}

function withAmong(order: Int32Array, bounds: Bounds): WindowBounds {
  const known = new Map<string, Bounds>();
  return {
    order,
    ...bounds,
    among({ name, before }) {
      if (before === undefined) return bounds;
      const found = known.get(name) ?? { from: countBefore(bounds.from, before), to: countBefore(bounds.to, before) };
      known.set(name, found);
      return found;
    },
  };
}

function countBefore(bounds: Int32Array, before: Int32Array): Int32Array {
  const counted = new Int32Array(bounds.length);
  for (let place = 0; place < bounds.length; place++) counted[place] = before[bounds[place] as number] as number;
  return counted;
}

type FindStart = (time: InstantUs, first: number, end: number) => number;

/** `first` is the key's first event, and `end` is after its last one that counts. */
function compileStart(
  events: BucketEvents,
  gap: string | undefined,
  window: string | undefined,
  hop: string | undefined,
): FindStart {
  const { times } = events;
  if (gap !== undefined) {
    const gapUs = parseDurationUs(gap);
    const firsts = events.sessionStarts(gapUs);
    return (time, _, end) => ((times[end - 1] as InstantUs) >= subtractUs(time, gapUs) ? (firsts[end - 1] as number) : end);
  }
  if (window === undefined || window === 'lifetime') return (_, first) => first;
  const windowUs = parseDurationUs(window);
  const hopUs = parseDurationUs(hop as string);
  return (time, first, end) => firstNotBefore(times, first, end, startOf(time, windowUs, hopUs));
}

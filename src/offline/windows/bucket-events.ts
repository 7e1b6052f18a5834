/** The events of one bucket of a projection: what expressions say of them, and what is worked out of that. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { EventView } from '../../registry/event-view.ts';
import type { Bucket } from '../projection/bucket.ts';
import { type EventTimes, type InstantUs, readInstants } from './event-times.ts';

/** Some of the events, in their order. */
export interface Chosen {
  /** What they were chosen by. */
  readonly name: string;
  readonly rows: Int32Array;
  /**
   * How many of them stand before each row, and at the end how many there are: bounds of rows become bounds among the chosen. Without
   * it all are chosen.
   */
  readonly before: Int32Array | undefined;
}

export interface BucketEvents {
  readonly rows: number;
  readonly times: EventTimes;
  /** The first row of each key, and the number of rows at the end. */
  readonly starts: Int32Array;
  /** Events for which all the conditions are true, and whose value is not null. Without any: all of them. */
  choose(conditions: readonly (number | undefined)[], value?: number): Chosen;
  /** The values of an expression by row. */
  column(expression: number): Column;
  type(expression: number): ValueType;
  /** By row the first row of the session that it belongs to (rule 6.5), whatever comes after it. */
  sessionStarts(gapUs: bigint): Int32Array;
  /** Arrays that are made of these events under a name: once for these, and once for the bucket where it has room to keep them. */
  keep<T extends object>(name: string, make: () => T): T;
}

/** The events of a bucket, for one request. */
export function eventsOf(bucket: Bucket, { view }: EventView): BucketEvents {
  const types = view.features.map(({ type }) => parseValueType(type));
  const used = new Map<string, object>();
  const keep = <T extends object>(name: string, make: () => T): T => {
    const found = used.get(name) ?? bucket.derived.keep(name, make, arrayBytes);
    used.set(name, found);
    return found as T;
  };
  const timesOf = () => keep('times', () => readInstants(bucket.event));
  return {
    rows: bucket.rows,
    starts: bucket.index.starts,
    get times() {
      return timesOf();
    },
    keep,
    type: (at) => types[at] as ValueType,
    column: (at) => bucket.whole(at),
    choose(conditions, value) {
      const places = conditions.filter((at) => at !== undefined);
      const required = value === undefined || bucket.whole(value).nullCount === 0 ? undefined : value;
      const name = places.length === 0 && required === undefined ? 'all' : `${places.join(' ')} of ${required}`;
      return keep(`chosen ${name}`, () => {
        const columns = places.map((at) => bucket.whole(at));
        return { name, ...chooseRows(bucket.rows, columns, required === undefined ? undefined : bucket.whole(required)) };
      });
    },
    sessionStarts: (gapUs) => keep(`sessions ${gapUs}`, () => findSessions(timesOf(), bucket.index.starts, gapUs)),
  };
}

/** Memory of an array, or of the arrays that an object holds. */
function arrayBytes(made: object): number {
  if (ArrayBuffer.isView(made)) return made.byteLength;
  return Object.values(made).reduce((sum: number, part) => sum + (ArrayBuffer.isView(part) ? part.byteLength : 0), 0);
}

function chooseRows(length: number, conditions: readonly Column[], value: Column | undefined): Omit<Chosen, 'name'> {
  const all = new Int32Array(length);
  if (conditions.length === 0 && value === undefined) {
    for (let row = 0; row < length; row++) all[row] = row;
    return { rows: all, before: undefined };
  }
  const passes = new Uint8Array(length).fill(1);
  for (const condition of conditions) {
    clearNulls(passes, condition);
    const bits = condition.buffers[0] as Uint8Array;
    for (let row = 0; row < length; row++) if (((bits[row >> 3] as number) & (1 << (row & 7))) === 0) passes[row] = 0;
  }
  if (value !== undefined) clearNulls(passes, value);
  const before = new Int32Array(length + 1);
  let count = 0;
  for (let row = 0; row < length; row++) {
    before[row] = count;
    all[count] = row;
    count += passes[row] as number;
  }
  before[length] = count;
  return { before, rows: all.slice(0, count) };
}

function clearNulls(passes: Uint8Array, { nullCount, validity }: Column): void {
  if (nullCount === 0 || validity === undefined) return;
  for (let row = 0; row < passes.length; row++) if (!getBit(validity, row)) passes[row] = 0;
}

function findSessions(times: EventTimes, starts: Int32Array, gapUs: bigint): Int32Array {
  const firsts = new Int32Array(times.length);
  const gap: InstantUs = times instanceof Float64Array ? Number(gapUs) : gapUs;
  for (let run = 0; run + 1 < starts.length; run++) {
    let first = starts[run] as number;
    for (let row = first; row < (starts[run + 1] as number); row++) {
      const isApart = row > first && subtract(times[row] as InstantUs, times[row - 1] as InstantUs) > gap;
      if (isApart) first = row;
      firsts[row] = first;
    }
  }
  return firsts;
}

/** Of two instants of one kind. */
function subtract(a: InstantUs, b: InstantUs): InstantUs {
  return typeof a === 'bigint' ? a - (b as bigint) : a - (b as number);
}

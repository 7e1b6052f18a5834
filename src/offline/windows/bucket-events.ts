/** The events of one bucket of a projection: what expressions say of them, and what is worked out of that once and kept. */

import { compileNormalize } from '../../aggregate/compile-aggregate.ts';
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { literalReader } from '../literal-column.ts';
import type { Bucket } from '../projection/bucket.ts';
import { type EventTimes, type InstantUs, readInstants } from './event-times.ts';
import type { EventView } from './event-view.ts';

/** Some of the events, in their order. */
export interface Chosen {
  /** What they were chosen by. */
  readonly name: string;
  /** How many of them stand before each row, and at the end how many there are: bounds of rows become bounds among the chosen. */
  readonly before: Int32Array;
  readonly rows: Int32Array;
}

export interface BucketEvents {
  readonly times: EventTimes;
  /** Events for which all the conditions are true, and whose value is not null. Without any: all of them. */
  choose(conditions: readonly (number | undefined)[], value?: number): Chosen;
  /** The value of an expression by row, 0 without a sign. */
  reader(expression: number): (row: number) => LiteralValue;
  type(expression: number): ValueType;
  /** By row the first row of the session that it belongs to (rule 6.5), whatever comes after it. */
  sessionStarts(gapUs: bigint): Int32Array;
  /** What is made of these events under a name, made once. */
  keep<T>(name: string, make: () => T): T;
}

const known = new WeakMap<Bucket, BucketEvents>();

/** The events of a bucket, kept as long as the bucket is. */
export function eventsOf(bucket: Bucket, { view }: EventView): BucketEvents {
  const found = known.get(bucket);
  if (found !== undefined) return found;
  const made = create(
    bucket,
    view.features.map(({ type }) => parseValueType(type)),
  );
  known.set(bucket, made);
  return made;
}

function create(bucket: Bucket, types: readonly ValueType[]): BucketEvents {
  const kept = new Map<string, unknown>();
  const keep = <T>(name: string, make: () => T): T => {
    if (!kept.has(name)) kept.set(name, make());
    return kept.get(name) as T;
  };
  const times = readInstants(bucket.event);
  const everyRow = () => Int32Array.from({ length: bucket.rows }, (_, row) => row);
  const column = (at: number) => keep(`column ${at}`, () => bucket.take([at], everyRow())[0] as Column);
  return {
    times,
    keep,
    type: (at) => types[at] as ValueType,
    reader: (at) =>
      keep(`reader ${at}`, () => {
        const read = literalReader(column(at), types[at] as ValueType);
        const normalize = compileNormalize(types[at] as ValueType);
        return (row: number) => {
          const value = read(row);
          return value === null ? null : normalize(value);
        };
      }),
    choose(conditions, value) {
      const places = conditions.filter((at) => at !== undefined);
      const name = `${places.join(' ')} of ${value}`;
      return keep(`chosen ${name}`, () => ({
        name,
        ...chooseRows(bucket.rows, places.map(column), value === undefined ? undefined : column(value)),
      }));
    },
    sessionStarts: (gapUs) => keep(`sessions ${gapUs}`, () => findSessions(times, bucket.index.starts, gapUs)),
  };
}

function chooseRows(length: number, conditions: readonly Column[], value: Column | undefined): Omit<Chosen, 'name'> {
  const before = new Int32Array(length + 1);
  const rows = new Int32Array(length);
  let count = 0;
  for (let row = 0; row < length; row++) {
    before[row] = count;
    if (isPresent(value, row) && conditions.every((condition) => isPresent(condition, row) && isTrue(condition, row))) {
      rows[count++] = row;
    }
  }
  before[length] = count;
  return { before, rows: rows.slice(0, count) };
}

function isPresent(column: Column | undefined, row: number): boolean {
  return column === undefined || column.nullCount === 0 || column.validity === undefined || getBit(column.validity, row);
}

function isTrue(column: Column, row: number): boolean {
  return getBit(column.buffers[0] as Uint8Array, row);
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

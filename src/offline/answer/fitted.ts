/** Fitted defaults (rule 5.3) as steps over days: computed once from all rows of a projection, looked up by the day of T. */
import { getBit } from '../../arrow/bitmap.ts';
import { columnFromValues } from '../../arrow/build.ts';
import type { Column } from '../../arrow/column.ts';
import { createGrowingBytes } from '../../arrow/growing-bytes.ts';
import type { Field } from '../../arrow/schema.ts';
import type { FittedKind } from '../../definitions/fitted.ts';
import { compareValues } from '../../definitions/value-order.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { FeatureDocument } from '../../registry/document.ts';
import { featureField } from '../feature-field.ts';
import { daysOf } from '../instants.ts';
import { createPace, type Pace } from '../pace.ts';
import type { Bucket } from '../projection/bucket.ts';
import type { Projection } from '../projection/store.ts';
import { canonicalWriter, readCanonical } from './canonical-value.ts';
import { groupRows, runningMedians } from './running-median.ts';
import { createValueCodes } from './value-codes.ts';

/** `values` row i holds from the day after `days[i]` on, until the day after `days[i + 1]`. */
export interface FittedSteps {
  readonly days: Int32Array;
  readonly values: Column;
}

/** Which rows count, and when they become visible. */
export interface FittedRule {
  readonly delayUs: bigint;
  readonly asKnown: boolean;
}

/** The row of `steps.values` that holds on a day, -1 where no value was visible before it. */
export function stepAt(steps: FittedSteps, day: number): number {
  let from = 0;
  let to = steps.days.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((steps.days[middle] as number) < day) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

/**
 * Computes the steps of one feature: values of every version of every key, by the day on which they became visible. Works in turns of
 * some milliseconds, and throws the reason of `signal` once it is aborted. Beside one bucket it holds, outside of the heap, for `mean`
 * nothing but a sum a day, for `median` 24 bytes a row, for `mode` 12 bytes a row and every different value once; RESOURCE_EXHAUSTED
 * where that is more than 4 GiB.
 */
export async function fitDefault(
  projection: Projection,
  featureIndex: number,
  kind: FittedKind,
  rule: FittedRule,
  signal?: AbortSignal,
): Promise<FittedSteps> {
  const feature = projection.view.features[featureIndex] as FeatureDocument;
  const type = parseValueType(feature.type);
  const field = featureField(feature.name, type);
  const pace = createPace(signal);
  const days: number[] = [];
  const fit = fits[kind](field, type, projection.rows);
  const indexOf = indexDays(days);
  for (let index = 0; index < projection.buckets; index++) {
    const bucket = await projection.bucket(index);
    for (let from = 0; from < bucket.rows; from += sliceRows) {
      await pace();
      const to = Math.min(bucket.rows, from + sliceRows);
      const [column] = bucket.take(
        [featureIndex],
        Int32Array.from({ length: to - from }, (_, row) => from + row),
      );
      fit.add(column as Column, daysOfRows(bucket, rule, from, to), indexOf);
    }
  }
  const order = Int32Array.from(days.keys()).sort((a, b) => (days[a] as number) - (days[b] as number));
  const values = await fit.finish(order, pace);
  const isSingle = type.kind === 'float32';
  return {
    days: order.map((index) => days[index] as number),
    values: columnFromValues(
      field,
      values.map((value) => (typeof value === 'number' ? (isSingle ? Math.fround(value) : value) + 0 : value)),
    ),
  };
}

/** Rows that are looked at in one go: some milliseconds even of long vectors. */
const sliceRows = 2048;
const maxBytes = 4 * 1024 ** 3;
const never = 0x7fff_ffff;

/** The days of some rows; a row that never becomes visible holds the greatest instant, and here the greatest day. */
function daysOfRows(bucket: Bucket, rule: FittedRule, from: number, to: number): Int32Array {
  const visibility = bucket.visibility(rule.delayUs, rule.asKnown);
  if (visibility === undefined) return daysOf(bucket.event.subarray(2 * from, 2 * to), rule.delayUs);
  const words = (visibility.levels[0] as Int32Array).subarray(2 * from, 2 * to);
  const days = daysOf(words);
  for (let row = 0; row < days.length; row++) if (words[2 * row] === -1 && words[2 * row + 1] === never) days[row] = never;
  return days;
}

/** Numbers days in the order in which they come, into `days`. */
function indexDays(days: number[]): (day: number) => number {
  const known = new Map<number, number>();
  return (day) => {
    let index = known.get(day);
    if (index === undefined) {
      index = days.push(day) - 1;
      known.set(day, index);
    }
    return index;
  };
}

interface Fit {
  /** Takes the values of some rows that are not null and become visible on some day. */
  add(column: Column, days: Int32Array, indexOf: (day: number) => number): void;
  /** The value after each day; `order` has the numbers of the days in their order. */
  finish(order: Int32Array, pace: Pace): Promise<unknown[]>;
}

const fits: Record<FittedKind, (field: Field, type: ValueType, rows: number) => Fit> = {
  mean: fitMean,
  median: fitMedian,
  mode: fitMode,
};

/** Adds up the values of a day in the order of buckets and rows, and then the days, so that the sum is always the same. */
function fitMean(): Fit {
  const sums: number[] = [];
  const counts: number[] = [];
  return {
    add(column, days, indexOf) {
      const values = floatsOf(column);
      visitRows(column, days, indexOf, (row, day) => {
        sums[day] = (sums[day] ?? 0) + (values[row] as number);
        counts[day] = (counts[day] ?? 0) + 1;
      });
    },
    async finish(order) {
      let sum = 0;
      let count = 0;
      return Array.from(order, (day) => {
        sum += sums[day] as number;
        count += counts[day] as number;
        return sum / count;
      });
    },
  };
}

function fitMedian(field: Field, _: ValueType, rows: number): Fit {
  checkBytes(field, 24 * rows);
  const values = new Float64Array(rows);
  const marks = new Int32Array(rows);
  let count = 0;
  return {
    add(column, days, indexOf) {
      const floats = floatsOf(column);
      visitRows(column, days, indexOf, (row, day) => {
        values[count] = floats[row] as number;
        marks[count++] = day;
      });
    },
    async finish(order, pace) {
      const groups = await inOrder(marks.subarray(0, count), order, pace);
      return await runningMedians({ values: values.subarray(0, count), marks: groups }, order.length, pace);
    },
  };
}

function fitMode(field: Field, type: ValueType, rows: number): Fit {
  checkBytes(field, 12 * rows);
  const codes = new Int32Array(rows);
  const marks = new Int32Array(rows);
  const known = createValueCodes(field.name);
  const value = createGrowingBytes();
  let count = 0;
  const readCode = (code: number) => readCanonical(field, known.bytesOf(code));
  return {
    add(column, days, indexOf) {
      const write = canonicalWriter(column);
      visitRows(column, days, indexOf, (row, day) => {
        value.length = 0;
        write(row, value);
        codes[count] = known.codeOf(value.bytes, value.length);
        marks[count++] = day;
      });
    },
    async finish(order, pace) {
      const groups = await inOrder(marks.subarray(0, count), order, pace);
      const { positions, starts } = await groupRows(groups, order.length, pace);
      const counts = new Int32Array(known.count);
      let best = -1;
      let most = 0;
      let bestValue: unknown;
      const modes: unknown[] = [];
      for (let day = 0; day < order.length; day++) {
        for (let at = starts[day] as number; at < (starts[day + 1] as number); at++) {
          if (at % 1024 === 0) await pace();
          const code = codes[positions[at] as number] as number;
          const times = (counts[code] as number) + 1;
          counts[code] = times;
          if (times < most || (times === most && compareValues(type, readCode(code), bestValue) >= 0)) continue;
          most = times;
          if (code !== best) bestValue = readCode(code);
          best = code;
        }
        modes.push(bestValue);
      }
      return modes;
    },
  };
}

/** Marks of days as the places of these days in their order, in place. */
async function inOrder(marks: Int32Array, order: Int32Array, pace: Pace): Promise<Int32Array> {
  const places = new Int32Array(order.length);
  for (let place = 0; place < order.length; place++) places[order[place] as number] = place;
  for (let row = 0; row < marks.length; row++) {
    if (row % 65_536 === 0) await pace();
    marks[row] = places[marks[row] as number] as number;
  }
  return marks;
}

function visitRows(
  column: Column,
  days: Int32Array,
  indexOf: (day: number) => number,
  visit: (row: number, day: number) => void,
): void {
  const { validity } = column;
  let lastDay = never;
  let index = -1;
  for (let row = 0; row < column.length; row++) {
    const day = days[row] as number;
    if (day === never || (validity !== undefined && !getBit(validity, row))) continue;
    if (day !== lastDay) index = indexOf(day);
    lastDay = day;
    visit(row, index);
  }
}

function floatsOf(column: Column): Float64Array | Float32Array {
  const { buffer, byteOffset } = column.buffers[0] as Uint8Array;
  const isDouble = column.field.type.id === 'float' && column.field.type.bits === 64;
  return isDouble ? new Float64Array(buffer, byteOffset, column.length) : new Float32Array(buffer, byteOffset, column.length);
}

function checkBytes(field: Field, bytes: number): void {
  if (bytes <= maxBytes) return;
  throw new FeatureStoreError(
    'RESOURCE_EXHAUSTED',
    `the fitted default of feature "${field.name}" would take ${Math.ceil(bytes / 1024 ** 3)} GiB to compute, and may take 4; use fitted('mean') or a literal`,
    { details: { feature: field.name } },
  );
}

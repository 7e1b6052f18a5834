/** Rows of a frame in memory, some of them where it has too many: which ones depends on their place in it alone. */
import type { Column } from '../../arrow/column.ts';
import { concatColumns } from '../../arrow/concat.ts';
import { field, type Schema } from '../../arrow/schema.ts';
import { takeColumn } from '../../arrow/take.ts';
import { formatInstantUs } from '../../definitions/literal.ts';
import type { FrameBatch } from '../../offline/answer/answer.ts';
import { readTimes } from '../../offline/frame/read-times.ts';
import { concatInstants, type Instants, instantAt, repeatInstant, splitUs, takeInstants } from '../../offline/instants.ts';

export interface Sample {
  /** Without dictionaries: values stand for themselves. */
  readonly columns: readonly Column[];
  readonly times: Instants;
  /** The row of the whole frame that each was. */
  readonly places: Int32Array;
  readonly length: number;
  /** Rows of the whole frame. */
  readonly of: number;
}

/** Where T stands, or the one for all rows. */
export type SampleTime =
  | { readonly index: number; readonly name: string; readonly timezone: string | undefined }
  | { readonly us: bigint };

/** Keeps at least `most` rows, if there are as many, and at most twice that. */
export async function readSample(
  schema: Schema,
  batches: AsyncIterable<FrameBatch>,
  time: SampleTime,
  most: number,
): Promise<Sample> {
  let parts: Sample[] = [];
  let kept = 0;
  let of = 0;
  let limit = 2 ** 32;
  for await (const batch of batches) {
    const columns = schema.fields.map((_, index) => batch.plain(index));
    const times =
      'us' in time
        ? repeatInstant(time.us, batch.length)
        : readTimes(columns[time.index] as Column, time.name, time.timezone, of);
    const places = Int32Array.from({ length: batch.length }, (_, row) => of + row);
    const part = thin({ columns, times, places, length: batch.length, of: 0 }, limit);
    of += batch.length;
    kept += part.length;
    if (part.length > 0) parts.push(part);
    while (kept > 2 * most) {
      limit /= 2;
      parts = parts.map((one) => thin(one, limit)).filter((one) => one.length > 0);
      kept = parts.reduce((sum, one) => sum + one.length, 0);
    }
  }
  return { ...joinParts(schema, parts), of };
}

/** Some rows of a sample. */
export function takeRows(sample: Sample, rows: Int32Array): Sample {
  const columns = sample.columns.map((column) => takeColumn(column, rows));
  const places = Int32Array.from(rows, (row) => sample.places[row] as number);
  return { columns, times: takeInstants(sample.times, rows), places, length: rows.length, of: sample.of };
}

export function hasTime({ times }: Pick<Sample, 'times'>, row: number): boolean {
  return times.nulls?.[row] !== 1;
}

/** The rows' times in microseconds, null where there is none. */
export function readSampleTimes({ times, length }: Sample): (bigint | null)[] {
  return Array.from({ length }, (_, row) => (times.nulls?.[row] === 1 ? null : instantAt(times, row)));
}

/** Least and greatest time of the rows, as ISO text. */
export function rangeOf(sample: Sample): { readonly from: string | null; readonly to: string | null } {
  let from: bigint | undefined;
  let to: bigint | undefined;
  for (let row = 0; row < sample.length; row++) {
    if (!hasTime(sample, row)) continue;
    const us = instantAt(sample.times, row);
    if (from === undefined || us < from) from = us;
    if (to === undefined || us > to) to = us;
  }
  return { from: from === undefined ? null : formatInstantUs(from), to: to === undefined ? null : formatInstantUs(to) };
}

export function shiftInstants(times: Instants, us: bigint): Instants {
  const words = new Int32Array(times.words.length);
  for (let row = 0; row < times.length; row++) {
    const { low, high } = splitUs(instantAt(times, row) + us);
    words[2 * row] = low | 0;
    words[2 * row + 1] = high;
  }
  return { ...times, words };
}

function thin(part: Sample, limit: number): Sample {
  if (limit >= 2 ** 32) return part;
  const rows: number[] = [];
  for (let row = 0; row < part.length; row++) if (scatter(part.places[row] as number) < limit) rows.push(row);
  return rows.length === part.length ? part : takeRows(part, Int32Array.from(rows));
}

/** A place as a number below 2^32 that neighbours do not share anything of. */
function scatter(place: number): number {
  let mixed = Math.imul(place ^ (place >>> 16), 0x45d9f3b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function joinParts(schema: Schema, parts: readonly Sample[]): Omit<Sample, 'of'> {
  const columns = schema.fields.map((_, at) => parts.map((part) => part.columns[at] as Column));
  if (parts.length === 0) return { columns: [], times: repeatInstant(0n, 0), places: new Int32Array(0), length: 0 };
  const places = parts.flatMap((part) => [...part.places]);
  return {
    columns: columns.map(concatColumns),
    times: concatInstants(parts.map((part) => part.times)),
    places: Int32Array.from(places),
    length: places.length,
  };
}

/** Times as a column of instants in microseconds. */
export function timeColumn(name: string, { words, nulls, length }: Instants): Column {
  const validity = new Uint8Array((length + 7) >> 3);
  let nullCount = 0;
  for (let row = 0; row < length; row++) {
    if (nulls?.[row] === 1) nullCount += 1;
    else validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7));
  }
  const type = { id: 'timestamp', unit: 'us', timezone: 'UTC' } as const;
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const column = { field: field(name, type), length, nullCount, buffers: [bytes], children: [] };
  return nullCount === 0 ? column : { ...column, validity };
}

/** What stands before the nulls and values of a row, as row-codec.ts draws it: read and written. */
import { type Cursor, readZigzag, reserve, type Sink, varintBytes, writeByte, writeVarint, writeZigzag } from './bytes.ts';
import { damaged } from './damaged.ts';

export interface RowTimes {
  readonly pushed: boolean;
  readonly eventUs: bigint;
  readonly createdUs: bigint | null;
  readonly availableUs: bigint | null;
  /** Whether a bitmap of nulls stands before the values. */
  readonly hasNulls: boolean;
}

const flags = { pushed: 1, created: 2, available: 4, nulls: 8 } as const;
const eventUnitShift = 4;
const distanceUnitShift = 6;
/** Microseconds, by the number that stands in the flags: rows are written in the greatest unit in which their times are whole. */
const units = [1, 1000, 1_000_000, 3_600_000_000] as const;
const wideUnits = units.map(BigInt);

/** Reads the head of a row and leaves the cursor where its nulls, or else its values begin. */
export function readTimes(cursor: Cursor): RowTimes {
  const set = cursor.buffer[cursor.at++] as number;
  const eventUs = readUnits(cursor, (set >>> eventUnitShift) & 3);
  const distanceUnit = set >>> distanceUnitShift;
  const createdUs = (set & flags.created) === 0 ? null : eventUs + readUnits(cursor, distanceUnit);
  const availableUs = (set & flags.available) === 0 ? null : eventUs + readUnits(cursor, distanceUnit);
  if (!(cursor.at <= cursor.end)) throw damaged();
  return { pushed: (set & flags.pushed) !== 0, eventUs, createdUs, availableUs, hasNulls: (set & flags.nulls) !== 0 };
}

function readUnits(cursor: Cursor, unit: number): bigint {
  return readZigzag(cursor) * (wideUnits[unit] as bigint);
}

/** An instant or a distance in microseconds: a number where that is exact. */
export type Time = number | bigint;

/** What stands before the values of a row that is written. */
export interface RowHead {
  readonly pushed: boolean;
  readonly event: Time;
  /** Distances from the event time; undefined where the row has none. */
  readonly created: Time | undefined;
  readonly available: Time | undefined;
  readonly hasNulls: boolean;
}

/** Begins a row, up to its nulls; what it gives ends the row. */
export function beginRow(sink: Sink, schemaId: number, head: RowHead): number {
  const { pushed, event, created, available, hasNulls } = head;
  const start = sink.at;
  reserve(sink, 6);
  // Room for a length of one byte: longer rows are moved when they end.
  for (let byte = 0; byte < 4; byte++) sink.buffer[start + byte] = schemaId >>> (8 * byte);
  sink.at = start + 5;
  const eventUnit = unitOf(event, event);
  const distanceUnit = unitOf(created ?? 0, available ?? 0);
  writeByte(
    sink,
    (pushed ? flags.pushed : 0) |
      (created === undefined ? 0 : flags.created) |
      (available === undefined ? 0 : flags.available) |
      (hasNulls ? flags.nulls : 0) |
      (eventUnit << eventUnitShift) |
      (distanceUnit << distanceUnitShift),
  );
  writeUnits(sink, event, eventUnit);
  if (created !== undefined) writeUnits(sink, created, distanceUnit);
  if (available !== undefined) writeUnits(sink, available, distanceUnit);
  return start;
}

/** Writes the length of the row that beginRow began at `start`, whose last byte has been written. */
export function endRow(sink: Sink, start: number): void {
  const body = start + 5;
  const length = sink.at - body;
  if (length < 128) {
    sink.buffer[body - 1] = length;
    return;
  }
  const extra = varintBytes(length) - 1;
  reserve(sink, extra);
  sink.buffer.copyWithin(body + extra, body, body + length);
  sink.at = body - 1;
  writeVarint(sink, length);
  sink.at += length;
}

/** A whole number as a Time. */
export function toTime(us: bigint): Time {
  const small = Number(us);
  return Number.isSafeInteger(small) ? small : us;
}

/** The greatest unit of which both times are multiples. */
function unitOf(a: Time, b: Time): number {
  let unit = 0;
  // Each unit is a multiple of the one before it.
  while (unit + 1 < units.length && isMultiple(a, unit + 1) && isMultiple(b, unit + 1)) unit += 1;
  return unit;
}

function isMultiple(time: Time, unit: number): boolean {
  if (typeof time === 'bigint') return time % (wideUnits[unit] as bigint) === 0n;
  const size = units[unit] as number;
  // A remainder would cost several times as much.
  return Math.round(time / size) * size === time;
}

function writeUnits(sink: Sink, time: Time, unit: number): void {
  writeZigzag(sink, typeof time === 'number' ? time / (units[unit] as number) : time / (wideUnits[unit] as bigint));
}

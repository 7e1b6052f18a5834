/**
 * The value of an entity's key: a version byte (1), then its rows one after another, those of one view from the greatest to the least:
 *
 *   schema      4 bytes, least significant first: the number of the row's schema; 0 is a tombstone
 *   length      varint: bytes that follow
 *   flags       1 byte: 1 pushed, 2 has a created timestamp, 4 has an available timestamp, 8 has nulls; the two bits above them are the
 *               unit of the event time, the highest two that of the distances: 0 microsecond, 1 millisecond, 2 second, 3 hour
 *   event       zigzag varint: the event time since the epoch
 *   created     zigzag varint: created - event, where it has one
 *   available   zigzag varint: available - event, where it has one
 *   nulls       a bit for each feature of the schema, the first lowest; 1 is null; only where there are any
 *   values      each that is not null, as value-codec.ts says
 *
 * A tombstone's body is 8 bytes, the instant of erasure.
 */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import {
  type Cursor,
  createSink,
  readVarint,
  readZigzag,
  reserve,
  type Sink,
  takeSink,
  varintBytes,
  writeByte,
  writeVarint,
  writeZigzag,
} from './bytes.ts';
import type { OnlineRow } from './row.ts';
import {
  compileValueReader,
  compileValueWriter,
  markNull,
  type ValueReader,
  type ValueWriter,
  writeBitmap,
} from './value-codec.ts';

/** Where a row stands in a value. */
export interface RowSpan {
  readonly schemaId: number;
  /** Of the schema's first byte. */
  readonly start: number;
  /** Of the flags. */
  readonly body: number;
  readonly end: number;
}

export interface RowTimes {
  readonly pushed: boolean;
  readonly eventUs: bigint;
  readonly createdUs: bigint | null;
  readonly availableUs: bigint | null;
  /** Whether a bitmap of nulls stands before the values. */
  readonly hasNulls: boolean;
}

export const tombstoneId = 0;

/** With which every value begins. */
export const valueVersion = 1;
const flags = { pushed: 1, created: 2, available: 4, nulls: 8 } as const;
const eventUnitShift = 4;
const distanceUnitShift = 6;
/** Microseconds, by the number that stands in the flags: rows are written in the greatest unit in which their times are whole. */
const units = [1, 1000, 1_000_000, 3_600_000_000] as const;
const wideUnits = units.map(BigInt);
const sink = createSink(4096);

/** Where the first row of a value stands; FAILED_PRECONDITION where a later version wrote it. */
export function startOfRows(value: Buffer): number {
  if (value[0] === valueVersion) return 1;
  throw new FeatureStoreError(
    'FAILED_PRECONDITION',
    `the online store holds a value of version ${value[0]}, which this version of Featherflight does not read; upgrade it`,
    { details: { version: value[0] ?? null } },
  );
}

/** The row that begins at a place; DATA_LOSS where it is damaged. */
export function nextSpan(value: Buffer, start: number): RowSpan {
  if (start + 5 > value.length) throw damaged();
  const schemaId = value.readUInt32LE(start);
  let body = start + 5;
  let length = value[start + 4] as number;
  if (length > 127) {
    const cursor: Cursor = { buffer: value, at: start + 4, end: value.length };
    length = readVarint(cursor);
    body = cursor.at;
  }
  const end = body + length;
  if (!(end <= value.length)) throw damaged();
  return { schemaId, start, body, end };
}

export function readSpans(value: Buffer): RowSpan[] {
  const spans: RowSpan[] = [];
  for (let at = startOfRows(value); at < value.length; ) {
    const span = nextSpan(value, at);
    spans.push(span);
    at = span.end;
  }
  return spans;
}

/** A value of rows, each whole from its schema on. */
export function joinRows(rows: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of(valueVersion), ...rows]);
}

export function encodeTombstone(atUs: bigint): Buffer {
  const row = Buffer.alloc(13);
  row[4] = 8;
  row.writeBigInt64LE(atUs, 5);
  return row;
}

/** The instant of erasure. */
export function readTombstone(value: Buffer, span: RowSpan): bigint {
  if (span.end - span.body !== 8) throw damaged();
  return value.readBigInt64LE(span.body);
}

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

/** Writes rows of one schema. */
export type RowEncoder = (row: OnlineRow) => Buffer;

export function compileRowEncoder(schemaId: number, types: readonly ValueType[]): RowEncoder {
  const writers = types.map(compileValueWriter);
  return ({ pushed, eventUs, createdUs, availableUs, values }) => {
    sink.at = 0;
    const hasNulls = values.includes(null);
    const start = beginRow(sink, schemaId, {
      pushed,
      event: toTime(eventUs),
      created: createdUs === null ? undefined : toTime(createdUs - eventUs),
      available: availableUs === null ? undefined : toTime(availableUs - eventUs),
      hasNulls,
    });
    const nulls = hasNulls ? writeBitmap(sink, writers.length) : 0;
    for (let at = 0; at < writers.length; at++) {
      const value = values[at] as LiteralValue;
      if (value === null) markNull(sink, nulls, at);
      else (writers[at] as ValueWriter)(sink, value);
    }
    endRow(sink, start);
    return takeSink(sink);
  };
}

/** Reads a row's values from where readTimes left off; undefined where a wanted feature is not among those of the row's schema. */
export type ValuesDecoder = (cursor: Cursor, hasNulls: boolean) => (LiteralValue | undefined)[];

/**
 * A decoder of rows of a schema with the types given. `targets` says for each of its features at which place of the result it is wanted,
 * -1 for not at all; the result has `width` places.
 */
export function compileValuesDecoder(types: readonly ValueType[], targets: readonly number[], width: number): ValuesDecoder {
  const readers: readonly ValueReader[] = types.map(compileValueReader);
  const lastWanted = targets.findLastIndex((target) => target >= 0);
  const bitmapBytes = (types.length + 7) >>> 3;
  const isWhole = targets.length === width && targets.every((target, at) => target === at);
  const blank: undefined[] = Array.from({ length: width });
  return (cursor, hasNulls) => {
    const { buffer, at: nulls } = cursor;
    if (hasNulls) cursor.at += bitmapBytes;
    const values: (LiteralValue | undefined)[] = isWhole ? [] : blank.slice();
    for (let at = 0; at <= lastWanted; at++) {
      const isNull = hasNulls && (((buffer[nulls + (at >>> 3)] as number) >>> (at & 7)) & 1) === 1;
      const value = isNull ? null : (readers[at] as ValueReader)(cursor);
      const target = targets[at] as number;
      if (isWhole) values.push(value);
      else if (target >= 0) values[target] = value;
    }
    if (!(cursor.at <= cursor.end)) throw damaged();
    return values;
  };
}

function damaged(): FeatureStoreError {
  return new FeatureStoreError('DATA_LOSS', 'a value of the online store is damaged, or was written by something else');
}

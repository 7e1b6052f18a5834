/**
 * The value of an entity's key: a version byte (1), then its rows one after another, those of one view from the greatest to the least:
 *
 *   schema      4 bytes, least significant first: the number of the row's schema; 0 is a tombstone, 1 is what spilled-row.ts writes
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
import { type Cursor, createSink, readVarint, takeSink } from './bytes.ts';
import { damaged } from './damaged.ts';
import type { OnlineRow } from './row.ts';
import { beginRow, endRow, toTime } from './row-head.ts';
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

export const tombstoneId = 0;

/** Of a row that stands for others, which are in a value of their own (spill/spilled-row.ts). */
export const spilledId = 1;

/** Whether rows of that number have a schema. */
export function isSchemaId(id: number): boolean {
  return id > spilledId;
}

/** With which every value begins. */
export const valueVersion = 1;
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

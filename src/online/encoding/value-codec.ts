/**
 * Values of each type as bytes, without a length or a type of their own; a null is not written, its place in a bitmap says so.
 *
 *   bool                          1 byte, 0 or 1
 *   int32, int64, timestamp       zigzag varint (timestamp: microseconds since the epoch)
 *   date                          zigzag varint of days since 1970-01-01
 *   decimal(p,s)                  zigzag varint of the value times 10^s
 *   float32, float64              4 or 8 bytes, least significant first
 *   string, bytes                 varint length, then the bytes
 *   list(t)                       varint count, bitmap of nulls, then each element that is not null
 *   vector(t,n)                   bitmap of nulls, then each element that is not null
 */
import { formatDay, parseDay } from '../../definitions/day.ts';
import { formatUnscaled } from '../../definitions/decimal.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { formatValueType, type ValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import {
  type Cursor,
  checkEnd,
  readText,
  readVarint,
  readZigzag,
  readZigzagNumber,
  reserve,
  type Sink,
  writeByte,
  writeBytes,
  writeText,
  writeVarint,
  writeZigzag,
} from './bytes.ts';

export type ValueWriter = (sink: Sink, value: NonNullable<LiteralValue>) => void;
export type ValueReader = (cursor: Cursor) => LiteralValue;

/** A writer of values of a type; it throws INVALID_ARGUMENT for a value of another type. */
export function compileValueWriter(type: ValueType): ValueWriter {
  const refuse = (value: LiteralValue) => mismatch(type, value);
  switch (type.kind) {
    case 'bool':
      return (sink, value) => {
        if (typeof value !== 'boolean') throw refuse(value);
        writeByte(sink, value ? 1 : 0);
      };
    case 'int32':
    case 'int64':
    case 'timestamp':
      return integerWriter(type.kind === 'int32' ? 32 : 64, refuse);
    case 'float64':
      return (sink, value) => {
        if (typeof value !== 'number') throw refuse(value);
        reserve(sink, 8);
        sink.at = sink.buffer.writeDoubleLE(oneNaN(value), sink.at);
      };
    case 'float32':
      return (sink, value) => {
        if (typeof value !== 'number') throw refuse(value);
        reserve(sink, 4);
        sink.at = sink.buffer.writeFloatLE(oneNaN(value), sink.at);
      };
    case 'string':
      return (sink, value) => {
        if (typeof value !== 'string') throw refuse(value);
        writeText(sink, value);
      };
    case 'bytes':
      return (sink, value) => {
        if (!(value instanceof Uint8Array)) throw refuse(value);
        writeVarint(sink, value.length);
        writeBytes(sink, value);
      };
    case 'date':
      return (sink, value) => {
        const days = typeof value === 'string' ? parseDay(value) : undefined;
        if (days === undefined) throw refuse(value);
        writeZigzag(sink, days);
      };
    case 'decimal':
      return decimalWriter(type.scale, refuse);
    case 'list': {
      const write = compileValueWriter(type.element);
      return (sink, value) => {
        if (!Array.isArray(value)) throw refuse(value);
        writeVarint(sink, value.length);
        writeSome(sink, value, write);
      };
    }
    case 'vector': {
      const write = compileValueWriter({ kind: type.element });
      return (sink, value) => {
        if (!Array.isArray(value) || value.length !== type.length) throw refuse(value);
        writeSome(sink, value, write);
      };
    }
  }
}

/** The inverse of compileValueWriter. */
export function compileValueReader(type: ValueType): ValueReader {
  switch (type.kind) {
    case 'bool':
      return (cursor) => cursor.buffer[cursor.at++] === 1;
    case 'int32':
      return readZigzagNumber;
    case 'int64':
    case 'timestamp':
      return readZigzag;
    case 'float64':
      return (cursor) => {
        const at = take(cursor, 8);
        return cursor.buffer.readDoubleLE(at);
      };
    case 'float32':
      return (cursor) => {
        const at = take(cursor, 4);
        return cursor.buffer.readFloatLE(at);
      };
    case 'string':
      return readText;
    case 'bytes':
      return (cursor) => {
        const length = readVarint(cursor);
        const at = take(cursor, length);
        return new Uint8Array(cursor.buffer.subarray(at, at + length));
      };
    case 'date':
      return (cursor) => formatDay(readZigzagNumber(cursor));
    case 'decimal': {
      const { scale } = type;
      return (cursor) => formatUnscaled(readZigzag(cursor), scale);
    }
    case 'list': {
      const read = compileValueReader(type.element);
      return (cursor) => readSome(cursor, readVarint(cursor), read);
    }
    case 'vector': {
      const read = compileValueReader({ kind: type.element });
      const { length } = type;
      return (cursor) => readSome(cursor, length, read);
    }
  }
}

/** Of the many bytes that a NaN may have, always the same. */
function oneNaN(value: number): number {
  return Number.isNaN(value) ? Number.NaN : value;
}

/** A bitmap of `count` bits with a bit set where the value is null, then each value that is not. */
export function writeSome(sink: Sink, values: readonly LiteralValue[], write: ValueWriter): void {
  const bitmap = writeBitmap(sink, values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as LiteralValue;
    if (value === null) markNull(sink, bitmap, at);
    else write(sink, value);
  }
}

/** Room for a bitmap without nulls; its place. */
export function writeBitmap(sink: Sink, count: number): number {
  const start = sink.at;
  const bytes = (count + 7) >>> 3;
  reserve(sink, bytes);
  sink.buffer.fill(0, start, start + bytes);
  sink.at += bytes;
  return start;
}

export function markNull(sink: Sink, bitmap: number, position: number): void {
  const at = bitmap + (position >>> 3);
  sink.buffer[at] = (sink.buffer[at] as number) | (1 << (position & 7));
}

function readSome(cursor: Cursor, count: number, read: ValueReader): LiteralValue[] {
  const bitmap = take(cursor, (count + 7) >>> 3);
  const values: LiteralValue[] = [];
  for (let at = 0; at < count; at++) {
    const isNull = ((cursor.buffer[bitmap + (at >>> 3)] as number) >>> (at & 7)) & 1;
    values.push(isNull === 1 ? null : read(cursor));
    checkEnd(cursor);
  }
  return values;
}

function take(cursor: Cursor, bytes: number): number {
  const { at } = cursor;
  cursor.at = at + bytes;
  checkEnd(cursor);
  return at;
}

function integerWriter(bits: 32 | 64, refuse: (value: LiteralValue) => FeatureStoreError): ValueWriter {
  return (sink, value) => {
    if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'bigint') throw refuse(value);
    if (typeof value === 'bigint' || bits === 32) {
      const integer = BigInt(value as bigint | number);
      if (BigInt.asIntN(bits, integer) !== integer) throw refuse(value);
    }
    writeZigzag(sink, value as bigint | number);
  };
}

function decimalWriter(scale: number, refuse: (value: LiteralValue) => FeatureStoreError): ValueWriter {
  return (sink, value) => {
    const found = typeof value === 'string' ? /^(-?\d+)(?:\.(\d+))?$/.exec(value) : null;
    const fraction = found?.[2] ?? '';
    if (found === null || fraction.length !== scale) throw refuse(value);
    writeZigzag(sink, BigInt(`${found[1]}${fraction}`));
  };
}

function mismatch(type: ValueType, value: LiteralValue): FeatureStoreError {
  const what = value instanceof Uint8Array ? 'bytes' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return new FeatureStoreError('INVALID_ARGUMENT', `${what} cannot be stored as ${formatValueType(type)}`, {
    details: { type: formatValueType(type) },
  });
}

/** Bytes written and read in sequence: varints (7 bits a byte, the least first, the last below 128), zigzag, text and floats. */
import { FeatureStoreError } from '../../errors.ts';

/** Bytes that grow at their end. */
export interface Sink {
  buffer: Buffer;
  at: number;
}

/** A place to read at; a read past `end` is found by checkEnd, or refused. */
export interface Cursor {
  buffer: Buffer;
  at: number;
  end: number;
}

const wide = 2 ** 52;
const shortRange = 48;

export function createSink(size = 256): Sink {
  return { buffer: Buffer.allocUnsafe(size), at: 0 };
}

/** The bytes written, copied; the sink begins anew. */
export function takeSink(sink: Sink): Buffer {
  const taken = Buffer.from(sink.buffer.subarray(0, sink.at));
  sink.at = 0;
  return taken;
}

/** A Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Makes room for `extra` bytes after `at`. */
export function reserve(sink: Sink, extra: number): void {
  const needed = sink.at + extra;
  if (needed <= sink.buffer.length) return;
  const larger = Buffer.allocUnsafe(Math.max(needed, 2 * sink.buffer.length));
  sink.buffer.copy(larger, 0, 0, sink.at);
  sink.buffer = larger;
}

export function writeByte(sink: Sink, byte: number): void {
  reserve(sink, 1);
  sink.buffer[sink.at++] = byte;
}

export function writeBytes(sink: Sink, bytes: Uint8Array): void {
  reserve(sink, bytes.length);
  sink.buffer.set(bytes, sink.at);
  sink.at += bytes.length;
}

/** Some bytes of a longer run: a few are copied one by one, as a view of them would cost more. */
export function writeRange(sink: Sink, bytes: Uint8Array, start: number, end: number): void {
  reserve(sink, end - start);
  if (end - start > shortRange) sink.buffer.set(bytes.subarray(start, end), sink.at);
  else for (let at = start; at < end; at++) sink.buffer[sink.at + at - start] = bytes[at] as number;
  sink.at += end - start;
}

/** A whole number from 0 to 2^53. */
export function writeVarint(sink: Sink, value: number): void {
  reserve(sink, 8);
  let rest = value;
  while (rest > 0x7fff_ffff) {
    // A remainder would cost several times as much.
    const above = Math.floor(rest / 128);
    sink.buffer[sink.at++] = rest - above * 128 + 128;
    rest = above;
  }
  while (rest > 127) {
    sink.buffer[sink.at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  sink.buffer[sink.at++] = rest;
}

/** A signed integer of any width: 0, -1, 1, -2, … are written as 0, 1, 2, 3, … */
export function writeZigzag(sink: Sink, value: number | bigint): void {
  const small = Number(value);
  if (small < wide && small > -wide) {
    writeVarint(sink, small < 0 ? -2 * small - 1 : 2 * small);
    return;
  }
  let rest = BigInt(value);
  rest = rest < 0n ? -2n * rest - 1n : 2n * rest;
  reserve(sink, 24);
  while (rest > 127n) {
    sink.buffer[sink.at++] = Number(rest & 127n) | 128;
    rest >>= 7n;
  }
  sink.buffer[sink.at++] = Number(rest);
}

/** A 64-bit integer of its low and high word: a number of at most 52 bits, so that differences are exact too, otherwise a bigint. */
export function joinWords(low: number, high: number): number | bigint {
  if (high < 0x10_0000 && high > -0x10_0000) return high * 0x1_0000_0000 + (low >>> 0);
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** How many bytes a varint takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/** A varint length and the text's UTF-8. */
export function writeText(sink: Sink, text: string): void {
  const length = Buffer.byteLength(text);
  writeVarint(sink, length);
  reserve(sink, length);
  sink.buffer.write(text, sink.at);
  sink.at += length;
}

/** A varint below 2^53. */
export function readVarint(cursor: Cursor): number {
  const { buffer } = cursor;
  let byte = buffer[cursor.at++] as number;
  if (byte < 128) return byte;
  let value = byte & 127;
  let scale = 128;
  do {
    byte = buffer[cursor.at++] as number;
    value += (byte & 127) * scale;
    scale *= 128;
  } while (byte > 127);
  return value;
}

/** A zigzag integer of at most 53 bits. */
export function readZigzagNumber(cursor: Cursor): number {
  const value = readVarint(cursor);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** A zigzag integer of any width. */
export function readZigzag(cursor: Cursor): bigint {
  const { buffer, at } = cursor;
  let last = at;
  while ((buffer[last] as number) > 127) last++;
  if (last - at < 7) return BigInt(readZigzagNumber(cursor));
  if (last >= cursor.end) throw truncated();
  let value = 0n;
  for (let byte = last; byte >= at; byte--) value = (value << 7n) | BigInt((buffer[byte] as number) & 127);
  cursor.at = last + 1;
  return (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n);
}

export function readText(cursor: Cursor): string {
  const length = readVarint(cursor);
  const start = cursor.at;
  cursor.at += length;
  return cursor.buffer.toString('utf8', start, cursor.at);
}

/** DATA_LOSS where more was read than there is. */
export function checkEnd(cursor: Cursor): void {
  if (cursor.at > cursor.end || Number.isNaN(cursor.at)) throw truncated();
}

function truncated(): FeatureStoreError {
  return new FeatureStoreError(
    'DATA_LOSS',
    'a value of the online store ends too early: it was damaged, or written by something else',
  );
}

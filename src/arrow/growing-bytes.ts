/** Bytes that grow at their end, and a bitmap of nulls that exists only once there is one. */
import { bitmapBytes, copyBits, countZeroBits, fillBits, setBit } from './bitmap.ts';
import type { Column } from './column.ts';

export interface GrowingBytes {
  bytes: Uint8Array;
  length: number;
  /** Room to make at once when the bytes start anew: what they came to the last time. */
  expected: number;
}

export function createGrowingBytes(): GrowingBytes {
  return { bytes: new Uint8Array(0), length: 0, expected: 4096 };
}

/** Makes room for `extra` more bytes and answers where they start. */
export function grow(sink: GrowingBytes, extra: number): number {
  const start = sink.length;
  const needed = start + extra;
  if (needed > sink.bytes.byteLength) {
    const larger = new Uint8Array(Math.max(needed, 2 * sink.bytes.byteLength, sink.expected));
    larger.set(sink.bytes.subarray(0, start));
    sink.bytes = larger;
  }
  sink.length = needed;
  return start;
}

/** Hands the bytes over and starts anew. */
export function takeBytes(sink: GrowingBytes): Uint8Array {
  const taken = sink.bytes.subarray(0, sink.length);
  sink.bytes = new Uint8Array(0);
  sink.expected = Math.max(4096, sink.length);
  sink.length = 0;
  return taken;
}

export interface GrowingValidity {
  /** Appends `count` rows whose validity stands in `bitmap` from bit `start` on; undefined where all are valid. */
  append(bitmap: Uint8Array | undefined, start: number, count: number): void;
  take(): Pick<Column, 'length' | 'nullCount' | 'validity'>;
}

export function createGrowingValidity(): GrowingValidity {
  const bits = createGrowingBytes();
  let length = 0;
  let nullCount = 0;
  return {
    append(bitmap, start, count) {
      const nulls = bitmap === undefined ? 0 : countZeroBits(bitmap, start, count);
      if (nulls > 0 || nullCount > 0) {
        grow(bits, bitmapBytes(length + count) - bits.length);
        if (nullCount === 0) fillBits(bits.bytes, 0, length);
        if (nulls > 0) copyBits(bits.bytes, length, bitmap as Uint8Array, start, count);
        else fillBits(bits.bytes, length, count);
      }
      nullCount += nulls;
      length += count;
    },
    take() {
      const taken = { length, nullCount, ...(nullCount > 0 ? { validity: takeBytes(bits) } : {}) };
      length = 0;
      nullCount = 0;
      return taken;
    },
  };
}

/** Bytes that are 0 or 1, appended to a bitmap. */
export function appendBooleans(bits: GrowingBytes, length: number, values: Uint8Array): void {
  grow(bits, bitmapBytes(length + values.length) - bits.length);
  for (let i = 0; i < values.length; i++) if (values[i] === 1) setBit(bits.bytes, length + i);
}

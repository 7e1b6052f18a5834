/** Values that Arrow writes in 16 bytes and DuckDB otherwise: decimals, hugeints, intervals. */
import { FeatureStoreError } from '../errors.ts';
import { getBit } from './bitmap.ts';
import { bytesOf, dataView, int16View, int32View } from './typed-view.ts';

export interface ValueWriter {
  /** Bytes of one value in DuckDB. */
  readonly width: number;
  /** Writes `count` values from row `start` on as four 32-bit words each; words of null rows stay zero. */
  write(bytes: Uint8Array, start: number, count: number, nulls: Uint8Array | undefined, target: Int32Array): void;
}

/** Decimals are integers of 16, 32, 64 or 128 bits in DuckDB, by their precision. */
export function decimalWriter(precision: number): ValueWriter {
  if (precision <= 4)
    return { width: 2, write: (bytes, start, count, nulls, target) => widen(int16View(bytes), start, count, nulls, target) };
  if (precision <= 9)
    return { width: 4, write: (bytes, start, count, nulls, target) => widen(int32View(bytes), start, count, nulls, target) };
  if (precision <= 18) return { width: 8, write: widen64 };
  return { width: 16, write: copy128 };
}

/** Hugeints, with or without sign, as decimals of 38 digits; more digits are OUT_OF_RANGE. */
export function hugeintWriter(name: string, signed: boolean): ValueWriter {
  return {
    width: 16,
    write(bytes, start, count, nulls, target) {
      const view = dataView(bytes);
      for (let i = 0; i < count; i++) {
        const row = start + i;
        if (nulls !== undefined && !getBit(nulls, row)) continue;
        const high = signed ? view.getBigInt64(16 * row + 8, true) : view.getBigUint64(16 * row + 8, true);
        // 10^38 has 127 bits: only what is near it needs the exact comparison.
        if (high < highOfLimit && high > -highOfLimit) continue;
        const value = (high << 64n) | view.getBigUint64(16 * row, true);
        if (value >= limit || value <= -limit) {
          throw new FeatureStoreError(
            'OUT_OF_RANGE',
            `Column "${name}" holds ${value}, which has more than 38 digits; cast it in the source`,
            {
              details: { column: name },
            },
          );
        }
      }
      copy128(bytes, start, count, nulls, target);
    },
  };
}

const limit = 10n ** 38n;
const highOfLimit = limit >> 64n;

/** DuckDB: int32 months, int32 days, int64 microseconds; Arrow: the same with nanoseconds. */
export function intervalWriter(name: string): ValueWriter {
  return {
    width: 16,
    write(bytes, start, count, nulls, target) {
      copy128(bytes, start, count, nulls, target);
      const view = dataView(bytesOf(target));
      for (let i = 0; i < count; i++) {
        const nanoseconds = view.getBigInt64(16 * i + 8, true) * 1000n;
        if (nanoseconds !== BigInt.asIntN(64, nanoseconds)) {
          throw new FeatureStoreError('OUT_OF_RANGE', `Column "${name}" holds an interval whose nanoseconds do not fit 64 bits`, {
            details: { column: name },
          });
        }
        view.setBigInt64(16 * i + 8, nanoseconds, true);
      }
    },
  };
}

function widen(
  values: Int16Array | Int32Array,
  start: number,
  count: number,
  nulls: Uint8Array | undefined,
  target: Int32Array,
): void {
  for (let i = 0; i < count; i++) {
    if (nulls !== undefined && !getBit(nulls, start + i)) continue;
    const value = values[start + i] as number;
    target[4 * i] = value;
    target.fill(value >> 31, 4 * i + 1, 4 * i + 4);
  }
}

function widen64(bytes: Uint8Array, start: number, count: number, nulls: Uint8Array | undefined, target: Int32Array): void {
  const words = int32View(bytes);
  for (let i = 0; i < count; i++) {
    if (nulls !== undefined && !getBit(nulls, start + i)) continue;
    const high = words[2 * (start + i) + 1] as number;
    target[4 * i] = words[2 * (start + i)] as number;
    target[4 * i + 1] = high;
    target[4 * i + 2] = high >> 31;
    target[4 * i + 3] = high >> 31;
  }
}

function copy128(bytes: Uint8Array, start: number, count: number, nulls: Uint8Array | undefined, target: Int32Array): void {
  const words = int32View(bytes);
  target.set(words.subarray(4 * start, 4 * (start + count)));
  if (nulls === undefined) return;
  for (let i = 0; i < count; i++) if (!getBit(nulls, start + i)) target.fill(0, 4 * i, 4 * i + 4);
}

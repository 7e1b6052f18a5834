/** Numbers of fixed width in another width or unit, each exactly or not at all. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import type { ArrowType, TimeUnit } from '../../arrow/schema.ts';
import { bytesOf, dataView, int32View } from '../../arrow/typed-view.ts';
import { decodeFixed, encodeFixed } from '../../arrow/value-codec.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { RestoreValues } from './restore-values.ts';

const perSecond: Readonly<Record<TimeUnit, bigint>> = { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n };
/** DuckDB's `infinity` is this number in every unit, `-infinity` its negative. */
const infinity = 2n ** 63n - 1n;

/** 64-bit counts of one unit as counts of another, in 32 or 64 bits. */
export function scaleCounts(from: TimeUnit, to: TimeUnit, bits: 32 | 64): RestoreValues {
  if (from === to && bits === 64) return (column) => column.buffers;
  const factor = perSecond[to] / perSecond[from] || 1n;
  const divisor = perSecond[from] / perSecond[to] || 1n;
  const limit = 2n ** BigInt(bits - 1);
  return (column, refuse) => {
    const scaled = new DataView(new ArrayBuffer((column.length * bits) / 8));
    const values = viewOf(column);
    for (let row = 0; row < column.length; row++) {
      if (!hasValue(column, row)) continue;
      const value = values.getBigInt64(8 * row, true);
      const isInfinite = value === infinity || value === -infinity;
      const result = isInfinite ? value : (value * factor) / divisor;
      if (result < -limit || result >= limit || (!isInfinite && result * divisor !== value * factor)) refuse();
      if (bits === 32) scaled.setInt32(4 * row, Number(result), true);
      else scaled.setBigInt64(8 * row, result, true);
    }
    return [bytesOf(scaled)];
  };
}

/** Days as milliseconds. */
export const daysToMilliseconds: RestoreValues = (column) => {
  const days = int32View(column.buffers[0] as Uint8Array);
  return [bytesOf(BigInt64Array.from({ length: column.length }, (_, row) => BigInt(days[row] as number) * 86_400_000n))];
};

/** Integers, decimals and floats in another width, where every value has its equal there. */
export function resizeNumbers(from: ArrowType, fromBytes: number, to: ArrowType, toBytes: number): RestoreValues {
  return (column, refuse) => {
    const resized = new DataView(new ArrayBuffer(column.length * toBytes));
    const values = viewOf(column);
    for (let row = 0; row < column.length; row++) {
      if (!hasValue(column, row)) continue;
      try {
        encodeFixed(to, resized, row * toBytes, decodeFixed(from, values, row * fromBytes));
      } catch (error) {
        if (!(error instanceof FeatureStoreError)) throw error;
        refuse();
      }
    }
    return [bytesOf(resized)];
  };
}

function viewOf(column: Column): DataView {
  return dataView(column.buffers[0] as Uint8Array);
}

/** What stands below a null may be any number. */
function hasValue({ nullCount, validity }: Column, row: number): boolean {
  return nullCount === 0 || validity === undefined || getBit(validity, row);
}

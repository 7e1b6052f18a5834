/** The time column of a frame as instants in microseconds (rules 1.1 and 1.3). */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { formatType } from '../../arrow/schema.ts';
import { FeatureStoreError } from '../../errors.ts';
import { floorDivideWords, type Instants, multiplyWords } from '../instants.ts';
import { foldUs, openClock, unclearTimeError } from '../zone.ts';
import { readNulls } from './read-keys.ts';

/** Reads the instants of a column, row 0 of which is row `firstRow` of the whole frame; `timezone` is that of zone-less values. */
export function readTimes(column: Column, name: string, timezone: string | undefined, firstRow: number): Instants {
  const { type } = column.field;
  const nulls = readNulls(column);
  const isTime = type.id === 'timestamp' || type.id === 'date';
  // pandas gives a column without a value any type.
  if (!isTime && (type.id === 'null' || column.nullCount === column.length))
    return { length: column.length, words: new Int32Array(2 * column.length), nulls: new Uint8Array(column.length).fill(1) };
  if (!isTime) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `column "${name}" holds the time of each row but is ${formatType(column.field)}; convert it to a timestamp (pandas: pd.to_datetime(df["${name}"], utc=True))`,
      { details: { column: name, type: formatType(column.field) } },
    );
  }
  const zoned = type.id === 'timestamp' && type.timezone !== undefined && type.timezone !== '';
  if (!zoned && timezone === undefined) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `column "${name}" holds times without a zone, so it is not clear which instants they are; say which with timezone="UTC" (or the IANA zone that they were written in)`,
      { details: { column: name, type: formatType(column.field), option: 'timezone' } },
    );
  }
  const words = toMicroseconds(column, (row) => {
    throw new FeatureStoreError(
      'OUT_OF_RANGE',
      `column "${name}", row ${firstRow + row}: the time lies outside of the years that microseconds can count`,
    );
  });
  if (!zoned) resolveLocal(words, nulls, timezone as string, name, firstRow);
  return { length: column.length, words, nulls };
}

const perUnit = { s: 1_000_000, ms: 1_000, us: 1 } as const;

function toMicroseconds(column: Column, overflow: (row: number) => never): Int32Array {
  const { type } = column.field;
  const data = column.buffers[0] as Uint8Array;
  const valid = (row: number) => column.validity === undefined || getBit(column.validity, row);
  if (type.id === 'date' && type.unit === 'day')
    return daysToMicroseconds(new Int32Array(data.buffer, data.byteOffset, column.length), (row) => valid(row) && overflow(row));
  const words = new Int32Array(data.buffer, data.byteOffset, 2 * column.length);
  const unit = type.id === 'timestamp' ? type.unit : 'ms';
  if (unit === 'ns') return floorDivideWords(words, 1000);
  if (unit === 'us') return words.slice();
  return multiplyWords(words, perUnit[unit], (row) => valid(row) && overflow(row));
}

function daysToMicroseconds(days: Int32Array, overflow: (row: number) => void): Int32Array {
  const us = new BigInt64Array(days.length);
  for (let row = 0; row < days.length; row++) {
    const count = BigInt(days[row] as number) * 86_400_000_000n;
    if (BigInt.asIntN(64, count) !== count) overflow(row);
    us[row] = count;
  }
  return new Int32Array(us.buffer);
}

/** Replaces local times by instants, in place; a local time that is no one instant is refused by name. */
function resolveLocal(words: Int32Array, nulls: Uint8Array | undefined, timezone: string, name: string, firstRow: number): void {
  const values = new BigInt64Array(words.buffer, words.byteOffset, words.length / 2);
  const clock = openClock(timezone);
  for (let row = 0; row < values.length; row++) {
    if (nulls?.[row] === 1) continue;
    const local = values[row] as bigint;
    const { kind, offsetUs } = clock.segmentAt(foldUs(local));
    if (kind !== undefined) {
      const where = `column "${name}", row ${firstRow + row}`;
      throw unclearTimeError(timezone, local, kind, where, 'convert the column to UTC before sending it');
    }
    values[row] = local - offsetUs;
  }
}

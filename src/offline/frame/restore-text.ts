/** Text and bytes in another form: the same bytes behind other offsets. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { dataView, readOffsets, writeOffsets } from '../../arrow/typed-view.ts';
import type { RestoreValues } from './restore-values.ts';

/** Offsets of 32 bits as offsets of 64. */
export const widenOffsets: RestoreValues = (column) => {
  const { offsets, data } = partsOf(column);
  return [writeOffsets(offsets, 8), data];
};

/** Views of 16 bytes: int32 length, then up to 12 bytes in place, or 4 of them, int32 buffer and int32 offset. */
export const toViews: RestoreValues = (column) => {
  const { offsets, data } = partsOf(column);
  const bytes = new Uint8Array(16 * column.length);
  const views = dataView(bytes);
  for (let row = 0; row < column.length; row++) {
    const start = offsets[row] as number;
    const end = offsets[row + 1] as number;
    views.setInt32(16 * row, end - start, true);
    bytes.set(data.subarray(start, Math.min(end, start + (end - start > 12 ? 4 : 12))), 16 * row + 4);
    if (end - start > 12) views.setInt32(16 * row + 12, start, true);
  }
  return [bytes, data];
};

/** Values that are all of one length, one after the other; below a null stand zeros. */
export function toFixedSize(width: number): RestoreValues {
  return (column, refuse) => {
    const { offsets, data } = partsOf(column);
    const packed = new Uint8Array(column.length * width);
    for (let row = 0; row < column.length; row++) {
      if (!hasValue(column, row)) continue;
      const start = offsets[row] as number;
      if ((offsets[row + 1] as number) - start !== width) refuse();
      packed.set(data.subarray(start, start + width), row * width);
    }
    return [packed];
  };
}

/** The 16 bytes of uuids that DuckDB wrote as text. */
export const parseUuids: RestoreValues = (column, refuse) => {
  const { offsets, data } = partsOf(column);
  const packed = new Uint8Array(column.length * 16);
  for (let row = 0; row < column.length; row++) {
    if (!hasValue(column, row)) continue;
    const text = Buffer.from(data.subarray(offsets[row], offsets[row + 1])).toString('latin1');
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) refuse();
    packed.set(Buffer.from(text.replaceAll('-', ''), 'hex'), row * 16);
  }
  return [packed];
};

function partsOf({ buffers }: Column): { offsets: Int32Array; data: Uint8Array } {
  const [offsets, data] = buffers as [Uint8Array, Uint8Array];
  return { offsets: readOffsets(offsets, 4), data };
}

function hasValue({ nullCount, validity }: Column, row: number): boolean {
  return nullCount === 0 || validity === undefined || getBit(validity, row);
}

/** The ends of runs, which are signed integers of 16, 32 or 64 bits. */
import type { Column } from './column.ts';
import { dataView } from './typed-view.ts';

/** One run's end as a number; those beyond 2^53 read as far beyond any row. */
export function readRunEnd(ends: Column, run: number): number {
  const view = dataView(ends.buffers[0] as Uint8Array);
  const bits = ends.field.type.id === 'int' ? ends.field.type.bits : 64;
  if (bits === 16) return view.getInt16(2 * run, true);
  if (bits === 32) return view.getInt32(4 * run, true);
  return Number(view.getBigInt64(8 * run, true));
}

/** Columns in memory whose rows are picked in any order. */
import type { Column } from '../../arrow/column.ts';
import { concatColumns } from '../../arrow/concat.ts';
import { takeColumns } from '../../arrow/take.ts';
import { choosePacked, packRows, takePacked } from './packed-rows.ts';

export interface HeldColumns {
  /** Rows of some columns, by their positions; null where the row is negative. */
  take(columns: readonly number[], rows: Int32Array): Column[];
  /** All rows of a column. */
  whole(column: number): Column;
  readonly bytes: number;
}

/** Holds columns of equal parts: those of fixed width row by row, the others as they are. */
export function holdColumns(columns: readonly (readonly Column[])[]): HeldColumns {
  const chosen = choosePacked(columns);
  const packed = packRows(chosen.map((at) => columns[at] as readonly Column[]));
  const slotOf = new Map(chosen.map((at, slot) => [at, slot]));
  const kept = columns.map((column, at) => (slotOf.has(at) ? undefined : concatColumns(column)));
  const take = (wanted: readonly number[], rows: Int32Array): Column[] => {
    const inRows = wanted.filter((at) => slotOf.has(at));
    const apart = wanted.filter((at) => !slotOf.has(at));
    const slots = inRows.map((at) => slotOf.get(at) as number);
    const taken = new Map<number, Column>();
    for (const [index, column] of takePacked(packed, slots, rows).entries()) taken.set(inRows[index] as number, column);
    const others = takeColumns(
      apart.map((at) => kept[at] as Column),
      rows,
    );
    for (const [index, column] of others.entries()) taken.set(apart[index] as number, column);
    return wanted.map((at) => taken.get(at) as Column);
  };
  const length = columns[0]?.reduce((sum, part) => sum + part.length, 0) ?? 0;
  return {
    take,
    whole: (at) =>
      kept[at] ??
      (take(
        [at],
        Int32Array.from({ length }, (_, row) => row),
      )[0] as Column),
    bytes: kept.reduce((sum, column) => sum + (column === undefined ? 0 : columnBytes(column)), packed.words.byteLength),
  };
}

/** Holds columns of equal parts as they are. */
export function holdApart(columns: readonly (readonly Column[])[]): HeldColumns {
  const kept = columns.map(concatColumns);
  return {
    take: (wanted, rows) =>
      takeColumns(
        wanted.map((at) => kept[at] as Column),
        rows,
      ),
    whole: (at) => kept[at] as Column,
    bytes: kept.reduce((sum, column) => sum + columnBytes(column), 0),
  };
}

/** Memory of a column's buffers. */
export function columnBytes(column: Column): number {
  const own = column.buffers.reduce((sum, buffer) => sum + buffer.byteLength, column.validity?.byteLength ?? 0);
  return column.children.reduce((sum, child) => sum + columnBytes(child), own);
}

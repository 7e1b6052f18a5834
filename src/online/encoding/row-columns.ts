/** Rows straight out of columns, in the bytes that row-codec.ts writes. */
import type { Column } from '../../arrow/column.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { joinWords } from './bytes.ts';
import { beginRow, endRow, type Time, toTime } from './row-head.ts';
import { markNull, writeBitmap } from './value-codec.ts';
import { type ColumnWriter, compileColumnWriter, compileNulls } from './value-columns.ts';

/** Rows that were read from the source. Times are microseconds since the epoch, two words a row, the low one first. */
export interface RowColumns {
  readonly event: Int32Array;
  readonly created?: Int32Array;
  /** 1 where a row has no created timestamp. */
  readonly createdNulls?: Uint8Array;
  readonly available?: Int32Array;
  /** One a feature, in the order of the row's schema. */
  readonly values: readonly Column[];
}

/** A writer of rows of one schema. */
export function compileRowWriter(schemaId: number, types: readonly ValueType[], columns: RowColumns): ColumnWriter {
  const { event, created, createdNulls, available, values } = columns;
  const writers = types.map((type, at) => compileColumnWriter(type, values[at] as Column));
  const nulls = values.map(compileNulls);
  const nullable = [...nulls.keys()].filter((at) => nulls[at] !== undefined);
  const isNull = (at: number, row: number) => nulls[at]?.(row) === true;
  const hasNulls = (row: number) => {
    for (let index = 0; index < nullable.length; index++) if (isNull(nullable[index] as number, row)) return true;
    return false;
  };
  return (sink, row) => {
    const withNulls = hasNulls(row);
    const start = beginRow(sink, schemaId, {
      pushed: false,
      event: timeAt(event, row),
      created: created === undefined || createdNulls?.[row] === 1 ? undefined : distanceAt(created, event, row),
      available: available === undefined ? undefined : distanceAt(available, event, row),
      hasNulls: withNulls,
    });
    if (!withNulls) {
      for (let at = 0; at < writers.length; at++) (writers[at] as ColumnWriter)(sink, row);
    } else {
      const bitmap = writeBitmap(sink, writers.length);
      for (let at = 0; at < writers.length; at++) {
        if (isNull(at, row)) markNull(sink, bitmap, at);
        else (writers[at] as ColumnWriter)(sink, row);
      }
    }
    endRow(sink, start);
  };
}

function timeAt(words: Int32Array, row: number): Time {
  return joinWords(words[2 * row] as number, words[2 * row + 1] as number);
}

function distanceAt(words: Int32Array, from: Int32Array, row: number): Time {
  const time = timeAt(words, row);
  const event = timeAt(from, row);
  return typeof time === 'number' && typeof event === 'number' ? time - event : toTime(BigInt(time) - BigInt(event));
}

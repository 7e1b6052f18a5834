/** Events of a stream view as columns of plain values. */
import type { Column } from '../../arrow/column.ts';
import { type Field, field } from '../../arrow/schema.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import type { ViewDocument } from '../../registry/document.ts';
import { type EventView, eventViewOf } from '../../registry/event-view.ts';
import { featureField } from '../feature-field.ts';
import { readLiterals } from '../literal-column.ts';

export interface EventColumns {
  readonly count: number;
  /** By key of the view, none of them null. */
  readonly keys: readonly (readonly LiteralValue[])[];
  /** Microseconds. */
  readonly timesUs: readonly bigint[];
  /** By expression of `eventViewOf(view)`. */
  readonly values: readonly (readonly LiteralValue[])[];
}

/** The columns of a query over events: keys, the time in microseconds, expressions. */
export function eventFields(view: ViewDocument): readonly Field[] {
  return [
    ...keyTypes(view).map((type, at) => featureField(`k${at}`, type)),
    field('event', { id: 'int', bits: 64, signed: true }),
    ...valueTypes(view).map((type, at) => featureField(`f${at}`, type)),
  ];
}

/** Columns of such a query as plain values. */
export function readEventColumns(view: ViewDocument, columns: readonly Column[]): EventColumns {
  const keys = keyTypes(view);
  const values = valueTypes(view);
  const times = columns[keys.length] as Column;
  const read = (type: ValueType, at: number) => readLiterals(columns[at] as Column, type, 0, times.length);
  return {
    count: times.length,
    keys: keys.map(read),
    timesUs: Array.from(int64Of(times)),
    values: values.map((type, at) => read(type, keys.length + 1 + at)),
  };
}

/** The values of a column of 64-bit integers without nulls. */
function int64Of({ buffers: [data], length }: Column): BigInt64Array {
  const { buffer, byteOffset } = data as Uint8Array;
  return new BigInt64Array(buffer, byteOffset, length);
}

function keyTypes({ keys }: ViewDocument): ValueType[] {
  return keys.map(({ type }) => ({ kind: type }));
}

function valueTypes(view: ViewDocument): readonly ValueType[] {
  const { expressions }: EventView = eventViewOf(view);
  return expressions.map(({ type }) => type);
}

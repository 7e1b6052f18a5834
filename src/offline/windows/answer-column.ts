/** The answer of an aggregate for the rows of a frame, put together bucket by bucket: from the order of key and time back to the frame's. */
import { bitmapBytes } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { interleaveColumns } from '../../arrow/interleave.ts';
import { layoutOf } from '../../arrow/layout.ts';
import type { Field } from '../../arrow/schema.ts';
import { takeColumn } from '../../arrow/take.ts';
import { bytesOf, int32View, writeOffsets } from '../../arrow/typed-view.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { FeatureDocument } from '../../registry/document.ts';
import { featureField } from '../feature-field.ts';
import { literalColumn } from '../literal-column.ts';
import type { Evaluated } from './evaluated.ts';

/** Where the rows of a frame went: which bucket, counted from the first that has any, and which place there. */
export interface FramePlaces {
  readonly which: Uint8Array;
  readonly places: Int32Array;
  /** 1 where a row has no answer, whatever stands at its place. */
  readonly absent: Uint8Array;
}

export interface AnswerColumn {
  /** Puts what a bucket gives; `order` is the frame's row at each place, `column` holds the values of the events that are named by row. */
  put(evaluated: Evaluated, order: Int32Array, column: Column | undefined): void;
  finish(): Column;
}

export function openAnswer({ name, type: text }: Pick<FeatureDocument, 'name' | 'type'>, frame: FramePlaces): AnswerColumn {
  const type = parseValueType(text);
  const field = featureField(name, type);
  const layout = layoutOf(field);
  if (layout.kind === 'fixed' && layout.bytes === 8) return placeWords(field, 2, frame);
  if (layout.kind === 'fixed' && layout.bytes === 4) return placeWords(field, 1, frame);
  return collectParts(field, type, frame);
}

/** Values of one word or two go to their rows at once. */
function placeWords(field: Field, width: 1 | 2, { absent }: FramePlaces): AnswerColumn {
  const { length } = absent;
  const words = new Int32Array(width * length);
  const validity = new Uint8Array(bitmapBytes(length));
  let present = 0;
  /** `rows` says where each value stands, negative for null; without it each stands at its place. */
  const place = (values: Int32Array, rows: Int32Array | undefined, nulls: Uint8Array | undefined, order: Int32Array) => {
    for (let at = 0; at < order.length; at++) {
      const row = order[at] as number;
      const from = rows === undefined ? at : (rows[at] as number);
      if (from < 0 || absent[row] === 1 || (nulls !== undefined && nulls[at] === 1)) continue;
      words[width * row] = values[width * from] as number;
      if (width === 2) words[2 * row + 1] = values[2 * from + 1] as number;
      validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7));
      present += 1;
    }
  };
  return {
    put(evaluated, order, column) {
      if (evaluated.kind === 'numbers') place(int32View(bytesOf(evaluated.numbers)), undefined, evaluated.nulls, order);
      if (evaluated.kind === 'events')
        place(int32View((column as Column).buffers[0] as Uint8Array), evaluated.rows, undefined, order);
    },
    finish() {
      const nullCount = length - present;
      const made = { field, length, nullCount, buffers: [bytesOf(words)], children: [] };
      return withoutSigns(nullCount === 0 ? made : { ...made, validity });
    },
  };
}

/** Others are put together once all are known. */
function collectParts(field: Field, type: ValueType, { which, places, absent }: FramePlaces): AnswerColumn {
  const parts: Column[] = [];
  return {
    put(evaluated, _, column) {
      parts.push(partOf(field, type, evaluated, column));
    },
    finish() {
      if (parts.length === 0) return literalColumn(field.name, type, []);
      const wanted = places.slice();
      for (let row = 0; row < wanted.length; row++) if (absent[row] === 1) wanted[row] = -1;
      const whole = parts.length === 1 ? takeColumn(parts[0] as Column, wanted) : interleaveColumns(parts, which, wanted);
      return withoutSigns(whole);
    },
  };
}

/** In the order of places. */
function partOf(field: Field, type: ValueType, evaluated: Evaluated, column: Column | undefined): Column {
  switch (evaluated.kind) {
    case 'events':
      return { ...takeColumn(column as Column, evaluated.rows), field };
    case 'lists': {
      const items = { ...takeColumn(column as Column, evaluated.rows), field: field.children[0] as Field };
      return listsOf(field, evaluated.ends, items);
    }
    case 'literals':
      return literalColumn(field.name, type, evaluated.literals);
    case 'numbers':
      return literalColumn(field.name, type, Array.from<number | bigint>(evaluated.numbers as ArrayLike<number | bigint>));
  }
}

/** A list without items is null. */
function listsOf(field: Field, ends: Int32Array, items: Column): Column {
  const { length } = ends;
  const offsets = new Int32Array(length + 1);
  offsets.set(ends, 1);
  const validity = new Uint8Array(bitmapBytes(length));
  let nullCount = 0;
  for (let at = 0; at < length; at++) {
    if (offsets[at + 1] === offsets[at]) nullCount += 1;
    else validity[at >> 3] = (validity[at >> 3] as number) | (1 << (at & 7));
  }
  const made = { field, length, nullCount, buffers: [writeOffsets(offsets, 4)], children: [items] };
  return nullCount === 0 ? made : { ...made, validity };
}

/** Zeros without a sign, in values that nobody else holds. */
function withoutSigns(column: Column): Column {
  const { type } = column.field;
  if (type.id === 'float' && layoutOf(column.field).kind === 'fixed') {
    const data = column.buffers[0] as Uint8Array;
    const numbers =
      type.bits === 64
        ? new Float64Array(data.buffer, data.byteOffset, column.length)
        : new Float32Array(data.buffer, data.byteOffset, column.length);
    for (let at = 0; at < numbers.length; at++) if (numbers[at] === 0) numbers[at] = 0;
  }
  for (const child of column.children) withoutSigns(child);
  return column;
}

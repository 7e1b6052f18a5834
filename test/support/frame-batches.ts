/** A scenario's frame as Arrow batches, in memory or over the wire, as the engine meets them. */
import { columnFromValues } from '../../src/arrow/build.ts';
import type { Column } from '../../src/arrow/column.ts';
import { decodeDictionaryColumn } from '../../src/arrow/plain.ts';
import { decodeRecordBatch, encodeRecordBatch } from '../../src/arrow/record-batch.ts';
import type { Field, Schema } from '../../src/arrow/schema.ts';
import type { FrameBatch } from '../../src/offline/answer/answer.ts';
import type { FrameColumn, Scenario } from './scenario.ts';

export function frameSchema({ frame }: Scenario): Schema {
  return { fields: frame.columns.map(({ field }) => field), metadata: new Map() };
}

/** Batches of at most `batchRows` rows, encoded and decoded again; a frame without rows is one empty batch. */
export async function* frameBatches(scenario: Scenario): AsyncGenerator<FrameBatch, void> {
  const { rows, columns, batchRows } = scenario.frame;
  for (let start = 0; start === 0 || start < rows; start += batchRows) {
    const length = Math.min(batchRows, rows - start);
    const built = columns.map((column) => buildColumn(column, start, length));
    const { header, body } = encodeRecordBatch({ schema: frameSchema(scenario), length, columns: built });
    const decoded = decodeRecordBatch(frameSchema(scenario), header, new Uint8Array(Buffer.concat(body))).columns;
    yield { columns: decoded, length, plain: (index) => plainColumn(columns[index] as FrameColumn, decoded[index] as Column) };
  }
}

function buildColumn({ field, values, dictionary }: FrameColumn, start: number, length: number): Column {
  const part = values.slice(start, start + length);
  if (dictionary === undefined) return columnFromValues(field, part);
  const index = (value: unknown) => dictionary.findIndex((entry) => sameBytes(entry, value));
  return columnFromValues(
    field,
    part.map((value) => (index(value) < 0 ? null : field.dictionary?.indexBits === 64 ? BigInt(index(value)) : index(value))),
  );
}

function plainColumn({ field, dictionary }: FrameColumn, column: Column): Column {
  if (dictionary === undefined) return column;
  const plain: Field = { ...field, dictionary: undefined };
  return decodeDictionaryColumn(column, columnFromValues(plain, dictionary));
}

function sameBytes(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return Object.is(a, b);
}

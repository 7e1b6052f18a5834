/** Entity frames as they come in, message by message: batches to answer, and the dictionaries that go before them. */
import { columnFromValues } from '../arrow/build.ts';
import type { Column } from '../arrow/column.ts';
import { concatColumns } from '../arrow/concat.ts';
import { peekMessage } from '../arrow/message.ts';
import { decodeDictionaryColumn } from '../arrow/plain.ts';
import { decodeDictionaryBatch, decodeRecordBatch, dictionaryValues, encodeDictionaryBatch } from '../arrow/record-batch.ts';
import type { Field, Schema } from '../arrow/schema.ts';
import { sliceColumn } from '../arrow/slice.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FrameBatch } from '../offline/answer/answer.ts';

/** An Arrow IPC message: header without prefix, and body. */
export interface IpcMessage {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** A batch of the frame, and the dictionary messages that must be sent on before its answer. */
export interface SentBatch extends FrameBatch {
  readonly before: readonly IpcMessage[];
}

/**
 * Reads the messages that follow a schema; batches of more than `maxRows` come in slices, and a frame without any as an empty one. The columns are views of
 * the messages' bodies.
 */
export async function* readFrameBatches(
  schema: Schema,
  messages: AsyncIterable<IpcMessage>,
  maxRows: number,
): AsyncGenerator<SentBatch, void> {
  const dictionaries = new Map<bigint, Column>();
  let before: IpcMessage[] = [];
  let any = false;
  for await (const message of messages) {
    const { kind } = peekMessage(message.header);
    if (kind === 'schema')
      throw new FeatureStoreError('INVALID_ARGUMENT', 'the frame has a second schema; send one schema and then its batches');
    if (kind === 'dictionaryBatch') {
      const { id, isDelta, values } = decodeDictionaryBatch(schema, message.header, message.body);
      const known = dictionaries.get(id);
      dictionaries.set(id, isDelta && known !== undefined ? concatColumns([known, values]) : values);
      before.push(message);
      continue;
    }
    const { length, columns } = decodeRecordBatch(schema, message.header, message.body);
    const pieces = Math.max(1, Math.ceil(length / maxRows));
    any = true;
    for (let piece = 0; piece < pieces; piece++) {
      const start = piece * maxRows;
      const end = pieces === 1 ? length : Math.min(length, start + maxRows);
      const part = pieces === 1 ? columns : columns.map((column) => sliceColumn(column, start, end));
      yield { columns: part, length: end - start, before, plain: plainReader(part, new Map(dictionaries)) };
      before = [];
    }
  }
  if (!any) yield emptyBatch(schema, before, dictionaries);
}

/** What stands for a frame without rows; a reader wants every dictionary of the schema before the first batch, were it empty. */
function emptyBatch(schema: Schema, before: readonly IpcMessage[], known: ReadonlyMap<bigint, Column>): SentBatch {
  const dictionaries = new Map(known);
  const missing: IpcMessage[] = [];
  for (const field of listDictionaryFields(schema.fields)) {
    const id = (field.dictionary as { id: bigint }).id;
    if (dictionaries.has(id)) continue;
    const values = columnFromValues(dictionaryValues(field), []);
    dictionaries.set(id, values);
    const { header, body } = encodeDictionaryBatch({ id, isDelta: false, values });
    missing.push({ header, body: Buffer.concat(body) });
  }
  const columns = schema.fields.map((field) => columnFromValues(field, []));
  return { columns, length: 0, before: [...before, ...missing], plain: plainReader(columns, dictionaries) };
}

function listDictionaryFields(fields: readonly Field[]): Field[] {
  return fields.flatMap((field) => [...(field.dictionary === undefined ? [] : [field]), ...listDictionaryFields(field.children)]);
}

/** Columns with their dictionaries resolved, each at most once. */
export function plainReader(columns: readonly Column[], dictionaries: ReadonlyMap<bigint, Column>): (index: number) => Column {
  const resolved = new Map<number, Column>();
  return (index) => {
    const column = columns[index] as Column;
    const { dictionary, name } = column.field;
    if (dictionary === undefined) return column;
    let plain = resolved.get(index);
    if (plain === undefined) {
      const values = dictionaries.get(dictionary.id);
      if (values === undefined)
        throw new FeatureStoreError('INVALID_ARGUMENT', `the dictionary of column "${name}" did not come before its batch`);
      plain = decodeDictionaryColumn(column, values);
      resolved.set(index, plain);
    }
    return plain;
  };
}

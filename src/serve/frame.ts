/** Entity frames as they come in, message by message: batches to answer, and the dictionaries that go before them. */
import { columnFromValues } from '../arrow/build.ts';
import type { Column } from '../arrow/column.ts';
import { addDictionary, type Dictionaries } from '../arrow/dictionaries.ts';
import { changedDictionaries, completeDictionaries } from '../arrow/dictionary-changes.ts';
import { peekMessage } from '../arrow/message.ts';
import { decodeDictionaryColumn } from '../arrow/plain.ts';
import { type DictionaryBatch, decodeDictionaryBatch, decodeRecordBatch, encodeDictionaryBatch } from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import { sliceColumn } from '../arrow/slice.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FrameBatch } from '../offline/answer/answer.ts';
import { maxUnfoldedBytes } from './frame-size.ts';
import type { IpcMessage } from './ipc-message.ts';

/** A batch of the frame, and the dictionary messages that must be sent on before its answer. */
export interface SentBatch extends FrameBatch {
  readonly before: readonly IpcMessage[];
  /** To be called, if at all, when the columns are read no more, the answer that holds them included: their memory is used again. */
  readonly release?: (() => void) | undefined;
}

/**
 * Reads the messages that follow a schema; batches of more than `maxRows` come in slices, and a frame without any as an empty one. The
 * columns are views of the messages' bodies. `awaitsMore` says whether the next message is still to come; default false.
 */
export async function* readFrameBatches(
  schema: Schema,
  messages: AsyncIterable<IpcMessage>,
  maxRows: number,
  awaitsMore: () => boolean = () => false,
): AsyncGenerator<SentBatch, void> {
  let dictionaries: Dictionaries = new Map();
  let before: IpcMessage[] = [];
  let any = false;
  for await (const message of messages) {
    const { kind } = peekMessage(message.header);
    if (kind === 'schema')
      throw new FeatureStoreError('INVALID_ARGUMENT', 'the frame has a second schema; send one schema and then its batches');
    if (kind === 'dictionaryBatch') {
      dictionaries = addDictionary(dictionaries, decodeDictionaryBatch(schema, message.header, message.body, limits));
      before.push(message);
      continue;
    }
    const { length, columns } = decodeRecordBatch(schema, message.header, message.body, limits);
    const pieces = Math.max(1, Math.ceil(length / maxRows));
    any = true;
    for (let piece = 0; piece < pieces; piece++) {
      const start = piece * maxRows;
      const end = pieces === 1 ? length : Math.min(length, start + maxRows);
      const part = pieces === 1 ? columns : columns.map((column) => sliceColumn(column, start, end));
      const isLast = piece === pieces - 1;
      yield {
        columns: part,
        length: end - start,
        before,
        plain: plainReader(part, dictionaries),
        isLastSent: isLast && awaitsMore(),
        release: isLast ? message.release : undefined,
      };
      before = [];
    }
  }
  if (!any) yield emptyBatch(schema, before, dictionaries);
}

const limits = { maxDecodedBytes: maxUnfoldedBytes };

/** What stands for a frame without rows. */
function emptyBatch(schema: Schema, before: readonly IpcMessage[], known: Dictionaries): SentBatch {
  const dictionaries = completeDictionaries(schema, known);
  const columns = schema.fields.map((field) => columnFromValues(field, []));
  const missing = encodeDictionaries(changedDictionaries(schema, known, dictionaries));
  return { columns, length: 0, before: [...before, ...missing], plain: plainReader(columns, dictionaries) };
}

/** Dictionaries as the messages that carry them. */
export function encodeDictionaries(dictionaries: readonly DictionaryBatch[]): IpcMessage[] {
  return dictionaries.map((dictionary) => {
    const { header, body } = encodeDictionaryBatch(dictionary);
    return { header, body: Buffer.concat(body) };
  });
}

/** Columns with their dictionaries resolved, each at most once. */
export function plainReader(columns: readonly Column[], dictionaries: Dictionaries): (index: number) => Column {
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

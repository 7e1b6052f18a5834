/** Answers into files by extension, or as text to standard output: a file is there whole or not at all. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Column } from '../arrow/column.ts';
import type { Dictionaries } from '../arrow/dictionaries.ts';
import { changedDictionaries } from '../arrow/dictionary-changes.ts';
import { createArrowFile } from '../arrow/file-writer.ts';
import { jsonForm, valueFormat } from '../arrow/format-value.ts';
import { readValue } from '../arrow/read-value.ts';
import type { Field, Schema } from '../arrow/schema.ts';
import { FeatureStoreError } from '../errors.ts';
import { createParquetFile } from '../offline/duckdb/write-parquet.ts';
import { arrowExtensions } from '../offline/frame/open-frame-file.ts';

/** A batch of the answer: its columns as they are, and with dictionaries resolved. */
export interface AnswerBatch {
  readonly length: number;
  readonly columns: readonly Column[];
  readonly dictionaries: Dictionaries;
  plain(index: number): Column;
}

export interface AnswerWriter {
  write(batch: AnswerBatch): Promise<void>;
  /** Puts the file in its place. */
  finish(): Promise<void>;
  /** Removes what was begun; harmless after finish. */
  abandon(): Promise<void>;
}

type Write = (text: string) => Promise<void>;

const fileExtensions = ['.parquet', '.csv', '.jsonl', ...arrowExtensions];

/** Whether answers can be written to a file of this name. */
export function isAnswerPath(path: string): boolean {
  return fileExtensions.includes(extname(path).toLowerCase());
}

/** The extensions, for messages. */
export const answerExtensions: string = fileExtensions.join(', ');

/** Opens the writer for a path that isAnswerPath takes. */
export async function createAnswerFile(path: string, directory: string, schema: Schema): Promise<AnswerWriter> {
  const target = resolve(directory, path);
  const extension = extname(target).toLowerCase();
  const draft = `${target}.${process.pid}.draft`;
  const open = () => {
    if (extension === '.parquet') return parquetWriter(draft, schema);
    if (arrowExtensions.includes(extension)) return arrowWriter(draft, schema, extension === '.arrows' ? 'stream' : 'file');
    return textFileWriter(draft, schema, extension === '.csv' ? 'csv' : 'jsonl');
  };
  const inner = await open().catch(async (error: unknown) => {
    await rm(draft, { force: true });
    throw asFileError(error, path);
  });
  return {
    write: (batch) => inner.write(batch).catch((error: unknown) => Promise.reject(asFileError(error, path))),
    async finish() {
      await inner.finish().catch((error: unknown) => Promise.reject(asFileError(error, path)));
      await rename(draft, target);
    },
    async abandon() {
      await inner.abandon();
      await rm(draft, { force: true });
    },
  };
}

/** The system's own errors (no such folder, no rights, disk full) are the user's to mend; all others stay themselves. */
function asFileError(error: unknown, path: string): unknown {
  if (error instanceof FeatureStoreError || !(error instanceof Error) || !('syscall' in error)) return error;
  return new FeatureStoreError('FAILED_PRECONDITION', `"${path}" cannot be written: ${error.message}`, {
    details: { path },
    cause: error,
  });
}

/** CSV with a heading, or one JSON document a line. */
export function createTextWriter(schema: Schema, format: 'csv' | 'jsonl', write: Write): AnswerWriter {
  const fields = schema.fields.map(plainField);
  const line = format === 'csv' ? csvLine(fields) : jsonLine(fields);
  let begun = format === 'jsonl';
  const begin = async () => {
    if (!begun) await write(`${fields.map((field) => quoteCsv(field.name)).join(',')}\n`);
    begun = true;
  };
  return {
    async write(batch) {
      await begin();
      const columns = fields.map((_, index) => batch.plain(index));
      let text = '';
      for (let row = 0; row < batch.length; row++) text += line(columns, row);
      if (text !== '') await write(text);
    },
    finish: begin,
    abandon: async () => {},
  };
}

/** Null is the empty field, the empty text is written as "". */
function csvLine(fields: readonly Field[]): (columns: readonly Column[], row: number) => string {
  const formats = fields.map(valueFormat);
  return (columns, row) => {
    const cells = columns.map((column, index) => {
      const value = readValue(column, row);
      return value === null ? '' : quoteCsv(formats[index]?.(value) as string);
    });
    return `${cells.join(',')}\n`;
  };
}

function quoteCsv(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonLine(fields: readonly Field[]): (columns: readonly Column[], row: number) => string {
  const forms = fields.map(jsonForm);
  return (columns, row) => {
    const members = columns.map((column, index) => {
      const value = readValue(column, row);
      return [fields[index]?.name, value === null ? null : forms[index]?.(value)] as const;
    });
    return `${JSON.stringify(Object.fromEntries(members))}\n`;
  };
}

async function textFileWriter(path: string, schema: Schema, format: 'csv' | 'jsonl'): Promise<AnswerWriter> {
  const stream = createWriteStream(path);
  await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject));
  const writer = createTextWriter(schema, format, (text) => writeTo(stream, text));
  return {
    write: writer.write,
    async finish() {
      await writer.finish();
      stream.end();
      await finished(stream);
    },
    async abandon() {
      stream.destroy();
    },
  };
}

function writeTo(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

async function parquetWriter(path: string, schema: Schema): Promise<AnswerWriter> {
  const fields = schema.fields.map(plainField);
  const spillDirectory = `${path}.spill`;
  const file = await createParquetFile(path, fields, { memory: '512MB', spillDirectory });
  const clear = () => rm(spillDirectory, { recursive: true, force: true });
  return {
    write: (batch) => file.write(fields.map((_, index) => batch.plain(index))),
    async finish() {
      await file.finish();
      await clear();
    },
    async abandon() {
      file.close();
      await clear();
    },
  };
}

async function arrowWriter(path: string, schema: Schema, format: 'file' | 'stream'): Promise<AnswerWriter> {
  const file = await createArrowFile(path, schema, { format });
  let written: Dictionaries = new Map();
  return {
    async write({ length, columns, dictionaries }) {
      for (const change of changedDictionaries(schema, written, dictionaries)) {
        if (format === 'file' && written.has(change.id)) throw replacedDictionaryError();
        await file.writeDictionary(change);
      }
      written = dictionaries;
      await file.write({ schema, length, columns });
    },
    finish: () => file.finish(),
    abandon: () => file.close(),
  };
}

/** A reader of a file takes all dictionaries before the first batch. */
function replacedDictionaryError(): FeatureStoreError {
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    'the entity frame has a dictionary that changes between batches, which an Arrow file cannot hold; write a stream (.arrows)',
  );
}

function plainField(field: Field): Field {
  const { dictionary, ...plain } = field;
  return plain;
}

/** The rows of a file as a push carries them: JSON values that fit the columns of their source, in parts of one length. */
import { realpath } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { jsonForm } from '../arrow/format-value.ts';
import { readValue } from '../arrow/read-value.ts';
import { type Field, field } from '../arrow/schema.ts';
import { FeatureStoreError } from '../errors.ts';
import { type JsonValue, parseJson } from '../json/parse-json.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import { readColumns } from '../offline/duckdb/read-columns.ts';
import { quoteFiles } from '../offline/duckdb/sql.ts';
import { openEntityFrame } from './entity-frame.ts';

export type Columns = Readonly<Record<string, readonly unknown[]>>;

export interface RowsFile {
  readonly path: string;
  /** What the path is relative to. */
  readonly directory: string;
  /** Name of a column of the source -> its type, as DuckDB writes it. */
  readonly types: Readonly<Record<string, string>>;
  /** Rows of a part; the last one has fewer. */
  readonly partRows: number;
}

const blockRows = 65_536;
const maxJsonDepth = 64;

/**
 * Reads CSV and JSON as their text says, never as a guess makes of it: by the column's type `008` is text or a number. Parquet and
 * Arrow files have types of their own. NOT_FOUND where there is no such file, INVALID_ARGUMENT where it cannot be read.
 */
export async function* readPushedRows(engine: Engine, file: RowsFile, signal: AbortSignal): AsyncGenerator<Columns, void> {
  const blocks = { '.csv': readCsv, '.json': readJson, '.jsonl': readJson }[extname(file.path).toLowerCase()] ?? readTyped;
  let rest: Columns = {};
  for await (const block of blocks(engine, file, signal)) {
    rest = append(rest, block);
    for (; lengthOf(rest) >= file.partRows; rest = slice(rest, file.partRows)) yield slice(rest, 0, file.partRows);
  }
  if (lengthOf(rest) > 0) yield rest;
}

/** Null is the empty field, and `""` the empty text. */
const csvOptions = `all_varchar = true, header = true, allow_quoted_nulls = false, quote = '"', escape = '"'`;

async function* readCsv(engine: Engine, file: RowsFile, signal: AbortSignal): AsyncGenerator<Columns> {
  const from = `read_csv(${quoteFiles([await findFile(file)])}, ${csvOptions})`;
  const names = await engine.session(signal, async (session) => await session.describe(`select * from ${from}`));
  const readers = names.map(({ name }) => textReader(file.types[name]));
  const fields = names.map(({ name }) => textField(name));
  for await (const block of readText(engine, `select * from ${from}`, fields, signal)) {
    yield Object.fromEntries(
      block.map((values, at) => [fields[at]?.name, values.map((text) => (text === null ? null : readers[at]?.(text)))]),
    );
  }
}

async function* readJson(engine: Engine, file: RowsFile, signal: AbortSignal): AsyncGenerator<Columns> {
  const isFloat = (name: string) => ['DOUBLE', 'FLOAT'].includes(file.types[name] ?? '');
  const from = `read_json_objects(${quoteFiles([await findFile(file)])}, format = 'auto')`;
  for await (const [texts = []] of readText(engine, `select cast(json as varchar) from ${from}`, [textField('json')], signal)) {
    const rows = texts.map((text) => parseJson(Buffer.from(text as string), maxJsonDepth) as Readonly<Record<string, JsonValue>>);
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const read = (name: string) => (row: (typeof rows)[number]) => {
      const value = row[name] ?? null;
      return typeof value === 'bigint' && isFloat(name) ? Number(value) : value;
    };
    yield Object.fromEntries(names.map((name) => [name, rows.map(read(name))]));
  }
}

async function* readTyped(engine: Engine, { path, directory, types }: RowsFile, signal: AbortSignal): AsyncGenerator<Columns> {
  const { schema, batches } = await openEntityFrame(engine, path, directory);
  const forms = schema.fields.map((each) => valueReader(each, types[each.name]));
  for await (const { plain, length } of batches(signal)) {
    yield Object.fromEntries(
      schema.fields.map(({ name }, at) => {
        const column = plain(at);
        const values = Array.from({ length }, (_, row) => readValue(column, row));
        return [name, values.map((value) => (value === null ? null : forms[at]?.(value)))];
      }),
    );
  }
}

async function findFile({ path, directory }: RowsFile): Promise<string> {
  return await realpath(resolve(directory, path)).catch((cause: unknown) => {
    throw new FeatureStoreError('NOT_FOUND', `there is no file "${path}"`, { details: { path }, cause });
  });
}

async function* readText(engine: Engine, sql: string, fields: readonly Field[], signal: AbortSignal) {
  const session = await engine.openSession(signal);
  try {
    for await (const columns of readColumns(session, sql, fields, blockRows)) {
      yield columns.map((column) => Array.from({ length: column.length }, (_, row) => readValue(column, row) as string | null));
    }
  } finally {
    session.close();
  }
}

function textField(name: string): Field {
  return field(name, { id: 'utf8' });
}

const numeric = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const truths: Readonly<Record<string, boolean>> = { true: true, false: false };

/** Text as a value of a column's type; what is none stays text, which the push then refuses by column and row. */
function textReader(type: string | undefined): (text: string) => unknown {
  if (type === undefined) return (text) => text;
  if (type.endsWith(']')) return readList;
  if (type === 'DOUBLE' || type === 'FLOAT') return readNumber;
  if (type === 'BOOLEAN') return (text) => truths[text.toLowerCase()] ?? text;
  return (text) => text;
}

function readNumber(text: string): number | string {
  const number = Number(text);
  if (!numeric.test(text) || !Number.isFinite(number)) return text;
  return /^[-+]?\d+$/.test(text) && BigInt(number) !== BigInt(text) ? text : number;
}

function readList(text: string): unknown {
  try {
    return parseJson(Buffer.from(text), maxJsonDepth);
  } catch {
    return text;
  }
}

/** Whole numbers and decimals, which are text in JSON, may also be values of a column of floats. */
function valueReader(from: Field, type: string | undefined): (value: unknown) => unknown {
  const form = jsonForm(from);
  if (from.type.id !== 'int' && from.type.id !== 'decimal') return form;
  const read = textReader(type);
  return (value) => {
    const written = form(value);
    return typeof written === 'string' ? read(written) : written;
  };
}

function lengthOf(columns: Columns): number {
  return Object.values(columns)[0]?.length ?? 0;
}

function slice(columns: Columns, from: number, to?: number): Columns {
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.slice(from, to)]));
}

/** A column that one of the two does not have is null there. */
function append(first: Columns, second: Columns): Columns {
  const [before, after] = [lengthOf(first), lengthOf(second)];
  const names = new Set([...Object.keys(first), ...Object.keys(second)]);
  const nulls = (length: number) => new Array<unknown>(length).fill(null);
  return Object.fromEntries(
    [...names].map((name) => [name, [...(first[name] ?? nulls(before)), ...(second[name] ?? nulls(after))]]),
  );
}

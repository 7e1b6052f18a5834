/** Arrow columns as a Parquet file, written by DuckDB. */
import {
  ARRAY,
  arrayValue,
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  type DuckDBValue,
  ENUM,
  FLOAT,
  INTEGER,
  LIST,
  listValue,
  SMALLINT,
  STRUCT,
  structValue,
  TIME,
  TIMESTAMP,
  TIMESTAMP_MS,
  TIMESTAMP_NS,
  TIMESTAMP_S,
  TIMESTAMPTZ,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import { dictionaryValues } from '../../arrow/record-batch.ts';
import { type ArrowType, type Field, formatType, type TimeUnit } from '../../arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../../arrow/schema-message.ts';
import { FeatureStoreError } from '../../errors.ts';
import { copierOf } from './copy-rows.ts';
import { quoteName, quoteText } from './sql.ts';

export interface ParquetFile {
  /** Columns of the fields' types, all of one length. */
  write(columns: readonly Column[]): Promise<void>;
  /** Writes the file, without the rows of which a condition in SQL is true; before that there is none. */
  finish(without?: string): Promise<void>;
  /** Lets go of everything; harmless after finish. */
  close(): void;
}

/** `plain` is what every reader knows; `dense` are those of Parquet's version 2, smaller and quicker to write. */
export type ParquetEncodings = 'plain' | 'dense';

export interface ParquetFileOptions {
  /** Memory in DuckDB's notation. */
  readonly memory: string;
  /** Folder for what does not fit into memory. */
  readonly spillDirectory: string;
  /** The texts of dictionaries of at most 256, by their ids: their columns are text in the file. Others are refused. */
  readonly dictionaries?: ReadonlyMap<bigint, readonly string[]>;
  /** Default `plain`. */
  readonly encodings?: ParquetEncodings;
  /** Rows of a row group, a multiple of 2048; default DuckDB's. */
  readonly rowGroupRows?: number;
}

const chunkRows = 2048;
/** Each flush costs, and what is not flushed is in memory that DuckDB does not count. */
const flushBytes = 32 * 2 ** 20;

/** Opens a Parquet file of these fields; INVALID_ARGUMENT for a type that Parquet does not get from here. */
export async function createParquetFile(
  path: string,
  fields: readonly Field[],
  options: ParquetFileOptions,
): Promise<ParquetFile> {
  const { dictionaries } = options;
  const writers = fields.map((field) => {
    const texts = field.dictionary && dictionaries?.get(field.dictionary.id);
    const writer = texts === undefined ? writerOf(field) : { type: ENUM(texts), convert: same };
    return { ...writer, copy: copierOf(field) };
  });
  const types = writers.map((writer) => writer.type);
  const logicalTypes = types.map((type) => type.toLogicalType().logical_type);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: options.memory,
    temp_directory: options.spillDirectory,
  });
  const connection = await instance.connect();
  await connection.run("set timezone = 'UTC'");
  const columns = fields.map((field, index) => `${quoteName(field.name)} ${types[index]}`);
  await connection.run(`create table answer (${columns.join(', ')})`);
  const shown = fields.map(({ name, dictionary }) =>
    dictionary === undefined ? quoteName(name) : `cast(${quoteName(name)} as varchar) as ${quoteName(name)}`,
  );
  const appender = await connection.createAppender('answer');
  let bytes = 0;
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    connection.closeSync();
    instance.closeSync();
  };
  return {
    async write(batch) {
      const length = batch[0]?.length ?? 0;
      for (let start = 0; start < length; start += chunkRows) {
        const end = Math.min(length, start + chunkRows);
        const chunk = new DuckDBDataChunk(duckdb.create_data_chunk(logicalTypes));
        chunk.rowCount = end - start;
        for (const [index, column] of batch.entries()) {
          const { copy, convert } = writers[index] as (typeof writers)[number];
          if (copy?.(chunk, index, column, start, end) === true) continue;
          chunk.setColumnValues(index, readRows(column, start, end, convert));
        }
        appender.appendDataChunk(chunk);
      }
      bytes += batch.reduce((sum, column) => sum + sizeOf(column), 0);
      if (bytes < flushBytes) return;
      bytes = 0;
      appender.flushSync();
    },
    async finish(without = 'false') {
      appender.closeSync();
      const kept = `select ${shown.join(', ')} from answer where (${without}) is not true`;
      const format = parquetFormat(fields.map(dictionaryValues), options);
      await connection.run(`copy (${kept}) to ${quoteText(path)} ${format}`);
      close();
    },
    close,
  };
}

function sizeOf({ buffers, children }: Column): number {
  const own = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  return children.reduce((sum, child) => sum + sizeOf(child), own);
}

/** What stands behind the file's name in `copy … to`. In a dictionary, also one of a single value, one zero would stand for both. */
export function parquetFormat(
  fields: readonly Field[],
  { encodings, rowGroupRows }: Pick<ParquetFileOptions, 'encodings' | 'rowGroupRows'> = {},
): string {
  const version = encodings === 'dense' ? 'v2' : 'v1';
  const groups = rowGroupRows === undefined ? '' : `, row_group_size ${rowGroupRows}`;
  const metadata = `{${quoteText('ARROW:schema')}: ${quoteText(encodeArrowSchema(fields))}}`;
  const pages = `parquet_version ${version}, compression zstd, dictionary_size_limit 0`;
  return `(format parquet, ${pages}, kv_metadata ${metadata}${groups})`;
}

/** What readers restore the types from that Parquet does not have, as the Arrow libraries leave it: base64 of an IPC message. */
function encodeArrowSchema(fields: readonly Field[]): string {
  return Buffer.from(encapsulateMessage(encodeSchemaMessage({ fields, metadata: new Map() }))).toString('base64');
}

function readRows(column: Column, start: number, end: number, convert: Writer['convert']): DuckDBValue[] {
  const values: DuckDBValue[] = [];
  for (let row = start; row < end; row++) {
    const value = readValue(column, row);
    values.push(value === null ? null : convert(value));
  }
  return values;
}

interface Writer {
  readonly type: DuckDBType;
  /** A value as readValue gives it, not null. */
  readonly convert: (value: unknown) => DuckDBValue;
}

const same = (value: unknown) => value as DuckDBValue;

/** DuckDB's name of the type in which a field is written; INVALID_ARGUMENT for one that is not. */
export function parquetType(field: Field): string {
  return writerOf(field).type.toString();
}

function writerOf(field: Field): Writer {
  if (field.dictionary !== undefined) throw refuse(field);
  const { type } = field;
  switch (type.id) {
    case 'null':
      return { type: INTEGER, convert: same };
    case 'bool':
      return { type: BOOLEAN, convert: same };
    case 'int':
      return { type: integerTypes[`${type.signed ? '' : 'u'}${type.bits}`] as DuckDBType, convert: same };
    case 'float':
      return { type: type.bits === 64 ? DOUBLE : FLOAT, convert: same };
    case 'decimal':
      return decimalWriter(field, type);
    case 'utf8':
    case 'largeUtf8':
    case 'utf8View':
      return { type: VARCHAR, convert: same };
    case 'binary':
    case 'largeBinary':
    case 'binaryView':
    case 'fixedSizeBinary':
      return { type: BLOB, convert: (value) => new DuckDBBlobValue(value as Uint8Array) };
    case 'date':
      if (type.unit === 'day') return { type: DATE, convert: (value) => new DuckDBDateValue(value as number) };
      return { type: DATE, convert: (value) => new DuckDBDateValue(wholeDays(field, value as bigint)) };
    case 'time': {
      const factor = microseconds[type.unit];
      if (factor === undefined) throw refuse(field);
      return { type: TIME, convert: (value) => new DuckDBTimeValue(BigInt(value as number | bigint) * factor) };
    }
    case 'duration':
      return { type: BIGINT, convert: same };
    case 'timestamp':
      return timestampWriter(field, type);
    default:
      return nestedWriter(field);
  }
}

const integerTypes: Readonly<Record<string, DuckDBType>> = {
  '8': TINYINT,
  '16': SMALLINT,
  '32': INTEGER,
  '64': BIGINT,
  u8: UTINYINT,
  u16: USMALLINT,
  u32: UINTEGER,
  u64: UBIGINT,
};

/** Microseconds of a unit, where they are whole. */
const microseconds: Readonly<Record<TimeUnit, bigint | undefined>> = { s: 1_000_000n, ms: 1000n, us: 1n, ns: undefined };

function wholeDays(field: Field, milliseconds: bigint): number {
  if (milliseconds % 86_400_000n !== 0n) throw refuse(field);
  return Number(milliseconds / 86_400_000n);
}

function decimalWriter(field: Field, { precision, scale }: Extract<ArrowType, { id: 'decimal' }>): Writer {
  if (precision > 38 || scale < 0) throw refuse(field);
  const unscaled = (value: unknown) => BigInt((value as string).replace('.', ''));
  return { type: DECIMAL(precision, scale), convert: (value) => new DuckDBDecimalValue(unscaled(value), precision, scale) };
}

/** Parquet knows instants in microseconds here; other units keep their own as long as they carry no zone. */
function timestampWriter(field: Field, { unit, timezone }: Extract<ArrowType, { id: 'timestamp' }>): Writer {
  if (timezone !== undefined) {
    const factor = microseconds[unit];
    if (factor === undefined) throw refuse(field);
    return { type: TIMESTAMPTZ, convert: (value) => new DuckDBTimestampTZValue((value as bigint) * factor) };
  }
  const writers: Readonly<Record<typeof unit, Writer>> = {
    s: { type: TIMESTAMP_S, convert: (value) => new DuckDBTimestampSecondsValue(value as bigint) },
    ms: { type: TIMESTAMP_MS, convert: (value) => new DuckDBTimestampMillisecondsValue(value as bigint) },
    us: { type: TIMESTAMP, convert: (value) => new DuckDBTimestampValue(value as bigint) },
    ns: { type: TIMESTAMP_NS, convert: (value) => new DuckDBTimestampNanosecondsValue(value as bigint) },
  };
  return writers[unit];
}

function nestedWriter(field: Field): Writer {
  const parts = field.children.map((child) => ({ name: child.name, ...writerOf(child) }));
  const [element] = parts;
  const convertAll = (values: readonly unknown[]) =>
    values.map((value) => (value === null ? null : (element as Writer).convert(value)));
  switch (field.type.id) {
    case 'list':
    case 'largeList':
    case 'listView':
    case 'largeListView':
      return { type: LIST((element as Writer).type), convert: (value) => listValue(convertAll(value as unknown[])) };
    case 'fixedSizeList':
      return {
        type: ARRAY((element as Writer).type, field.type.size),
        convert: (value) => arrayValue(convertAll(value as unknown[])),
      };
    case 'struct':
      return {
        type: STRUCT(Object.fromEntries(parts.map((part) => [part.name, part.type]))),
        convert: (value) => structValue(convertParts(parts, value as Record<string, unknown>)),
      };
    default:
      throw refuse(field);
  }
}

function convertParts(
  parts: readonly (Writer & { readonly name: string })[],
  value: Readonly<Record<string, unknown>>,
): Record<string, DuckDBValue> {
  return Object.fromEntries(parts.map(({ name, convert }) => [name, value[name] === null ? null : convert(value[name])]));
}

function refuse(field: Field): FeatureStoreError {
  const type = formatType(field);
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `column "${field.name}" is ${type}, which is not written to Parquet here; write an Arrow file (.arrow)`,
    { details: { column: field.name, type } },
  );
}

/** Pushed rows as a Parquet file with the column types of their source. */
import { type DuckDBConnection, DuckDBDataChunk, DuckDBInstance, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { TimesUs } from '../../definitions/times-us.ts';
import { asFeatureStoreError, didYouMean, FeatureStoreError } from '../../errors.ts';
import type { SourceDocument } from '../../registry/document.ts';
import { quoteFiles, quoteName, quoteText } from '../duckdb/sql.ts';
import { compileGreatestOffsets, type GreatestOffsets } from './coverage.ts';
import { findIds } from './find-ids.ts';
import { compilePushedColumn, type PushedColumn } from './values.ts';
import { type StagedEvents, writeEvents } from './write-events.ts';

/** Rows as columns by name: values as JSON has them, or as programs hold them (bigint, Uint8Array). */
export type PushedRows = Readonly<Record<string, readonly unknown[]>>;

export interface ArchiveWriter {
  /** Writes all rows or, where one is refused, no file. */
  write(path: string, source: SourceDocument, rows: PushedRows, nowUs: bigint): Promise<void>;
  /** Writes all events, in their order. */
  writeEvents(path: string, source: SourceDocument, events: StagedEvents): Promise<void>;
  /** Writes the rows of several files, of equal columns, as one, but those of which a condition is true. */
  merge(path: string, files: readonly string[], without?: string): Promise<void>;
  /** Which of the ids, by their places, stand in a column of files. */
  findIds(files: readonly string[], column: string, ids: readonly LiteralValue[]): Promise<ReadonlySet<number>>;
  /** Of files of events. */
  greatestOffsets(files: readonly string[]): Promise<GreatestOffsets>;
  columnsOf(file: string): Promise<readonly string[]>;
  /** How many rows a file has, of how many a condition is true, and between which times of a column these are: local ones as if they were UTC. */
  countRows(file: string, condition: string, time?: string): Promise<CountedRows>;
  close(): void;
}

export interface CountedRows {
  readonly all: number;
  readonly matching: number;
  readonly timesUs: TimesUs | undefined;
}

const chunkRows = 2048;
/** In a dictionary one zero would stand for both. */
const format = '(format parquet, compression zstd, dictionary_size_limit 0)';

/** One file at a time; the engine behind it opens with the first. */
export function openArchiveWriter(): ArchiveWriter {
  let opened: Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    opened ??= openConnection();
    const run = turn.then(async () => await work((await (opened as NonNullable<typeof opened>)).connection));
    turn = run.catch(() => {});
    return run;
  };
  return {
    write: (path, source, rows, nowUs) => inTurn((connection) => writeRows(connection, path, source, rows, nowUs)),
    writeEvents: (path, source, events) => inTurn((connection) => writeEvents(connection, path, source, events, format)),
    merge: (path, files, without = 'false') =>
      inTurn(async (connection) => {
        const from = `read_parquet(${quoteFiles(files)}, union_by_name = true)`;
        await connection.run(`copy (select * from ${from} where (${without}) is not true) to ${quoteText(path)} ${format}`);
      }),
    findIds: (files, column, ids) => inTurn((connection) => findIds(connection, files, column, ids)),
    greatestOffsets: async (files) => {
      const found = new Map<string, Map<string, bigint>>();
      if (files.length === 0) return found;
      const reader = await inTurn((connection) => connection.runAndReadAll(compileGreatestOffsets(files)));
      for (const [file, partition, offset] of reader.getRows() as [string, string, string][]) {
        const own = found.get(file) ?? new Map<string, bigint>();
        found.set(file, own.set(partition, BigInt(offset)));
      }
      return found;
    },
    columnsOf: (file) =>
      inTurn(async (connection) => (await connection.run(`select * from ${readFile(file)} limit 0`)).columnNames()),
    countRows: (file, condition, time) =>
      inTurn(async (connection) => {
        const counts = `count(*) as all_rows, count(*) filter (where ${condition}) as matching`;
        const us = time === undefined ? 'null::bigint' : `epoch_us(try_cast(${quoteName(time)} as timestamp))`;
        const times = `min(${us}) filter (where ${condition}), max(${us}) filter (where ${condition})`;
        const reader = await connection.runAndReadAll(`select ${counts}, ${times} from ${readFile(file)}`);
        const [all, matching, least, greatest] = reader.getRows()[0] as readonly (bigint | null)[];
        const timesUs = least == null || greatest == null ? undefined : ([least, greatest] as const);
        return { all: Number(all), matching: Number(matching), timesUs };
      }),
    close() {
      opened?.then(
        ({ instance, connection }) => {
          connection.closeSync();
          instance.closeSync();
        },
        () => {},
      );
    },
  };
}

/** Its own columns alone, whatever folder it stands in. */
function readFile(file: string): string {
  return `read_parquet(${quoteFiles([file])}, hive_partitioning = false)`;
}

async function openConnection() {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '512MB' });
  const connection = await instance.connect();
  await connection.run("set timezone = 'UTC'");
  return { instance, connection };
}

async function writeRows(
  connection: DuckDBConnection,
  path: string,
  source: SourceDocument,
  rows: PushedRows,
  nowUs: bigint,
): Promise<void> {
  const count = checkColumns(source, rows);
  const names = source.columns.map((column) => quoteName(column.name));
  const own = source.columns.map(({ name, type }) => `null::${type} as ${quoteName(name)}`);
  const described = await connection.run(`select ${own.join(', ')} limit 0`);
  const columns = names.map((_, at) => compilePushedColumn(described.columnType(at) as DuckDBType, source));
  const values = source.columns.map(({ name }, at) => {
    const given = rows[name] ?? new Array<unknown>(count).fill(nowUs);
    return given.map((value, row) => convert(source, name, row, columns[at] as PushedColumn, value));
  });
  await connection.run(
    `create or replace temp table pushed (${names.map((name, at) => `${name} ${columns[at]?.type}`).join(', ')})`,
  );
  const appender = await connection.createAppender('pushed');
  const types = columns.map(({ type }) => type);
  for (let start = 0; start < count; start += chunkRows) {
    const end = Math.min(count, start + chunkRows);
    const chunk = DuckDBDataChunk.create(types, end - start);
    chunk.setColumns(values.map((column) => column.slice(start, end)));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  const cast = source.columns.map(({ type }, at) => `cast(${names[at]} as ${type}) as ${names[at]}`);
  try {
    await connection.run(`copy (select ${cast.join(', ')} from pushed) to ${quoteText(path)} ${format}`);
  } catch (cause) {
    const text = asFeatureStoreError(cause).message.split('\n')[0];
    if (!/^Conversion Error/.test(text ?? '')) throw cause;
    throw new FeatureStoreError('INVALID_ARGUMENT', `source "${source.name}" does not take these rows: ${text}`, {
      details: { source: source.name },
      cause,
    });
  } finally {
    await connection.run('drop table pushed');
  }
}

/** Every column of the source, and no other; those that say when a row was made or landed are now where they are left out. */
function checkColumns(source: SourceDocument, rows: PushedRows): number {
  const names = source.columns.map((column) => column.name);
  for (const name of Object.keys(rows)) {
    if (!names.includes(name)) {
      throw refuse(source, name, `has no column "${name}"${didYouMean(name, names) || `; it has ${names.join(', ')}`}`);
    }
  }
  const given = names.filter((name) => rows[name] !== undefined);
  for (const name of names) {
    const isOptional = name === source.createdTimestamp || name === source.availableAt;
    if (!given.includes(name) && !isOptional) throw refuse(source, name, `needs column "${name}", which the rows do not have`);
  }
  const count = rows[given[0] as string]?.length ?? 0;
  for (const name of given) {
    const { length } = rows[name] as readonly unknown[];
    if (length !== count)
      throw refuse(source, name, `needs columns of one length: "${given[0]}" has ${count}, "${name}" ${length}`);
  }
  return count;
}

function convert(source: SourceDocument, name: string, row: number, column: PushedColumn, value: unknown): DuckDBValue {
  if (value === null || value === undefined) {
    if (name !== source.eventTimestamp) return null;
    throw refuse(source, name, `needs an event timestamp in every row, and row ${row} has none in "${name}"`);
  }
  try {
    return column.convert(value);
  } catch (error) {
    const { code, message, details } = asFeatureStoreError(error);
    if (code !== 'INVALID_ARGUMENT') throw error;
    throw new FeatureStoreError(code, `source "${source.name}", column "${name}", row ${row}: ${message}`, {
      details: { ...details, source: source.name, column: name, row },
    });
  }
}

function refuse(source: SourceDocument, column: string, what: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `source "${source.name}" ${what}`, {
    details: { source: source.name, column },
  });
}

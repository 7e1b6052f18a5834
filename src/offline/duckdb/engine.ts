/** DuckDB as a scanner and sorter: bounded sessions in UTC, and streams that prove their own end. */
import { mkdirSync, rmSync } from 'node:fs';
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  DuckDBTimestampTZValue,
  type DuckDBType,
  version,
} from '@duckdb/node-api';
import { FeatureStoreError } from '../../errors.ts';
import { quoteName, quoteText } from './sql.ts';

export interface EngineOptions {
  /** Threads that one process gives to DuckDB. */
  readonly threads: number;
  /** Memory limit in DuckDB's notation, such as `4GB`. */
  readonly memory: string;
  /** Folder for spills, this engine's alone: made when it opens, removed when it closes. */
  readonly spillDirectory: string;
  /** Most that spills may take on disk, in DuckDB's notation. */
  readonly spillLimit: string;
}

export interface Engine {
  readonly version: string;
  /** Runs `work` on a connection of its own, which is interrupted when `signal` aborts and always closed. */
  session<T>(signal: AbortSignal | undefined, work: (session: Session) => Promise<T>): Promise<T>;
  /** The same connection for as long as the caller needs it; `close` must be called once. */
  openSession(signal: AbortSignal | undefined): Promise<Session & { close(): void }>;
  close(): void;
}

/** Values of parameters by name, each an instant in microseconds since the epoch. */
export type Instants = Readonly<Record<string, bigint>>;

export interface Session {
  /** All rows of a small answer, as lossless JavaScript values (bigint for 64-bit integers). */
  rows(sql: string, instants?: Instants): Promise<Record<string, unknown>[]>;
  /** All of a small answer at once: quicker than a stream, and never cut short. */
  chunks(sql: string): Promise<readonly DuckDBDataChunk[]>;
  /** Column names and types of a query that is bound but not run. */
  describe(sql: string, instants?: Instants): Promise<{ name: string; type: DuckDBType }[]>;
  /** The answer chunk by chunk; throws if the query does not reach its end, whatever DuckDB says. */
  stream(sql: string): AsyncGenerator<DuckDBDataChunk, void>;
}

/** Opens an in-memory engine whose threads, memory and spill space are bounded. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  mkdirSync(options.spillDirectory, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads),
    memory_limit: options.memory,
    temp_directory: options.spillDirectory,
    // It takes a file rewritten within the same second for the file it knows, and mixes bytes of both.
    enable_external_file_cache: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  await limitSpills(instance, options.spillLimit);
  return {
    version: version(),
    session: (signal, work) => runSession(instance, signal, work),
    openSession: (signal) => openSession(instance, signal),
    close() {
      instance.closeSync();
      rmSync(options.spillDirectory, { recursive: true, force: true });
    },
  };
}

/** Given with the other options the limit would be shown and not kept. */
async function limitSpills(instance: DuckDBInstance, limit: string): Promise<void> {
  const connection = await instance.connect();
  try {
    await connection.run(`set max_temp_directory_size = ${quoteText(limit)}`);
  } finally {
    connection.closeSync();
  }
}

async function runSession<T>(
  instance: DuckDBInstance,
  signal: AbortSignal | undefined,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(instance, signal);
  try {
    return await work(session);
  } finally {
    session.close();
  }
}

async function openSession(instance: DuckDBInstance, signal: AbortSignal | undefined): Promise<Session & { close(): void }> {
  signal?.throwIfAborted();
  const connection = await instance.connect();
  let interrupting: NodeJS.Timeout | undefined;
  // An interrupt that comes just before a query begins is lost: it is repeated until the session is closed.
  const interrupt = () => {
    connection.interrupt();
    interrupting = setInterval(() => connection.interrupt(), 50);
  };
  const close = () => {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(interrupting);
    connection.closeSync();
  };
  if (signal?.aborted) interrupt();
  else signal?.addEventListener('abort', interrupt, { once: true });
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      signal?.throwIfAborted();
      throw asEngineError(error);
    }
  };
  try {
    await guard(connection.run("set timezone = 'UTC'"));
  } catch (error) {
    close();
    throw error;
  }
  return {
    rows: (sql, instants) => guard(readRows(connection, sql, instants)),
    chunks: (sql) => guard(readChunks(connection, sql)),
    describe: (sql, instants) => guard(describe(connection, sql, instants)),
    async *stream(sql) {
      const chunks = streamChunks(connection, signal, sql);
      for (;;) {
        const next = await guard(chunks.next());
        if (next.done) return;
        yield next.value;
      }
    },
    close,
  };
}

async function readChunks(connection: DuckDBConnection, sql: string): Promise<readonly DuckDBDataChunk[]> {
  return await (await connection.run(sql)).fetchAllChunks();
}

async function readRows(connection: DuckDBConnection, sql: string, instants?: Instants): Promise<Record<string, unknown>[]> {
  const reader = await connection.runAndReadAll(sql, parametersOf(instants));
  return reader.getRowObjectsJS();
}

function parametersOf(instants: Instants = {}): Record<string, DuckDBTimestampTZValue> | undefined {
  const values = Object.entries(instants).map(([name, us]) => [name, new DuckDBTimestampTZValue(us)] as const);
  return values.length === 0 ? undefined : Object.fromEntries(values);
}

async function describe(
  connection: DuckDBConnection,
  sql: string,
  instants?: Instants,
): Promise<{ name: string; type: DuckDBType }[]> {
  const result = await connection.run(`select * from (${sql}) limit 0`, parametersOf(instants));
  return result.columnNames().map((name, index) => ({ name, type: result.columnType(index) }));
}

/** A name that no column of a query has: files of users may well hold an `_end`. */
const endMark = quoteName('~ end of stream ~');

/**
 * A streamed result of DuckDB ends without an error when its query fails, is interrupted or loses its connection. Therefore
 * the query gets one more row at its end, marked by the last column, and a stream that ends without that row is an error.
 * The marker carries no reason: every value is computed once more, into one number, to learn it.
 */
async function* streamChunks(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
  sql: string,
): AsyncGenerator<DuckDBDataChunk, void> {
  const marked = `select *, false as ${endMark} from (${sql}) union all by name select true as ${endMark}`;
  const result = await connection.stream(marked);
  let ended = false;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    signal?.throwIfAborted();
    const end = chunk.getColumnVector(chunk.columnCount - 1);
    if (end.getItem(chunk.rowCount - 1) === true) {
      ended = true;
      chunk.rowCount -= 1;
      if (chunk.rowCount === 0) continue;
    }
    yield chunk;
  }
  if (ended) return;
  signal?.throwIfAborted();
  await connection.run(`select bit_xor(hash(q)) from (${sql}) q`);
  throw new FeatureStoreError('DATA_LOSS', 'a query ended before its last row and gave no reason; run it again');
}

/** DuckDB's errors by their class, which its messages begin with: there is no other sign of it. */
function asEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FeatureStoreError) return error;
  const kind = /^([A-Z][A-Za-z ]*?) Error: /.exec(error.message)?.[1];
  const text = error.message.split('\n')[0] as string;
  if (kind === 'Out of Memory') {
    const fix = 'raise offlineEngine.memory or offlineEngine.spill, or free the disk under the state folder';
    return new FeatureStoreError(
      'RESOURCE_EXHAUSTED',
      `the query needs more memory or spill space than it may use: ${text}; ${fix}`,
      {
        cause: error,
      },
    );
  }
  if (kind === 'IO' && /no space left|could not write/i.test(error.message)) {
    return new FeatureStoreError('RESOURCE_EXHAUSTED', `the disk is full: ${text}`, { cause: error });
  }
  if (kind !== undefined && kind !== 'INTERNAL') return new FeatureStoreError('FAILED_PRECONDITION', text, { cause: error });
  return error;
}

/** What one file of staged events says for a stream view: read over and over from small files, so that the connection and the query are kept. */
import { type DuckDBDataChunk, DuckDBLogicalType, type DuckDBType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { createBuilder } from '../../arrow/duckdb-builder.ts';
import type { ColumnBuilder } from '../../arrow/duckdb-vector.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import { eventViewOf } from '../../registry/event-view.ts';
import { originColumns } from '../archive/archived-columns.ts';
import type { Engine, Session } from '../duckdb/engine.ts';
import { quoteFiles, quoteName } from '../duckdb/sql.ts';
import { compileEventValues, compileKeys, compileValid } from '../windows/compile-events.ts';
import { type EventColumns, eventFields, readEventColumns } from './event-columns.ts';
import { unfitColumn } from './event-parts.ts';

export interface ReadEvents extends EventColumns {
  readonly offsets: readonly bigint[];
}

export interface EventReader {
  /**
   * Valid events of a file that `stageEvents` has written, in its order, but those with a null in one of the view's keys. Equal ids are
   * left to the caller, who knows which were there before.
   */
  read(view: ViewDocument, source: SourceDocument, file: string, signal: AbortSignal): Promise<ReadEvents>;
  /** Resolves when what is being read has been. */
  close(): Promise<void>;
}

/** One file at a time. */
export function createEventReader(engine: Engine): EventReader {
  let opened: Promise<Session & { close(): void }> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const compiled = new WeakMap<ViewDocument, { readonly source: SourceDocument; readonly compile: (file: string) => string }>();

  function compile(view: ViewDocument, source: SourceDocument): (file: string) => string {
    const known = compiled.get(view);
    if (known?.source === source) return known.compile;
    const made = compileRead(view, source);
    compiled.set(view, { source, compile: made });
    return made;
  }

  async function read(view: ViewDocument, source: SourceDocument, file: string, signal: AbortSignal): Promise<ReadEvents> {
    signal.throwIfAborted();
    opened ??= engine.openSession(undefined);
    const chunks = await (await opened).chunks(compile(view, source)(file));
    signal.throwIfAborted();
    return readChunks(view, chunks);
  }

  return {
    read(view, source, file, signal) {
      const run = turn.then(() => read(view, source, file, signal));
      turn = run.catch(() => {});
      return run;
    },
    async close() {
      await turn;
      await opened?.then(
        (session) => session.close(),
        () => {},
      );
    },
  };
}

/** Columns of eventFields, and behind them the offsets. */
function readChunks(view: ViewDocument, chunks: readonly DuckDBDataChunk[]): ReadEvents {
  const fields = eventFields(view);
  const offsets: bigint[] = [];
  let builders: readonly ColumnBuilder[] | undefined;
  for (const { chunk, rowCount } of chunks) {
    const vectors = fields.map((_, at) => duckdb.data_chunk_get_vector(chunk, at));
    builders ??= fields.map((one, at) => createBuilder(one, typeOf(vectors[at] as duckdb.Vector)));
    for (const [at, builder] of builders.entries()) {
      builder.load(vectors[at] as duckdb.Vector, rowCount);
      builder.append(0, rowCount);
    }
    readOffsets(duckdb.data_chunk_get_vector(chunk, fields.length), rowCount, offsets);
  }
  if (builders === undefined) return { ...emptyEvents(view), offsets };
  return {
    ...readEventColumns(
      view,
      builders.map((builder) => builder.take()),
    ),
    offsets,
  };
}

function typeOf(vector: duckdb.Vector): DuckDBType {
  return DuckDBLogicalType.create(duckdb.vector_get_column_type(vector)).asType();
}

/** A decimal of 38 digits without a fraction is an integer of 128 bits, here never negative: its lower and its upper word. */
function readOffsets(vector: duckdb.Vector, count: number, offsets: bigint[]): void {
  const words = new BigUint64Array(duckdb.vector_get_data(vector, 16 * count).slice().buffer);
  for (let row = 0; row < count; row++) {
    const high = words[2 * row + 1] as bigint;
    const low = words[2 * row] as bigint;
    offsets.push(high === 0n ? low : (high << 64n) | low);
  }
}

function compileRead(view: ViewDocument, source: SourceDocument): (file: string) => string {
  const events = eventViewOf(view);
  const keys = compileKeys(view);
  const selected = [
    ...keys.map(({ value }, at) => `${value} as k${at}`),
    `epoch_us(${quoteName(source.eventTimestamp)}) as event`,
    ...compileEventValues(events).map((value, at) => `${value} as f${at}`),
    `${quoteName(originColumns.offset.name)} as "offset"`,
  ];
  const kept = [compileValid(source), ...keys.map(({ column }) => `${column} is not null`)];
  return (file) => {
    const from = `(select *, cast(null as varchar) as ${unfitColumn} from read_parquet(${quoteFiles([file])}, hive_partitioning = false))`;
    return `select ${selected.join(', ')} from ${from} where ${kept.join(' and ')}`;
  };
}

function emptyEvents(view: ViewDocument): EventColumns {
  const { expressions } = eventViewOf(view);
  return { count: 0, keys: view.keys.map(() => []), timesUs: [], values: expressions.map(() => []) };
}

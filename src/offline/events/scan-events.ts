/** All past events of a stream view in the order in which state is made of them: what a backfill reads. */
import type { Column } from '../../arrow/column.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { Engine, Session } from '../duckdb/engine.ts';
import { readColumns } from '../duckdb/read-columns.ts';
import { quoteName } from '../duckdb/sql.ts';
import { compileSignOrder, compileValueOrder } from '../duckdb/value-order.ts';
import { bindEvents } from '../projection/bind.ts';
import type { ProjectionQuery } from '../projection/compile.ts';
import type { TableState } from '../source-state.ts';
import { compileKeys } from '../windows/compile-events.ts';
import { type EventColumns, eventFields, readEventColumns } from './event-columns.ts';
import type { BeforeOffsets } from './event-parts.ts';

export interface ScanOptions {
  /**
   * Next offset of each partition: archived events from there on are left out, and none of a partition that is not named; where it is given,
   * also those that came too late for serving.
   */
  readonly before?: BeforeOffsets;
  /** Events before this instant are left out. */
  readonly fromUs?: bigint;
}

export interface ScanParts {
  readonly engine: Engine;
  stateOf(source: SourceDocument): Promise<TableState>;
  /** Begins anew where archived files were replaced meanwhile. */
  again<T>(source: SourceDocument, read: () => Promise<T>): Promise<T>;
}

const chunkRows = 65_536;

/**
 * Valid events, each once, whose keys are not null, sorted by key, time and value; strings by their UTF-8. Throws where the scan does not
 * reach its end, and ABORTED after the last chunk where tables changed or something was erased meanwhile.
 */
export async function* scanEvents(
  { engine, stateOf, again }: ScanParts,
  view: ViewDocument,
  source: SourceDocument,
  options: ScanOptions,
  signal: AbortSignal,
): AsyncGenerator<EventColumns, void> {
  // Sorted rows come when all files have been read: nothing is replaced under a scan that has begun to answer.
  const scan = await again(source, async () => await begin(engine, view, source, await stateOf(source), options, signal));
  try {
    for (let part = scan.first; part !== undefined; part = await scan.next()) yield readEventColumns(view, part);
  } finally {
    scan.close();
  }
  const now = await stateOf(source);
  if (now.ownHash === scan.state.ownHash && now.erased === scan.state.erased) return;
  throw new FeatureStoreError('ABORTED', `source "${source.name}" changed while it was read; begin again`, {
    details: { source: source.name },
  });
}

async function begin(
  engine: Engine,
  view: ViewDocument,
  source: SourceDocument,
  state: TableState,
  { before, fromUs }: ScanOptions,
  signal: AbortSignal,
) {
  const session: Session & { close(): void } = await engine.openSession(signal);
  try {
    const { query } = await bindEvents(session, { view, source, state, before });
    const parts = readColumns(session, compileScan(view, query, fromUs), eventFields(view), chunkRows);
    const next = async (): Promise<Column[] | undefined> => {
      const part = await parts.next();
      return part.done ? undefined : part.value;
    };
    return { first: await next(), next, state, close: () => session.close() };
  } catch (error) {
    session.close();
    throw error;
  }
}

function compileScan(
  view: ViewDocument,
  { source, table, columns, ...query }: ProjectionQuery,
  fromUs: bigint | undefined,
): string {
  const time = `epoch_us(t.${quoteName(source.eventTimestamp)})`;
  const keys = compileKeys(view, 't.');
  const values = query.view.features.map(({ column }) => `t.${quoteName(column)}`);
  const selected = [
    ...keys.map(({ value }, at) => `${value} as k${at}`),
    `${time} as event`,
    ...values.map((value, at) => `${value} as f${at}`),
  ];
  const kept = [...keys.map(({ column }) => `${column} is not null`), ...(fromUs === undefined ? [] : [`${time} >= ${fromUs}`])];
  const typeOf = new Map(columns.map(({ name, type }) => [name, type]));
  const typed = query.view.features.flatMap(({ column }, at) => {
    const type = typeOf.get(column);
    return type === undefined ? [] : [{ value: values[at] as string, type }];
  });
  const order = [
    ...keys.map((_, at) => `k${at}`),
    'event',
    ...typed.map(({ value, type }) => compileValueOrder(value, type)),
    ...typed.flatMap(({ value, type }) => compileSignOrder(value, type) ?? []),
  ];
  const where = kept.length === 0 ? '' : ` where ${kept.join(' and ')}`;
  return `select ${selected.join(', ')} from ${table} as t${where} order by ${order.map((one) => `${one} asc nulls first`).join(', ')}`;
}

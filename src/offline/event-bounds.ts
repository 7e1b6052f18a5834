/** How far a source reaches: its least and its greatest event timestamp, kept by the state of its files. */
import type { SourceDocument } from '../registry/document.ts';
import type { Engine } from './duckdb/engine.ts';
import { compileInstantUs, compileLocalUs, isZoneless } from './duckdb/instant.ts';
import { quoteName } from './duckdb/sql.ts';
import { compileWholeTable } from './duckdb/table.ts';
import { bindEventParts } from './events/event-parts.ts';
import type { TableState } from './source-state.ts';
import { compileAllEvents, compileValid } from './windows/compile-events.ts';
import { openClock, toInstantUs } from './zone.ts';

/** Event timestamps in microseconds. */
export interface EventBounds {
  readonly oldestUs: bigint;
  readonly newestUs: bigint;
}

/** undefined for a source without an event timestamp in any row. Remembers what it has read by the state of a source's files; asked twice at once it reads once. */
export function createEventBounds(
  engine: Engine,
  readState: (source: SourceDocument) => Promise<TableState>,
): (source: SourceDocument) => Promise<EventBounds | undefined> {
  const known = new Map<string, Promise<EventBounds | undefined>>();
  return async (source) => {
    const state = await readState(source);
    const { table, tables, eventTimestamp, timezone, ambiguousTime, columns } = source;
    const key = JSON.stringify([state.hash, table, tables, eventTimestamp, timezone, ambiguousTime, columns]);
    const reading = known.get(key) ?? readBounds(engine, source, state);
    if (known.size >= 1000) known.clear();
    known.set(key, reading);
    reading.catch(() => known.delete(key));
    return await reading;
  };
}

async function readBounds(engine: Engine, source: SourceDocument, state: TableState): Promise<EventBounds | undefined> {
  if (source.kind === 'event') return await readBoundsOfParts(engine, source, state);
  const table = compileWholeTable(source.table, state, source.columns);
  return await engine.session(undefined, async (session) => {
    const columns = await session.describe(`select * from ${table}`);
    const type = columns.find((column) => column.name === source.eventTimestamp)?.type.typeId;
    if (type === undefined) return undefined;
    const value = `t.${quoteName(source.eventTimestamp)}`;
    const local = isZoneless(type);
    const us = local ? compileLocalUs(value, type) : compileInstantUs(value, type, undefined);
    const [row] = await session.rows(`select min(${us}) as oldest, max(${us}) as newest from ${table} as t`);
    const toInstant =
      local && source.timezone !== undefined
        ? (localUs: bigint) => toInstantUs(openClock(source.timezone as string, source.ambiguousTime), localUs)
        : (instantUs: bigint) => instantUs;
    return boundsOf(row, toInstant);
  });
}

async function readBoundsOfParts(engine: Engine, source: SourceDocument, state: TableState): Promise<EventBounds | undefined> {
  return await engine.session(undefined, async (session) => {
    const parts = await bindEventParts(session, { source, state });
    const time = quoteName(source.eventTimestamp);
    const bounds = `min(epoch_us(${time})) as oldest, max(epoch_us(${time})) as newest`;
    const [row] = await session.rows(`select ${bounds} from ${compileAllEvents(source, parts)} where ${compileValid(source)}`);
    return boundsOf(row, (us) => us);
  });
}

function boundsOf(
  row: Readonly<Record<string, unknown>> | undefined,
  toInstant: (us: bigint) => bigint,
): EventBounds | undefined {
  if (row?.oldest == null || row.newest == null) return undefined;
  return { oldestUs: toInstant(row.oldest as bigint), newestUs: toInstant(row.newest as bigint) };
}

/** How fresh a source is: its greatest event timestamp, kept by the state of its files. */
import type { SourceDocument } from '../registry/document.ts';
import type { Engine } from './duckdb/engine.ts';
import { compileInstantUs, compileLocalUs, isZoneless } from './duckdb/instant.ts';
import { quoteName } from './duckdb/sql.ts';
import { compileWholeTable } from './duckdb/table.ts';
import type { TableState } from './source-state.ts';
import { openClock, toInstantUs } from './zone.ts';

/** Remembers what it has read by the state of a source's files; asked twice at once it reads once. */
export function createNewestEvents(
  engine: Engine,
  readState: (source: SourceDocument) => Promise<TableState>,
): (source: SourceDocument) => Promise<bigint | undefined> {
  const known = new Map<string, Promise<bigint | undefined>>();
  return async (source) => {
    const state = await readState(source);
    const { table, eventTimestamp, timezone, ambiguousTime, columns } = source;
    const key = JSON.stringify([state.hash, table, eventTimestamp, timezone, ambiguousTime, columns]);
    const reading = known.get(key) ?? readNewestEvent(engine, source, state);
    if (known.size >= 1000) known.clear();
    known.set(key, reading);
    reading.catch(() => known.delete(key));
    return await reading;
  };
}

/** The greatest event timestamp in microseconds; undefined for a source without one. */
async function readNewestEvent(engine: Engine, source: SourceDocument, state: TableState): Promise<bigint | undefined> {
  const table = compileWholeTable(source.table, state, source.columns);
  return await engine.session(undefined, async (session) => {
    const columns = await session.describe(`select * from ${table}`);
    const type = columns.find((column) => column.name === source.eventTimestamp)?.type.typeId;
    if (type === undefined) return undefined;
    const value = `t.${quoteName(source.eventTimestamp)}`;
    const local = isZoneless(type);
    const us = local ? compileLocalUs(value, type) : compileInstantUs(value, type, undefined);
    const [row] = await session.rows(`select max(${us}) as us from ${table} as t`);
    if (row?.us == null) return undefined;
    const greatest = row.us as bigint;
    return local && source.timezone !== undefined
      ? toInstantUs(openClock(source.timezone, source.ambiguousTime), greatest)
      : greatest;
  });
}

/** How fresh a source is: its greatest event timestamp, kept by the state of its files. */
import type { SourceDocument } from '../registry/document.ts';
import type { Engine } from './duckdb/engine.ts';
import { compileInstantUs, compileLocalUs, isZoneless } from './duckdb/instant.ts';
import { quoteName } from './duckdb/sql.ts';
import { compileTable } from './duckdb/table.ts';
import { readTableState } from './source-state.ts';
import { toInstantUs, zoneSteps } from './zone.ts';

const newestByState = new Map<string, bigint | undefined>();

/** The greatest event timestamp in microseconds; undefined for a source without one. */
export async function readNewestEvent(engine: Engine, root: string, source: SourceDocument): Promise<bigint | undefined> {
  const state = await readTableState(engine, source.table, root, source.name);
  const key = `${state.hash} ${source.eventTimestamp} ${source.timezone} ${source.ambiguousTime}`;
  if (newestByState.has(key)) return newestByState.get(key);
  const files = state.files.map((file) => file.absolutePath);
  const table = compileTable(source.table, files, source.columns);
  const newest = await engine.session(undefined, async (session) => {
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
      ? toInstantUs(zoneSteps(source.timezone, greatest, greatest, source.ambiguousTime), greatest)
      : greatest;
  });
  if (newestByState.size > 10_000) newestByState.clear();
  newestByState.set(key, newest);
  return newest;
}

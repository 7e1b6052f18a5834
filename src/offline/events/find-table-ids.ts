/** Which ids stand in the tables of an event source's history: events of a stream with such an id are the same events (rule 6.1). */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { SourceDocument } from '../../registry/document.ts';
import { writeId } from '../archive/find-ids.ts';
import type { Engine } from '../duckdb/engine.ts';
import { quoteName } from '../duckdb/sql.ts';
import type { TableState } from '../source-state.ts';
import { compileValid } from '../windows/compile-events.ts';
import { bindEventParts } from './event-parts.ts';

export interface FindTableIdsParts {
  readonly engine: Engine;
  stateOf(source: SourceDocument): Promise<TableState>;
}

/** The places of the ids that are there; nulls are nowhere. */
export async function findTableIds(
  { engine, stateOf }: FindTableIdsParts,
  source: SourceDocument,
  ids: readonly LiteralValue[],
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const column = source.events?.eventId;
  const given = ids.flatMap((id, at) => (id === null ? [] : [`(${writeId(id)}, ${at})`]));
  const state = await stateOf(source);
  if (column === undefined || given.length === 0 || !state.byTable.some((files) => files.length > 0)) return new Set();
  return await engine.session(signal, async (session) => {
    const parts = await bindEventParts(session, { source, state: { ...state, archived: [] } });
    const events = parts.map((part) => `select ${quoteName(column)} as id from ${part} where ${compileValid(source)}`);
    const wanted = `(values ${given.join(', ')}) as wanted(id, place)`;
    const rows = await session.rows(
      `select wanted.place from ${wanted} semi join (${events.join(' union all ')}) as events using (id)`,
    );
    return new Set(rows.map(({ place }) => Number(place)));
  });
}

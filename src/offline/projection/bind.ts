/** Binds a view to the files of its source as they are now. */
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import { eventViewOf } from '../../registry/event-view.ts';
import type { Session } from '../duckdb/engine.ts';
import { checkFileTypes } from '../duckdb/file-types.ts';
import { compileWholeTable } from '../duckdb/table.ts';
import { type BeforeOffsets, bindEventParts } from '../events/event-parts.ts';
import type { TableState } from '../source-state.ts';
import { compileEvents } from '../windows/compile-events.ts';
import { checkColumns } from './check-columns.ts';
import type { ProjectionQuery } from './compile.ts';
import { refuseCutNanoseconds } from './nanoseconds.ts';
import { readZone } from './source-zone.ts';

export interface BindInput {
  readonly view: ViewDocument;
  readonly source: SourceDocument;
  readonly state: TableState;
}

/** The query over a source's files as they are; FAILED_PRECONDITION where they no longer hold what apply bound. */
export async function bindProjection(session: Session, input: BindInput): Promise<ProjectionQuery> {
  const { view, source, state } = input;
  if (source.kind === 'event') return (await bindEvents(session, input)).query;
  const files = state.files.map((file) => file.absolutePath);
  const table = compileWholeTable(source.table, state, source.columns);
  const used = [source.eventTimestamp, source.createdTimestamp, source.availableAt].flatMap((name) => name ?? []);
  used.push(...view.keys.map((key) => key.column), ...view.features.map((feature) => feature.column));
  const found = await session.describe(`select * from ${table}`);
  checkColumns({ source: source.name, used, bound: source.columns, found });
  if (files.length > 0) await checkFileTypes(session, source.table, state, source.columns, source.name);
  if (files.length > 0) await refuseCutNanoseconds(session, source, table, files);
  const columns = await session.describe(`select * from ${table}`);
  const zone = await readZone(session, view, source, table, columns);
  return { view, source, table, columns, zone, byValue: false };
}

/** The valid events of all tables and of the archive, with what a view's expressions make of them, and the parts that they come from. */
export async function bindEvents(
  session: Session,
  input: BindInput & { readonly before?: BeforeOffsets },
): Promise<{ readonly query: ProjectionQuery; readonly parts: readonly string[] }> {
  const { source } = input;
  const events = eventViewOf(input.view);
  const parts = await bindEventParts(session, input);
  const table = compileEvents(events, source, parts);
  const columns = await session.describe(`select * from ${table}`);
  // Every time is an instant by then.
  return { query: { view: events.view, source, table, columns, zone: undefined, byValue: false }, parts };
}

/** Binds a view to the files of its source as they are now. */
import type { DuckDBType } from '@duckdb/node-api';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { Session } from '../duckdb/engine.ts';
import { checkFileTypes } from '../duckdb/file-types.ts';
import { compileWholeTable } from '../duckdb/table.ts';
import type { TableState } from '../source-state.ts';
import { compileEvents } from '../windows/compile-events.ts';
import { eventViewOf } from '../windows/event-view.ts';
import type { ProjectionQuery } from './compile.ts';
import { refuseCutNanoseconds } from './nanoseconds.ts';
import { readZone } from './source-zone.ts';

/** The query over a source's files as they are; FAILED_PRECONDITION where they no longer hold what apply bound. */
export async function bindProjection(
  session: Session,
  { view, source, state }: { view: ViewDocument; source: SourceDocument; state: TableState },
): Promise<ProjectionQuery> {
  const files = state.files.map((file) => file.absolutePath);
  const whole = compileWholeTable(source.table, state, source.columns);
  checkColumns(view, source, await session.describe(`select * from ${whole}`));
  if (files.length > 0) await checkFileTypes(session, source.table, state, source.columns, source.name);
  if (files.length > 0) await refuseCutNanoseconds(session, source, whole, files);
  const table = source.kind === 'event' ? compileEvents(eventViewOf(view), source, whole) : whole;
  const columns = await session.describe(`select * from ${table}`);
  const zone = await readZone(session, view, source, table, columns);
  return { view, source, table, columns, zone, byValue: false };
}

/** The source must still have what apply bound: a changed column is named, never silently cast. */
function checkColumns(view: ViewDocument, source: SourceDocument, columns: readonly { name: string; type: DuckDBType }[]): void {
  const used = new Set([
    source.eventTimestamp,
    source.createdTimestamp,
    source.availableAt,
    ...view.keys.map((key) => key.column),
  ]);
  for (const feature of view.features) used.add(feature.column);
  for (const { name } of source.events?.columns ?? []) used.add(name);
  const names = columns.map((column) => column.name);
  for (const bound of source.columns) {
    if (!used.has(bound.name)) continue;
    const now = columns.find((column) => column.name === bound.name);
    const what =
      now === undefined
        ? `has lost column "${bound.name}"${didYouMean(bound.name, names)}`
        : `has column "${bound.name}" as ${now.type}`;
    if (now === undefined || String(now.type) !== bound.type) {
      throw new FeatureStoreError(
        'FAILED_PRECONDITION',
        `source "${source.name}" ${what}, and was applied with ${bound.type}; restore its files, or run plan and apply`,
        {
          details: { source: source.name, column: bound.name },
        },
      );
    }
  }
}

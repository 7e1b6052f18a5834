/** Columns of a source's table, as its files have them now. */
import type { ColumnDocument, TableDocument } from '../registry/document.ts';
import type { ArchiveState } from './archive/archive.ts';
import { originColumns } from './archive/archived-columns.ts';
import type { Engine } from './duckdb/engine.ts';
import { checkFileTypes } from './duckdb/file-types.ts';
import { compileTable, compileWholeTable } from './duckdb/table.ts';
import { typeTextColumns } from './duckdb/text-columns.ts';
import { readTableState, type TableState } from './source-state.ts';

/** A table of its own has no say of what was pushed, but where there is nothing else that says what its columns are. */
export async function describeTable(
  engine: Engine,
  root: string,
  table: TableDocument,
  source: string,
  pushed: ArchiveState,
): Promise<readonly ColumnDocument[]> {
  const state = await readTableState(engine, table, root, source, pushed);
  const files = state.files.map((file) => file.absolutePath);
  if (files.length === 0) {
    const columns = await describeArchive(engine, state);
    // A table of events stands for itself: what was archived beside it has columns of its own.
    if (isEvents(columns)) await readTableState(engine, table, root, source);
    return columns;
  }
  return await engine.session(undefined, async (session) => {
    const columns = await session.describe(`select * from ${compileTable(table, files)}`);
    const documents = columns.map(({ name, type }) => ({ name, type: String(type) }));
    await checkFileTypes(session, table, state, documents, source);
    return await typeTextColumns(session, table, files, documents);
  });
}

async function describeArchive(engine: Engine, state: TableState): Promise<readonly ColumnDocument[]> {
  const sql = `select * from ${compileWholeTable({ format: 'parquet', paths: [], hivePartitioning: false, options: {} }, state)}`;
  const columns = await engine.session(undefined, (session) => session.describe(sql));
  return columns.map(({ name, type }) => ({ name, type: String(type) }));
}

function isEvents(columns: readonly ColumnDocument[]): boolean {
  return Object.values(originColumns).every(({ name }) => columns.some((column) => column.name === name));
}

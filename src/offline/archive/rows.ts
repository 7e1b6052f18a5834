/** Pushed rows as a view sees them, read from their file by the very query that reads the source: both paths have the same rows. */
import type { Column } from '../../arrow/column.ts';
import { concatColumns } from '../../arrow/concat.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { Engine } from '../duckdb/engine.ts';
import { readColumns } from '../duckdb/read-columns.ts';
import { quoteFiles } from '../duckdb/sql.ts';
import { instantAt } from '../instants.ts';
import type { LatestRow } from '../latest.ts';
import { readFeatures, readKeyColumns, readKeyValues } from '../latest-values.ts';
import { projectionSchema } from '../projection/build.ts';
import { compileProjection } from '../projection/compile.ts';
import { readZone } from '../projection/source-zone.ts';
import { readStoredKeys } from '../projection/stored-keys.ts';
import { readStoredTimes, wordsOf } from '../projection/stored-times.ts';

/** The rows of one file that can ever be served: those with a key and an event timestamp. */
export async function readArchivedRows(
  engine: Engine,
  view: ViewDocument,
  source: SourceDocument,
  file: string,
  signal: AbortSignal | undefined,
): Promise<LatestRow[]> {
  const table = `read_parquet(${quoteFiles([file])})`;
  return await engine.session(signal, async (session) => {
    const columns = await session.describe(`select * from ${table}`);
    const zone = await readZone(session, view, source, table, columns);
    const { fields } = projectionSchema(view, source, false);
    const sql = compileProjection({ view, source, table, columns, zone, byValue: false });
    const parts: Column[][] = [];
    for await (const part of readColumns(session, sql, fields, 65_536)) parts.push(part);
    if (parts.length === 0) return [];
    const whole = fields.map((_, at) => concatColumns(parts.map((part) => part[at] as Column)));
    return readRows(view, source, whole);
  });
}

function readRows(view: ViewDocument, source: SourceDocument, columns: readonly Column[]): LatestRow[] {
  const find = (name: string) => columns.find((column) => column.field.name === name);
  const times = readStoredTimes(columns);
  const available = source.availableAt === undefined ? undefined : wordsOf(find('available') as Column);
  const rows = times.event.length / 2;
  const keys = readStoredKeys(view, columns.slice(0, view.keys.length), rows);
  const keysOf = readKeyValues(view, readKeyColumns(view, keys));
  const readers = readFeatures(
    view,
    view.features.map((_, at) => find(`f${at}`) as Column),
  );
  const at = (words: Int32Array, row: number) => instantAt({ words }, row);
  return Array.from({ length: rows }, (_, row) => ({
    keys: keysOf(row),
    eventUs: at(times.event, row),
    createdUs: times.created === undefined || times.createdNulls?.(row) === true ? null : at(times.created, row),
    availableUs: available === undefined ? null : at(available, row),
    values: readers.map((read) => read(row)),
  }));
}

/** Whether the files of a Parquet table agree on the types of its columns: DuckDB casts what differs without a word. */
import { FeatureStoreError } from '../../errors.ts';
import type { ColumnDocument, TableDocument } from '../../registry/document.ts';
import type { TableState } from '../source-state.ts';
import type { Session } from './engine.ts';
import { quoteFiles } from './sql.ts';
import { compileTable } from './table.ts';

/** Integers and floats by width: a narrower one becomes a wider one without loss. */
const widening: readonly (readonly string[])[] = [
  ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'],
  ['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'HUGEINT'],
  ['UTINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'],
  ['USMALLINT', 'INTEGER', 'BIGINT'],
  ['UINTEGER', 'BIGINT'],
  ['FLOAT', 'DOUBLE'],
];

/**
 * Fails with FAILED_PRECONDITION, naming file and column, where a file has another type than the table as a whole (`columns`) and
 * values would change on their way: text read as numbers, a time without a zone read as UTC.
 */
export async function checkFileTypes(
  session: Session,
  table: TableDocument,
  { files }: Pick<TableState, 'files'>,
  columns: readonly ColumnDocument[],
  source: string,
): Promise<void> {
  if (table.format !== 'parquet' || files.length === 1) return;
  const shapes = await listShapes(
    session,
    files.map((file) => file.absolutePath),
  );
  if (shapes.length === 1) return;
  for (const { file, nulls } of shapes) {
    const own = await session.describe(`select * from ${compileTable({ ...table, hivePartitioning: false }, [file])}`);
    for (const { name, type } of own) {
      const whole = columns.find((column) => column.name === name)?.type;
      if (whole === undefined || nulls.includes(name) || keepsValues(String(type), whole)) continue;
      const path = files.find(({ absolutePath }) => absolutePath === file)?.path ?? file;
      throw new FeatureStoreError(
        'FAILED_PRECONDITION',
        `source "${source}": file "${path}" has column "${name}" as ${type}, and its other files have ${whole}; write them with one type, or make two sources of them`,
        { details: { source, file: path, column: name } },
      );
    }
  }
}

/** One file for each schema that occurs, and those of its columns that hold nothing but nulls by their type. */
async function listShapes(
  session: Session,
  files: readonly string[],
): Promise<{ readonly file: string; readonly nulls: readonly string[] }[]> {
  const rows = await session.rows(`
    select min(file_name) as file, any_value(nulls) as nulls from (
      select file_name, list(name) filter (logical_type like 'NullType%') as nulls,
        list({n: name, t: duckdb_type, c: num_children, v: converted_type, l: logical_type} order by column_id) as shape
      from parquet_schema(${quoteFiles(files)}) group by file_name)
    group by shape order by file`);
  return rows.map((row) => ({ file: row.file as string, nulls: (row.nulls as string[] | null) ?? [] }));
}

function keepsValues(from: string, to: string): boolean {
  return (
    from === to ||
    widening.some((types) => types.includes(to) && types.indexOf(from) !== -1 && types.indexOf(from) < types.indexOf(to))
  );
}

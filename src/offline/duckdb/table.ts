/** A table of files as DuckDB reads it: the table function, its options, and the types fixed at apply. */
import type { ColumnDocument, TableDocument } from '../../registry/document.ts';
import type { TableState } from '../source-state.ts';
import { quoteFiles, quoteName, quoteOption, quoteText } from './sql.ts';

const readers = { parquet: 'read_parquet', csv: 'read_csv', json: 'read_json' } as const;

/** How CSV is quoted by RFC 4180. DuckDB would guess it from the rows, and then take the quotes of some files for text. */
const csvQuotes = { quote: '"', escape: '"' };

/**
 * The table function over `files` (absolute paths). With `columns`, text formats are read with those types rather than with
 * whatever today's rows look like; Parquet carries its own. With `fileColumn` there is a
 * column of that name for the file of each row.
 */
export function compileTable(
  table: TableDocument,
  files: readonly string[],
  columns?: readonly ColumnDocument[],
  fileColumn?: string,
): string {
  const given = table.format === 'csv' ? { ...csvQuotes, ...table.options } : table.options;
  const options = Object.entries(given).map(([name, value]) => `${quoteName(name)} = ${quoteOption(value)}`);
  options.unshift(`hive_partitioning = ${table.hivePartitioning}`);
  if (fileColumn !== undefined) options.push(`filename = ${quoteText(fileColumn)}`);
  const declared = table.format === 'csv' ? Object.entries(table.columnTypes ?? {}).map(([name, type]) => ({ name, type })) : [];
  const stored = (columns ?? declared).filter((column) => !isPartition(table, files, column.name));
  if (table.format !== 'parquet' && stored.length > 0) {
    const types = stored.map((column) => `${quoteText(column.name)}: ${quoteText(column.type)}`).join(', ');
    options.push(table.format === 'csv' ? `types = {${types}}` : `columns = {${types}}`);
  }
  return `${readers[table.format]}(${quoteFiles(files)}, ${options.join(', ')})`;
}

/** Tells rows of an archive from the table's own: a name that no column has. */
const pushedMark = quoteName('~ pushed ~');

/** The rows of a table and of its archive, whose columns are matched by name, without erased ones of the archive. */
export function compileWholeTable(
  table: TableDocument,
  { files, archived, erased }: Pick<TableState, 'files' | 'archived' | 'erased'>,
  columns?: readonly ColumnDocument[],
  fileColumn?: string,
): string {
  const pathsOf = (states: TableState['files']) => states.map((file) => file.absolutePath);
  const pushed = `read_parquet(${quoteFiles(pathsOf(archived))}, union_by_name = true${fileColumn === undefined ? '' : `, filename = ${quoteText(fileColumn)}`})`;
  if (files.length === 0) return erased === undefined ? pushed : `(select * from ${pushed} where (${erased}) is not true)`;
  const own = compileTable(table, pathsOf(files), columns, fileColumn);
  if (archived.length === 0) return own;
  if (erased === undefined) return `(select * from ${own} union all by name select * from ${pushed})`;
  // Over both, as pushed files may lack a column that the condition names.
  const both = `select *, false as ${pushedMark} from ${own} union all by name select *, true as ${pushedMark} from ${pushed}`;
  return `(select * exclude (${pushedMark}) from (${both}) where not ${pushedMark} or (${erased}) is not true)`;
}

/** Hive partitions are columns that stand in the path, as `day=2026-03-10`. */
function isPartition(table: TableDocument, files: readonly string[], column: string): boolean {
  return table.hivePartitioning && files.some((file) => file.includes(`/${column}=`));
}

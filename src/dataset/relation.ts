/** The rows of a dataset as a relation in SQL. */
import { join } from 'node:path';
import { quoteName, quoteText } from '../offline/duckdb/sql.ts';
import { type DatasetSplit, fileRows, rowColumn } from './manifest.ts';

/** All rows; undefined where there is no file. */
export function relationOf(directory: string, splits: readonly DatasetSplit[]): string | undefined {
  const files = splits.flatMap(({ files }) => files.map(({ path }) => quoteText(join(directory, path))));
  return files.length === 0 ? undefined : `read_parquet([${files.join(', ')}], hive_partitioning = false)`;
}

/** The same with the column `__row` in any case: in one part a file's rows follow those of the files before it. */
export function numberedRelationOf(directory: string, splits: readonly DatasetSplit[]): string | undefined {
  if (splits.length > 1) return relationOf(directory, splits);
  const parts = (splits[0]?.files ?? []).map(
    ({ path }, index) =>
      `select * exclude (file_row_number), file_row_number + ${index * fileRows} as ${quoteName(rowColumn)} ` +
      `from read_parquet(${quoteText(join(directory, path))}, hive_partitioning = false, file_row_number = true)`,
  );
  return parts.length === 0 ? undefined : `(${parts.join(' union all ')})`;
}

/** The files of a source must still have what apply bound: a changed column is named, never silently cast. */
import type { DuckDBType } from '@duckdb/node-api';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { ColumnDocument } from '../../registry/document.ts';

export interface FoundColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

export interface CheckedColumns {
  /** The source's name. */
  readonly source: string;
  /** Names of the columns that are read. */
  readonly used: Iterable<string>;
  readonly bound: readonly ColumnDocument[];
  readonly found: readonly FoundColumn[];
  /** Which of several tables it is, for the error. */
  readonly where?: string;
}

/** FAILED_PRECONDITION names the first column that is missing or has another type. */
export function checkColumns({ source, used, bound, found, where }: CheckedColumns): void {
  const wanted = new Set(used);
  const names = found.map((column) => column.name);
  for (const column of bound) {
    if (!wanted.has(column.name)) continue;
    const now = found.find(({ name }) => name === column.name);
    if (now !== undefined && String(now.type) === column.type) continue;
    const what =
      now === undefined
        ? `has lost column "${column.name}"${didYouMean(column.name, names)}`
        : `has column "${column.name}" as ${now.type}`;
    const place = where === undefined ? '' : ` (in ${where})`;
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `source "${source}"${place} ${what}, and was applied with ${column.type}; restore its files, or run plan and apply`,
      { details: { source, column: column.name } },
    );
  }
}

/** Parquet times in nanoseconds with a zone, which DuckDB cuts to microseconds toward 1970 (rule 1.1 floors them). */
import { FeatureStoreError } from '../../errors.ts';
import type { SourceDocument } from '../../registry/document.ts';
import type { Session } from '../duckdb/engine.ts';
import { quoteFiles, quoteName } from '../duckdb/sql.ts';

/**
 * Fails with FAILED_PRECONDITION where such a column says when rows happened, were made or landed and holds a time before 1970,
 * which may then stand a microsecond late.
 */
export async function refuseCutNanoseconds(
  session: Session,
  source: SourceDocument,
  table: string,
  files: readonly string[],
): Promise<void> {
  if (source.table.format !== 'parquet') return;
  const names = [source.eventTimestamp, source.createdTimestamp, source.availableAt].flatMap((name) => name ?? []);
  const rows = await session.rows(
    `select distinct name from parquet_schema(${quoteFiles(files)})
     where duckdb_type = 'TIMESTAMP WITH TIME ZONE' and logical_type like '%NANOS=NanoSeconds%'`,
  );
  const cut = rows.map((row) => row.name as string).filter((name) => names.includes(name));
  if (cut.length === 0) return;
  const least = cut.map((name, index) => `epoch_us(min(t.${quoteName(name)})) as m${index}`);
  const [found] = await session.rows(`select ${least.join(', ')} from ${table} as t`);
  for (const [index, column] of cut.entries()) {
    const us = found?.[`m${index}`] as bigint | null | undefined;
    if (us == null || us >= 0n) continue;
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `source "${source.name}": column "${column}" is timestamp[ns] with a zone and holds times before 1970, which cannot be read to the microsecond; write the column in microseconds (pyarrow: coerce_timestamps="us", pandas: df["${column}"].dt.as_unit("us"))`,
      { details: { source: source.name, column } },
    );
  }
}

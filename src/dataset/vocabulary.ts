/** The values of a column of text, each with its id: 1 and up in the order of code points; 0 stands for null and for what is unknown. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '../offline/duckdb/engine.ts';
import { quoteName, quoteText } from '../offline/duckdb/sql.ts';
import type { ColumnStatistics, DataFile } from './manifest.ts';
import { describeFile } from './write-rows.ts';

/** A column with more different values has no vocabulary. */
export const maxVocabulary = 1_000_000;
/** Most frequent values that are told. */
const topValues = 20;

export interface DescribedText {
  readonly statistics: Pick<ColumnStatistics, 'nulls' | 'distinct' | 'distinct_exact' | 'top'>;
  readonly vocabulary: DataFile | null;
}

/** Counts the values of column `name` and writes `vocabulary/NAME.parquet` into a draft's folder. */
export async function describeText(session: Session, relation: string, name: string, draft: string): Promise<DescribedText> {
  const column = quoteName(name);
  await session.rows(
    `create or replace temp table counted as select ${column} as value, count(*) as n from ${relation} group by 1`,
  );
  const [row = {}] = await session.rows(
    'select count(value) as values, coalesce(sum(n) filter (where value is null), 0)::bigint as nulls from counted',
  );
  const distinct = Number(row.values);
  const top = await session.rows(
    `select value, n from counted where value is not null order by n desc, value limit ${topValues}`,
  );
  return {
    statistics: {
      nulls: Number(row.nulls),
      distinct,
      distinct_exact: true,
      top: top.map(({ value, n }) => ({ value: value as string, rows: Number(n) })),
    },
    vocabulary: distinct > maxVocabulary ? null : await writeVocabulary(session, name, distinct, draft),
  };
}

async function writeVocabulary(session: Session, name: string, rows: number, draft: string): Promise<DataFile> {
  await mkdir(join(draft, 'vocabulary'), { recursive: true });
  const path = `vocabulary/${encodeURIComponent(name)}.parquet`;
  await session.rows(
    `copy (select cast(row_number() over (order by value) as integer) as id, value from counted where value is not null order by value)
     to ${quoteText(join(draft, path))} (format parquet, compression zstd)`,
  );
  return { ...(await describeFile(draft, path)), rows };
}

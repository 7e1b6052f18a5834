/** Times in JSON text: DuckDB reads them all as local ones, also those that carry an offset, which it has applied by then. */
import { FeatureStoreError } from '../../errors.ts';
import type { ColumnDocument, TableDocument } from '../../registry/document.ts';
import type { Session } from './engine.ts';
import { quoteName } from './sql.ts';
import { compileTable } from './table.ts';

/** An offset behind a time of day: `12:00Z`, `12:00:00.5+02:00`, `12:00:00 -0730`. */
const offsetPattern = '(?i):[0-9]{2}([.,][0-9]+)?\\s*(z|[+-][0-9]{2}(:?[0-9]{2})?)\\s*$';

/**
 * The columns of a JSON table, those whose times all carry an offset as TIMESTAMP WITH TIME ZONE. FAILED_PRECONDITION names a column
 * that mixes times with and without one: no single reading of it is right.
 */
export async function typeJsonTimes(
  session: Session,
  table: TableDocument,
  files: readonly string[],
  columns: readonly ColumnDocument[],
): Promise<readonly ColumnDocument[]> {
  const times = columns.filter((column) => column.type === 'TIMESTAMP');
  if (table.format !== 'json' || table.options.timestampformat !== undefined || times.length === 0) return columns;
  const asText = compileTable(
    table,
    files,
    times.map((column) => ({ name: column.name, type: 'VARCHAR' })),
  );
  const counts = times.flatMap(({ name }, index) => [
    `count(${quoteName(name)}) as all${index}`,
    `count(*) filter (regexp_matches(${quoteName(name)}, '${offsetPattern}')) as zoned${index}`,
  ]);
  const [row = {}] = await session.rows(`select ${counts.join(', ')} from ${asText}`);
  return columns.map((column) => {
    const index = times.indexOf(column);
    const [all, zoned] = [row[`all${index}`], row[`zoned${index}`]] as [bigint, bigint];
    if (index < 0 || zoned === 0n) return column;
    if (zoned === all) return { name: column.name, type: 'TIMESTAMP WITH TIME ZONE' };
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `column "${column.name}" has times with an offset (${zoned}) and without one (${all - zoned}); write all of them in one way`,
      { details: { column: column.name } },
    );
  });
}

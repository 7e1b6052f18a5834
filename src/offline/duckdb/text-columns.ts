/** Column types of text formats: as declared where they are, and times told apart by whether their text carries an offset. */
import { FeatureStoreError } from '../../errors.ts';
import type { ColumnDocument, TableDocument } from '../../registry/document.ts';
import type { Session } from './engine.ts';
import { quoteName } from './sql.ts';
import { compileTable } from './table.ts';

const instant = 'TIMESTAMP WITH TIME ZONE';

/** An offset behind a time of day: `12:00Z`, `12:00:00.5+02:00`, `12:00:00 -0730`. */
const offsetPattern = '(?i):[0-9]{2}([.,][0-9]+)?\\s*(z|[+-][0-9]{2}(:?[0-9]{2})?)\\s*$';

/**
 * The columns of a table with the types to read them as. DuckDB finds in JSON local times only, offsets already applied to them, and
 * reads a declared instant without an offset by UTC: so the text decides. FAILED_PRECONDITION names a column that mixes times with
 * and without an offset, or is declared an instant and has none.
 */
export async function typeTextColumns(
  session: Session,
  table: TableDocument,
  files: readonly string[],
  found: readonly ColumnDocument[],
): Promise<readonly ColumnDocument[]> {
  if (table.format === 'parquet') return found;
  const columns = found.map(({ name, type }) => ({ name, type: table.columnTypes?.[name] ?? type }));
  const isDeclared = (name: string) => table.columnTypes?.[name] !== undefined;
  const doubtful = columns.filter(({ name, type }) =>
    isDeclared(name) ? type === instant : table.format === 'json' && type === 'TIMESTAMP',
  );
  if (doubtful.length === 0 || table.options.timestampformat !== undefined) return columns;
  const counts = await countOffsets(session, table, files, doubtful);
  return columns.map((column) => {
    const { all, zoned } = counts.get(column.name) ?? { all: 0n, zoned: 0n };
    if (all === 0n || (zoned === 0n && !isDeclared(column.name))) return column;
    if (zoned === all) return { name: column.name, type: instant };
    throw mixedTimes(column.name, zoned, all - zoned);
  });
}

/** By column how many times there are, and how many carry an offset. */
async function countOffsets(
  session: Session,
  table: TableDocument,
  files: readonly string[],
  columns: readonly ColumnDocument[],
): Promise<ReadonlyMap<string, { all: bigint; zoned: bigint }>> {
  const asText = columns.map(({ name }) => ({ name, type: 'VARCHAR' }));
  const counts = columns.flatMap(({ name }, index) => [
    `count(${quoteName(name)}) as all${index}`,
    `count(*) filter (regexp_matches(${quoteName(name)}, '${offsetPattern}')) as zoned${index}`,
  ]);
  const [row = {}] = await session.rows(`select ${counts.join(', ')} from ${compileTable(table, files, asText)}`);
  return new Map(
    columns.map(({ name }, index) => [name, { all: row[`all${index}`] as bigint, zoned: row[`zoned${index}`] as bigint }]),
  );
}

function mixedTimes(column: string, zoned: bigint, local: bigint): FeatureStoreError {
  const fix = zoned === 0n ? 'leave it out of columnTypes, and set timezone on the source' : 'write all of them in one way';
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `column "${column}" has ${zoned} times with an offset and ${local} without one; ${fix}`,
    { details: { column, withOffset: Number(zoned), withoutOffset: Number(local) } },
  );
}

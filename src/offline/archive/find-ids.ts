/** Which ids stand in files of an archive: those of events so old that nothing else remembers them. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { LiteralValue } from '../../definitions/literal.ts';
import { quoteFiles, quoteName, quoteText } from '../duckdb/sql.ts';

/** The places of the ids that are there, by values of their type, whatever type the column had in older files; nulls are nowhere. */
export async function findIds(
  connection: DuckDBConnection,
  files: readonly string[],
  column: string,
  ids: readonly LiteralValue[],
): Promise<ReadonlySet<number>> {
  const wanted = ids.flatMap((id, at) => (id === null ? [] : [`(${writeId(id)}, ${at})`]));
  const some = ids.find((id) => id !== null);
  if (files.length === 0 || some === undefined || some === null) return new Set();
  const rows = `read_parquet(${quoteFiles(files)}, union_by_name = true)`;
  // Files may all be older than the column.
  if (!(await connection.run(`select * from ${rows} limit 0`)).columnNames().includes(column)) return new Set();
  const found = await connection.runAndReadAll(
    `select wanted.place from (values ${wanted.join(', ')}) as wanted(id, place)
     semi join (select try_cast(${quoteName(column)} as ${typeOf(some)}) as id from ${rows}) as events using (id)`,
  );
  return new Set(found.getRows().map(([place]) => Number(place)));
}

function typeOf(id: Exclude<LiteralValue, null>): string {
  if (id instanceof Uint8Array) return 'blob';
  return typeof id === 'string' ? 'varchar' : 'bigint';
}

/** An id in SQL, of the type of its column. */
export function writeId(id: Exclude<LiteralValue, null>): string {
  if (id instanceof Uint8Array) return `from_hex('${Buffer.from(id).toString('hex')}')`;
  return typeof id === 'string' ? quoteText(id) : `cast(${id} as bigint)`;
}

/** A query's answer as Arrow columns, part by part. */
import type { Column } from '../../arrow/column.ts';
import { createChunkAppender } from '../../arrow/from-duckdb.ts';
import { type Field, field } from '../../arrow/schema.ts';
import type { Session } from './engine.ts';

/**
 * Parts of at most `partRows` rows and one chunk (2,048 rows), cut also once they hold `partBytes`; throws if the query does not
 * reach its end.
 */
export async function* readColumns(
  session: Session,
  sql: string,
  fields: readonly Field[],
  partRows: number,
  partBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Column[], void> {
  // The stream's marker of its end stands behind the query's own columns.
  const appender = createChunkAppender([...fields, field('_end', { id: 'bool' })]);
  const take = () => appender.take().slice(0, fields.length);
  for await (const chunk of session.stream(sql)) {
    appender.append(chunk);
    if (appender.rows + 2048 > partRows || appender.bytes >= partBytes) yield take();
  }
  if (appender.rows > 0) yield take();
}

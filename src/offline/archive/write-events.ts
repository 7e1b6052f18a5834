/** Decoded events of a stream or a push as a Parquet file: declared columns by their declared types, and where each event came from. */
import { BIGINT, BOOLEAN, type DuckDBConnection, DuckDBDataChunk, type DuckDBType, UBIGINT } from '@duckdb/node-api';
import type { LiteralValue } from '../../definitions/literal.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { SourceDocument } from '../../registry/document.ts';
import { quoteName, quoteText } from '../duckdb/sql.ts';
import { declaredColumns, originColumns } from './archived-columns.ts';
import { type CopyRows, compileCopy, copyBig } from './event-columns.ts';

/** Events of one partition, in the order of their offsets. */
export interface StagedEvents {
  /** The event timestamp (microseconds) and the declared columns, by name, as plain values of their types. */
  readonly columns: Readonly<Record<string, readonly LiteralValue[]>>;
  /** By event; several events of one record have its offset. */
  readonly offsets: readonly bigint[];
  readonly late: readonly boolean[];
  readonly partition: string;
}

const chunkRows = 2048;
/** Names in the table that no column of a source has. */
const own = { high: quoteName('~ high ~'), low: quoteName('~ low ~'), late: quoteName('~ late ~') };

/** `format` is what stands behind the file's name in `copy … to`. */
export async function writeEvents(
  connection: DuckDBConnection,
  path: string,
  source: SourceDocument,
  events: StagedEvents,
  format: string,
): Promise<void> {
  const columns = declaredColumns(source);
  const values = columns.map(({ name }) => columnOf(source, events, name));
  const names = columns.map(({ name }) => quoteName(name));
  const isWide = events.offsets.some((offset) => offset >> 64n !== 0n);
  const described = columns.map(({ type }, at) => `${names[at]} ${type}`);
  const parts = [...described, `${own.low} ubigint`, `${own.late} boolean`, ...(isWide ? [`${own.high} bigint`] : [])];
  const created = await connection.run(`create or replace temp table events (${parts.join(', ')}); select * from events limit 0`);
  const types: DuckDBType[] = columns.map((_, at) => created.columnType(at) as DuckDBType);
  const copies: CopyRows[] = types.map((type, at) => compileCopy(type, values[at] as readonly LiteralValue[]));
  types.push(UBIGINT, BOOLEAN);
  copies.push(copyBig(BigUint64Array.from(events.offsets)), compileCopy(BOOLEAN, events.late));
  if (isWide) {
    types.push(BIGINT);
    copies.push(copyBig(BigInt64Array.from(events.offsets, (offset) => offset >> 64n)));
  }
  await appendRows(connection, types, copies, events.offsets.length);
  const offset = isWide ? `${own.high}::hugeint * 18446744073709551616 + ${own.low}` : own.low;
  const origin = [
    [quoteText(events.partition), originColumns.partition],
    [offset, originColumns.offset],
    [own.late, originColumns.late],
  ] as const;
  const selected = [...names, ...origin.map(([value, { name, type }]) => `cast(${value} as ${type}) as ${quoteName(name)}`)];
  try {
    await connection.run(`copy (select ${selected.join(', ')} from events) to ${quoteText(path)} ${format}`);
  } finally {
    await connection.run('drop table events');
  }
}

async function appendRows(
  connection: DuckDBConnection,
  types: readonly DuckDBType[],
  copies: readonly CopyRows[],
  count: number,
): Promise<void> {
  const appender = await connection.createAppender('events');
  for (let from = 0; from < count; from += chunkRows) {
    const to = Math.min(count, from + chunkRows);
    const chunk = DuckDBDataChunk.create(types, to - from);
    for (const [column, copy] of copies.entries()) copy(chunk, column, from, to);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

function columnOf(source: SourceDocument, { columns, offsets, late }: StagedEvents, name: string): readonly LiteralValue[] {
  const values = columns[name];
  if (values?.length === offsets.length && late.length === offsets.length) return values;
  throw new FeatureStoreError(
    'INTERNAL',
    `source "${source.name}": ${offsets.length} events came with ${values?.length ?? 'no'} values of "${name}"`,
    { details: { source: source.name, column: name } },
  );
}

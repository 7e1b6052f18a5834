/** Where the events of a source stand: its tables, and the files of its archive by shape, each as one relation of the same columns. */
import { basename } from 'node:path';
import { DuckDBTypeId } from '@duckdb/node-api';
import type { HistoryTableDocument, SourceDocument } from '../../registry/document.ts';
import { tablesOf } from '../../registry/source-tables.ts';
import { declaredColumns, originColumns } from '../archive/archived-columns.ts';
import { shapeOf } from '../archive/manifest.ts';
import type { Session } from '../duckdb/engine.ts';
import { checkFileTypes } from '../duckdb/file-types.ts';
import { compileInstantUs, isZoneless } from '../duckdb/instant.ts';
import { quoteFiles, quoteName, quoteText } from '../duckdb/sql.ts';
import { compileTable } from '../duckdb/table.ts';
import { checkColumns, type FoundColumn } from '../projection/check-columns.ts';
import { refuseCutNanoseconds } from '../projection/nanoseconds.ts';
import { readZone } from '../projection/source-zone.ts';
import type { FileState, TableState } from '../source-state.ts';

/** Next offset of each partition: events of the archive from there on are left out, and those that came too late for serving (rule 6.6). */
export type BeforeOffsets = ReadonlyMap<string, bigint>;

/**
 * Relations whose columns are the event time as an instant, the declared columns by their declared types, and `unfitColumn`: the name
 * of the first column whose archived value is none of its type any more, null where all are. FAILED_PRECONDITION where a table no
 * longer has what apply bound.
 */
export async function bindEventParts(session: Session, input: EventPartsInput): Promise<readonly string[]> {
  const { source, state, before, withOrigin = false } = input;
  const parts: string[] = [];
  for (const [at, table] of tablesOf(source).entries()) {
    parts.push(await bindTablePart(session, source, table, state.byTable[at] ?? [], withOrigin));
  }
  const fileOption = withOrigin ? `, filename = ${quoteText(fileColumn)}` : '';
  for (const files of groupByShape(state.archived)) {
    const archived = `read_parquet(${quoteFiles(files)}, hive_partitioning = false${fileOption})`;
    const found = await session.describe(`select * from ${archived}`);
    const kept = compileBefore(before, found);
    const relation = kept === undefined ? archived : `(select * from ${archived} where ${kept})`;
    const part = await compilePart(session, source, relation, found, withOrigin);
    parts.push(state.erased === undefined ? part : `(select * from ${part} where (${state.erased}) is not true)`);
  }
  return parts;
}

export interface EventPartsInput {
  readonly source: SourceDocument;
  readonly state: Pick<TableState, 'byTable' | 'archived' | 'erased'>;
  readonly before?: BeforeOffsets;
  /** Whether each event also says where it came from: `originNames`, null of what has none. */
  readonly withOrigin?: boolean;
}

/** The name of the column for the file of a row, which no column of a source has. */
export const fileColumn = '~ file ~';

/** File, partition, offset and lateness of an event: names that no column of a source has. */
export const originNames = [fileColumn, '~ partition ~', '~ offset ~', '~ late ~'] as const;

/** A name that no column of a source has. */
export const unfitColumn = quoteName('~ unfit ~');

async function bindTablePart(
  session: Session,
  source: SourceDocument,
  table: HistoryTableDocument,
  files: readonly FileState[],
  withOrigin: boolean,
): Promise<string> {
  const paths = files.map((file) => file.absolutePath);
  const relation = compileTable(table, paths, table.columns, withOrigin ? fileColumn : undefined);
  const found = await session.describe(`select * from ${relation}`);
  const declared = declaredColumns(source).map(({ name }) => name);
  const where = tablesOf(source).length > 1 ? table.paths.map((path) => `"${path}"`).join(', ') : undefined;
  checkColumns({ source: source.name, used: declared, bound: table.columns, found, where });
  await checkFileTypes(session, table, { files }, table.columns, source.name);
  await refuseCutNanoseconds(session, { ...source, table }, relation, paths);
  return await compilePart(session, source, relation, found, withOrigin);
}

/** Files of one shape, in the order of their names; those of other shapes are of other versions of the source. */
function groupByShape(files: readonly FileState[]): Iterable<readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { absolutePath } of files) {
    const shape = shapeOf(basename(absolutePath));
    const group = groups.get(shape) ?? [];
    groups.set(shape, group);
    group.push(absolutePath);
  }
  return groups.values();
}

function compileBefore(before: BeforeOffsets | undefined, found: readonly FoundColumn[]): string | undefined {
  const { partition, offset, late } = originColumns;
  if (before === undefined || !found.some(({ name }) => name === offset.name)) return undefined;
  const onTime = `${quoteName(late.name)} is not true`;
  if (before.size === 0) return onTime;
  const limits = [...before].map(([name, next]) => `when ${quoteText(name)} then ${quoteName(offset.name)} < ${next}`);
  return `${onTime} and case ${quoteName(partition.name)} ${limits.join(' ')} else true end`;
}

async function compilePart(
  session: Session,
  source: SourceDocument,
  relation: string,
  found: readonly FoundColumn[],
  withOrigin: boolean,
): Promise<string> {
  const typeOf = new Map(found.map(({ name, type }) => [name, type]));
  const [, ...declared] = declaredColumns(source);
  const own = (name: string) => `t.${quoteName(name)}`;
  const changed = declared.filter(({ name, type }) => typeOf.has(name) && String(typeOf.get(name)) !== type);
  const columns = declared.map(({ name, type }) => {
    const value = typeOf.has(name) ? `try_cast(${own(name)} as ${type})` : `cast(null as ${type})`;
    return `${String(typeOf.get(name)) === type ? own(name) : value} as ${quoteName(name)}`;
  });
  const unfit = changed.map(
    ({ name, type }) => `when ${own(name)} is not null and try_cast(${own(name)} as ${type}) is null then ${quoteText(name)}`,
  );
  const mark = unfit.length === 0 ? 'cast(null as varchar)' : `case ${unfit.join(' ')} end`;
  const time = await compileTime(session, source, relation, found);
  const selected = [`${time} as ${quoteName(source.eventTimestamp)}`, ...columns, `${mark} as ${unfitColumn}`];
  if (withOrigin) selected.push(...compileOrigin(typeOf));
  return `(select ${selected.join(', ')} from ${relation} as t)`;
}

function compileOrigin(found: ReadonlyMap<string, unknown>): readonly string[] {
  const { partition, offset, late } = originColumns;
  return [{ name: fileColumn, type: 'VARCHAR' }, partition, offset, late].map(({ name, type }, at) => {
    const value = found.has(name) ? `t.${quoteName(name)}` : 'null';
    return `cast(${value} as ${type}) as ${quoteName(originNames[at] as string)}`;
  });
}

/** The event time as an instant; null where files of an older version of the source have none. */
async function compileTime(
  session: Session,
  source: SourceDocument,
  relation: string,
  found: readonly FoundColumn[],
): Promise<string> {
  const column = found.find(({ name }) => name === source.eventTimestamp);
  const value = `t.${quoteName(source.eventTimestamp)}`;
  if (column?.type.typeId === DuckDBTypeId.TIMESTAMP_TZ) return value;
  if (column === undefined || !isZoneless(column.type.typeId)) return 'cast(null as timestamptz)';
  const zone = await readZone(session, { features: [] }, source, relation, [column]);
  return `try(make_timestamptz(${compileInstantUs(value, column.type.typeId, zone)}))`;
}

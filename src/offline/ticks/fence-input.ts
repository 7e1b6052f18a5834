/** An input of an SQL source behind its fence: only rows before the tick that could be read by then, whatever the statement asks for. */
import type { DuckDBType } from '@duckdb/node-api';
import { parseValueType } from '../../definitions/value-type.ts';
import type { FeatureDocument, QueryInputDocument, SourceDocument, ViewDocument } from '../../registry/document.ts';
import { eventViewOf } from '../../registry/event-view.ts';
import type { Session } from '../duckdb/engine.ts';
import { compileInstantUs, isZoneless } from '../duckdb/instant.ts';
import { quoteName } from '../duckdb/sql.ts';
import { bindProjection } from '../projection/bind.ts';
import { compileFeature, type ProjectionQuery } from '../projection/compile.ts';
import type { TableState } from '../source-state.ts';
import type { InputRelation } from './compose-statement.ts';

export interface Fence {
  /** Rows of this event time and later are not there. */
  readonly tickUs: bigint;
  /** Nor are those that could not be read by this instant: tick + offset. */
  readonly visibleUs: bigint;
  /** Under as-known-at the instant by which a row was created; undefined where that decides nothing. */
  readonly knownUs: bigint | undefined;
}

/**
 * The rows of a batch source, or the valid events of an event source, each once, with the columns that the statement may read. Times of the
 * source are instants. FAILED_PRECONDITION where the files no longer hold what apply bound.
 */
export async function fenceInput(
  session: Session,
  input: QueryInputDocument,
  source: SourceDocument,
  state: TableState,
  fence: Fence,
): Promise<InputRelation> {
  const { view, columnOf } = readColumns(input, source);
  const query = await bindProjection(session, { view, source, state });
  const typeOf = new Map(query.columns.map(({ name, type }) => [name, type]));
  const values = input.columns.map(({ name, type }) => {
    const column = columnOf(name);
    return `${compileFeature(`t.${quoteName(column)}`, typeOf.get(column) as DuckDBType, parseValueType(type), query.zone)} as ${quoteName(name)}`;
  });
  // A statement may count rows and read nothing of them.
  const selected = values.length === 0 ? ['true as "~"'] : values;
  const where = compileFence(source, query, typeOf, fence).join(' and ');
  return { name: source.name, sql: `select ${selected.join(', ')} from ${query.table} as t where ${where}` };
}

/** The input as a view of its source, so that it is bound and checked as every view is, and where its columns then stand. */
function readColumns(
  { columns }: QueryInputDocument,
  source: SourceDocument,
): { readonly view: ViewDocument; readonly columnOf: (name: string) => string } {
  const common = { name: source.name, entities: [], source: source.name, keys: [], asKnown: false, tags: {}, file: source.file };
  if (source.events === undefined) {
    const features = columns.map(({ name, type }) => ({ name, type, column: name, hash: '' }));
    return { view: { ...common, kind: 'batch', features }, columnOf: (name) => name };
  }
  const features = columns.filter(({ name }) => name !== source.eventTimestamp).map(eventFeature);
  const { view } = eventViewOf({ ...common, kind: 'stream', features });
  const places = new Map(features.map(({ name }, at) => [name, view.features[at]?.column as string]));
  return { view, columnOf: (name) => places.get(name) ?? name };
}

/** An aggregate over one column as it is: what is read of the events is that column. */
function eventFeature({ name, type }: { readonly name: string; readonly type: string }): FeatureDocument {
  const value = { text: name, tree: { kind: 'column', name, type: parseValueType(type) } } as const;
  return { name, type, column: name, hash: '', aggregate: { function: 'last', value } };
}

/** A null time is never before anything, so that its row is not there (rules 1.5 and 3). */
function compileFence(
  source: SourceDocument,
  { zone }: ProjectionQuery,
  typeOf: ReadonlyMap<string, DuckDBType>,
  { tickUs, visibleUs, knownUs }: Fence,
): string[] {
  const compare = (column: string, sign: '<' | '<=', us: bigint) => {
    const { typeId } = typeOf.get(column) as DuckDBType;
    const value = `t.${quoteName(column)}`;
    // As it stands in the file, a column is compared with what files say of their parts, which are then not read.
    if (!isZoneless(typeId)) return `${value} ${sign} make_timestamptz(${us}::bigint)`;
    return `${compileInstantUs(value, typeId, zone)} ${sign} ${us}::bigint`;
  };
  const conditions = [compare(source.eventTimestamp, '<', tickUs)];
  if (source.availableAt !== undefined) conditions.push(compare(source.availableAt, '<=', visibleUs));
  if (source.createdTimestamp !== undefined && knownUs !== undefined)
    conditions.push(compare(source.createdTimestamp, '<=', knownUs));
  return conditions;
}

/** The query that reads a view's rows from its source in the order in which the look-up needs them. */
import { DuckDBListType, DuckDBTimestampTZType, type DuckDBType } from '@duckdb/node-api';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import { compileInstantUs, isZoneless, type ZoneSteps } from '../duckdb/instant.ts';
import { compileLambda, quoteName } from '../duckdb/sql.ts';
import { compileSignOrder, compileValueIdentity, compileValueOrder } from '../duckdb/value-order.ts';

export interface ProjectionQuery {
  readonly view: ViewDocument;
  readonly source: SourceDocument;
  /** The table function that reads the files. */
  readonly table: string;
  /** Every column of the table, in its order. */
  readonly columns: readonly { readonly name: string; readonly type: DuckDBType }[];
  readonly zone: ZoneSteps | undefined;
  /** Whether rows of one key, event and created timestamp are ordered by value and hashed (section 3), which costs a wider sort. */
  readonly byValue: boolean;
  /** What is selected besides, behind all other columns. */
  readonly besides?: readonly string[];
}

/**
 * Columns: `k0`… the keys; `event`, and where the source has them `created` and `available`, in microseconds; `f0`… the
 * features by type; with `byValue` also `row_hash` over the columns that decide a tie. Rows without a key, without an event
 * timestamp, or without a declared available timestamp can never win and are left out (rules 1.5, 2.3, section 3).
 */
export function compileProjection(query: ProjectionQuery): string {
  const { view, source } = query;
  const typeOf = new Map(query.columns.map((column) => [column.name, column.type]));
  const instant = (column: string) => compileInstantUs(columnOf(column), (typeOf.get(column) as DuckDBType).typeId, query.zone);
  const keys = view.keys.map((key, index) => `cast(${columnOf(key.column)} as ${keyTypes[key.type]}) as k${index}`);
  const features = view.features.map((feature, index) => {
    const type = typeOf.get(feature.column) as DuckDBType;
    return `${compileFeature(columnOf(feature.column), type, parseValueType(feature.type), query.zone)} as f${index}`;
  });
  const present = [...view.keys.map((key) => columnOf(key.column)), instant(source.eventTimestamp)];
  if (source.availableAt !== undefined) present.push(instant(source.availableAt));
  const deciding = query.byValue ? decidingColumns(query) : [];
  const order = [...view.keys.map((_, index) => `k${index}`), 'event'];
  if (source.createdTimestamp !== undefined) order.push('created');
  order.push(...deciding.map((column) => compileValueOrder(columnOf(column.name), column.type)));
  order.push(...deciding.flatMap((column) => compileSignOrder(columnOf(column.name), column.type) ?? []));
  // A feature may be read from this column, which does not decide ties.
  if (query.byValue && source.availableAt !== undefined) order.push('available');
  const select = [...keys, `${instant(source.eventTimestamp)} as event`];
  if (source.createdTimestamp !== undefined) select.push(`${instant(source.createdTimestamp)} as created`);
  if (source.availableAt !== undefined) select.push(`${instant(source.availableAt)} as available`);
  select.push(...features);
  const hashed = deciding.map((column) => compileValueIdentity(columnOf(column.name), column.type)).join(', ');
  if (query.byValue) select.push(`${hashed === '' ? '0::ubigint' : `hash(${hashed})`} as row_hash`);
  select.push(...(query.besides ?? []));
  return [
    `select ${select.join(', ')}`,
    `from ${query.table} as t`,
    `where ${present.map((value) => `${value} is not null`).join(' and ')}`,
    `order by ${order.map((expression) => `${expression} asc nulls first`).join(', ')}`,
  ].join('\n');
}

/** A column of the table, qualified: an alias of the query may have the same name. */
function columnOf(name: string): string {
  return `t.${quoteName(name)}`;
}

/** The columns over which equal event and created timestamps are decided: all but the keys and the timestamps. */
function decidingColumns(query: ProjectionQuery): readonly { readonly name: string; readonly type: DuckDBType }[] {
  const { source, view } = query;
  const apart = [source.eventTimestamp, source.createdTimestamp, source.availableAt, ...view.keys.map((key) => key.column)];
  return query.columns.filter((column) => !apart.includes(column.name));
}

const keyTypes = { int32: 'bigint', int64: 'bigint', string: 'varchar', bool: 'bigint', bytes: 'blob' } as const;

const scalarTypes = {
  bool: 'boolean',
  int32: 'integer',
  int64: 'bigint',
  float32: 'float',
  float64: 'double',
  string: 'varchar',
  bytes: 'blob',
  timestamp: 'timestamptz',
  date: 'date',
} as const;

function compileType(type: ValueType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`;
    case 'list':
      return `${compileType(type.element)}[]`;
    case 'vector':
      return `${scalarTypes[type.element]}[${type.length}]`;
    default:
      return scalarTypes[type.kind];
  }
}

/** A column as a feature's type; zone-less timestamps, also inside lists, are read by the source's zone. */
export function compileFeature(value: string, from: DuckDBType, to: ValueType, zone: ZoneSteps | undefined, depth = 0): string {
  if (to.kind === 'timestamp') {
    return isZoneless(from.typeId)
      ? `make_timestamptz(${compileInstantUs(value, from.typeId, zone)})`
      : `cast(${value} as ${DuckDBTimestampTZType.instance})`;
  }
  if (to.kind === 'list' && from instanceof DuckDBListType && containsTimestamp(to)) {
    const element = (name: string) => compileFeature(name, from.valueType, to.element, zone, depth + 1);
    return `list_transform(${value}, ${compileLambda(depth, element)})`;
  }
  return `cast(${value} as ${compileType(to)})`;
}

function containsTimestamp(type: ValueType): boolean {
  return type.kind === 'timestamp' || (type.kind === 'list' && containsTimestamp(type.element));
}

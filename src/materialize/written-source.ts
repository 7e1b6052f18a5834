/** A view as the source of its own rows: what is written to the online store alone has the view's names and types, not its source's. */
import { parseValueType, type ValueType } from '../definitions/value-type.ts';
import type { PushedRows } from '../offline/archive/writer.ts';
import type { SourceDocument, ViewDocument } from '../registry/document.ts';

export interface WrittenSource {
  readonly view: ViewDocument;
  readonly source: SourceDocument;
  readonly rows: PushedRows;
}

/** Timestamps may be named as the source names them, or as Feast's clients do. */
export function asWrittenSource(view: ViewDocument, source: SourceDocument, rows: PushedRows): WrittenSource {
  const names = new Set([...view.keys.map((key) => key.name), ...view.features.map((feature) => feature.name)]);
  const nameOf = (own: string | undefined, common: string) => {
    if (own === undefined) return undefined;
    return (rows[own] !== undefined && !names.has(own)) || names.has(common) ? own : common;
  };
  const eventTimestamp = nameOf(source.eventTimestamp, 'event_timestamp') as string;
  const createdTimestamp = nameOf(source.createdTimestamp, 'created_timestamp');
  const availableAt = nameOf(source.availableAt, 'available_at');
  const times = [eventTimestamp, createdTimestamp, availableAt].filter((name) => name !== undefined && !names.has(name));
  const columns = [
    ...view.keys.map(({ name, type }) => ({ name, type: duckdbType({ kind: type }) })),
    ...view.features.map(({ name, type }) => ({ name, type: duckdbType(parseValueType(type)) })),
    ...times.map((name) => ({ name: name as string, type: 'TIMESTAMP WITH TIME ZONE' })),
  ];
  return {
    view: {
      ...view,
      keys: view.keys.map((key) => ({ ...key, column: key.name })),
      features: view.features.map((feature) => ({ ...feature, column: feature.name })),
    },
    source: { ...source, eventTimestamp, createdTimestamp, availableAt, columns },
    rows: source.createdTimestamp === undefined ? withoutCreated(rows, names) : rows,
  };
}

/** A created timestamp that the source does not have decides nothing. */
function withoutCreated(rows: PushedRows, names: ReadonlySet<string>): PushedRows {
  if (names.has('created_timestamp')) return rows;
  const { created_timestamp: _, ...rest } = rows;
  return rest;
}

const types = {
  bool: 'BOOLEAN',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  bytes: 'BLOB',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  date: 'DATE',
} as const;

function duckdbType(type: ValueType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'list':
      return `${duckdbType(type.element)}[]`;
    case 'vector':
      return `${types[type.element]}[${type.length}]`;
    default:
      return types[type.kind];
  }
}

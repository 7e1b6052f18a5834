/** The events of a source as a relation: those that are valid, each once, with the values of a view's expressions (rules 6.1 and 6.8). */
import { columnTypeOf } from '../../registry/bind/column-type.ts';
import type { EventsDocument, SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { EventView } from '../../registry/event-view.ts';
import { declaredColumns } from '../archive/archived-columns.ts';
import { compileExpression } from '../duckdb/expression.ts';
import { quoteName, quoteText } from '../duckdb/sql.ts';
import { unfitColumn } from '../events/event-parts.ts';

/**
 * `parts` as bindEventParts gives them. Columns: the event time, the keys' by their declared types, and one an expression;
 * behind them those of `besides`, which the parts have too.
 */
export function compileEvents(
  events: EventView,
  source: SourceDocument,
  parts: readonly string[],
  besides: readonly string[] = [],
): string {
  const { view } = events;
  const time = quoteName(source.eventTimestamp);
  const { columns, eventId } = source.events as EventsDocument;
  const from = compileAllEvents(source, parts);
  const valid = `select * from ${from} where ${compileValid(source)}${compileOnce(eventId, time, columns)}`;
  const keys = [...new Set(view.keys.map(({ column }) => quoteName(column)))];
  const values = compileEventValues(events).map((value, at) => `${value} as ${quoteName(view.features[at]?.column as string)}`);
  return `(select ${[time, ...keys, ...values, ...besides.map(quoteName)].join(', ')} from (${valid}))`;
}

/** The values of a view's expressions over the declared columns. */
export function compileEventValues({ expressions }: EventView): readonly string[] {
  return expressions.map(compileExpression);
}

/** Of each key of a view its column, and the value by the key's type. */
export function compileKeys({ keys }: ViewDocument, table = ''): readonly { readonly column: string; readonly value: string }[] {
  return keys.map(({ column: name, type }) => {
    const column = `${table}${quoteName(name)}`;
    return { column, value: `cast(${column} as ${columnTypeOf({ kind: type })})` };
  });
}

/** Valid or not; without a part a relation without rows. */
export function compileAllEvents(source: SourceDocument, parts: readonly string[]): string {
  if (parts.length > 0) return `(${parts.map((part) => `from ${part}`).join(' union all ')})`;
  const columns = declaredColumns(source).map(({ name, type }) => `cast(null as ${type}) as ${quoteName(name)}`);
  return `(select ${[...columns, `cast(null as varchar) as ${unfitColumn}`].join(', ')} where false)`;
}

/** Why an event counts nowhere (rule 6.1); the conditions of one event may be several. */
export interface Invalidity {
  readonly reason: 'no_time' | 'type' | 'vocabulary';
  readonly column: string;
  /** True of the events that it is true of, else false or null. */
  readonly condition: string;
}

export function listInvalidities(source: SourceDocument): readonly Invalidity[] {
  const { columns } = source.events as EventsDocument;
  const time = quoteName(source.eventTimestamp);
  return [
    { reason: 'no_time', column: source.eventTimestamp, condition: `(${time} is null or not isfinite(${time}))` },
    ...columns.map(({ name }) => ({ reason: 'type' as const, column: name, condition: `${unfitColumn} = ${quoteText(name)}` })),
    ...columns.flatMap(({ name, values }) => {
      if (values === undefined) return [];
      const condition = `${quoteName(name)} not in (${values.map(quoteText).join(', ')})`;
      return [{ reason: 'vocabulary' as const, column: name, condition }];
    }),
  ];
}

/** The condition of valid events. */
export function compileValid(source: SourceDocument): string {
  const time = quoteName(source.eventTimestamp);
  const vocabulary = listInvalidities(source)
    .filter(({ reason }) => reason === 'vocabulary')
    .map(({ condition }) => `(${condition}) is not true`);
  return [`${time} is not null`, `isfinite(${time})`, `${unfitColumn} is null`, ...vocabulary].join(' and ');
}

/** Events with equal ids are one: the oldest of them, and of equally old ones the least by value. */
function compileOnce(eventId: string | undefined, time: string, columns: EventsDocument['columns']): string {
  if (eventId === undefined) return '';
  const id = quoteName(eventId);
  const order = [time, ...columns.filter(({ name }) => name !== eventId).map(({ name }) => quoteName(name))];
  const sorted = order.map((column) => `${column} asc nulls first`).join(', ');
  return ` qualify ${id} is null or row_number() over (partition by ${id} order by ${sorted}) = 1`;
}

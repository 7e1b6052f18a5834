/** The events of a source as a relation: those that are valid, each once, with the values of a view's expressions (rules 6.1 and 6.8). */
import { parseValueType } from '../../definitions/value-type.ts';
import { columnTypeOf } from '../../registry/bind/column-type.ts';
import type { EventsDocument, SourceDocument } from '../../registry/document.ts';
import { compileExpression } from '../duckdb/expression.ts';
import { quoteName, quoteText } from '../duckdb/sql.ts';
import type { EventView } from './event-view.ts';

/** `table` reads the source's files. Columns: the keys' and the event time as they are in the files, and one an expression. */
export function compileEvents({ view, expressions }: EventView, source: SourceDocument, table: string): string {
  const { columns, eventId } = source.events as EventsDocument;
  const time = quoteName(source.eventTimestamp);
  const typed = columns.map(
    ({ name, type }) => `cast(${quoteName(name)} as ${columnTypeOf(parseValueType(type))}) as ${quoteName(name)}`,
  );
  const valid = [`${time} is not null`, ...columns.flatMap(compileVocabulary)];
  const events = `select ${[time, ...typed].join(', ')} from ${table} where ${valid.join(' and ')}${compileOnce(eventId, time, columns)}`;
  const keys = [...new Set(view.keys.map(({ column }) => quoteName(column)))];
  const values = expressions.map(
    (expression, at) => `${compileExpression(expression)} as ${quoteName(view.features[at]?.column as string)}`,
  );
  return `(select ${[time, ...keys, ...values].join(', ')} from (${events}))`;
}

function compileVocabulary({ name, values }: EventsDocument['columns'][number]): string[] {
  if (values === undefined) return [];
  return [`(${quoteName(name)} is null or ${quoteName(name)} in (${values.map(quoteText).join(', ')}))`];
}

/** Events with equal ids are one: the oldest of them, and of equally old ones the least by value. */
function compileOnce(eventId: string | undefined, time: string, columns: EventsDocument['columns']): string {
  if (eventId === undefined) return '';
  const id = quoteName(eventId);
  const order = [time, ...columns.filter(({ name }) => name !== eventId).map(({ name }) => quoteName(name))];
  const sorted = order.map((column) => `${column} asc nulls first`).join(', ');
  return ` qualify ${id} is null or row_number() over (partition by ${id} order by ${sorted}) = 1`;
}

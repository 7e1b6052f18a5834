/** Event sources as documents: what they declare of their columns, bound against the real schema of their history. */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { EventSource } from '../../definitions/event-source.ts';
import { formatValueType, parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { didYouMean } from '../../errors.ts';
import type { ColumnDocument, EventsDocument, SourceDocument } from '../document.ts';
import { type Report, reporting } from '../problems.ts';
import { fitsValueType, naturalValueType } from './column-type.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';
import { checkTimes, checkZone, type DescribeTable, pathsOf, readColumns } from './source.ts';
import { bindTable } from './table.ts';

const ownOptions = ['history', 'eventTimestamp', 'eventId', 'lateness', 'timezone', 'ambiguousTime', 'columns'];

/** Checks an event source; `columns` is empty where its history could not be read, which is then reported. */
export async function bindEventSource(
  source: EventSource,
  file: string,
  describeTable: DescribeTable,
  report: Report,
): Promise<SourceDocument> {
  const what = `source "${source.name}"`;
  checkName('source', source.name, report);
  checkOptions(what, source, optionNames(...ownOptions), report);
  checkZone(what, source, report);
  const { lateness } = source;
  if (lateness !== undefined) reporting(report, `${what}: lateness: `, () => parseDurationUs(lateness));
  const table = bindTable(what, source.history, report, 'history');
  const columns = table === undefined ? [] : await readColumns(source.name, table, describeTable, report);
  checkTimes(what, source, ['eventTimestamp'], columns, table, report);
  const declared = bindColumns(what, source, columns, table === undefined ? '' : pathsOf(table), report);
  checkEventId(what, source, declared, report);
  return {
    name: source.name,
    kind: 'event',
    table: table ?? { format: 'parquet', paths: [], hivePartitioning: false, options: {} },
    eventTimestamp: source.eventTimestamp,
    ...(source.timezone === undefined ? {} : { timezone: source.timezone }),
    ...(source.ambiguousTime === undefined ? {} : { ambiguousTime: source.ambiguousTime }),
    columns,
    events: {
      columns: declared,
      ...(source.eventId === undefined ? {} : { eventId: source.eventId }),
      ...(lateness === undefined ? {} : { lateness }),
    },
    ...bindDescribed(what, source, file, report),
  };
}

function bindColumns(
  what: string,
  source: EventSource,
  columns: readonly ColumnDocument[],
  paths: string,
  report: Report,
): EventsDocument['columns'] {
  const declared: [string, unknown][] = isRecord(source.columns) ? Object.entries(source.columns) : [];
  if (declared.length === 0) report(`${what} declares no columns; write columns: { user_id: "int64", event_type: "string" }`);
  return declared.flatMap(([name, options]) => {
    const column = `${what}: column "${name}"`;
    const { type: text, values, ...others } = isRecord(options) ? options : { type: options };
    checkOptions(column, others, ['type', 'values'], report);
    const type = reporting(report, `${column}: `, () => parseValueType(text as string));
    if (type === undefined) return [];
    if (name === source.eventTimestamp) {
      report(`${column} is the event time, which is known already; leave it out of columns`);
      return [];
    }
    checkColumn(column, name, type, columns, paths, report);
    return [{ name, type: formatValueType(type), ...bindValues(column, type, values, report) }];
  });
}

function checkColumn(
  what: string,
  name: string,
  type: ValueType,
  columns: readonly ColumnDocument[],
  paths: string,
  report: Report,
): void {
  if (columns.length === 0) return;
  const found = columns.find((column) => column.name === name);
  if (found === undefined) {
    const names = columns.map((column) => column.name);
    report(`${what} is not in ${paths}${didYouMean(name, names) || `, which has ${names.join(', ')}`}`);
    return;
  }
  const isInstant = type.kind !== 'timestamp' || found.type === 'TIMESTAMP WITH TIME ZONE';
  if (fitsValueType(found.type, type) && isInstant) return;
  const natural = naturalValueType(found.type);
  const fix = natural === undefined || !isInstant ? 'convert it where the files are written' : `declare ${natural}`;
  report(`${what} is ${formatValueType(type)}, and in the history it is ${found.type}; ${fix}`);
}

function bindValues(what: string, type: ValueType, values: unknown, report: Report): { values?: readonly string[] } {
  if (values === undefined) return {};
  const isList = Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string');
  if (!isList) report(`${what}: values is a list of strings, such as ["view", "click"]`);
  else if (type.kind !== 'string') report(`${what}: values are for a string column, and it is ${formatValueType(type)}`);
  else return { values: [...new Set(values as string[])] };
  return {};
}

function checkEventId(what: string, { eventId }: EventSource, declared: EventsDocument['columns'], report: Report): void {
  if (eventId === undefined) return;
  const column = declared.find(({ name }) => name === eventId);
  if (column === undefined) {
    const names = declared.map(({ name }) => name);
    report(`${what}: eventId names column "${eventId}", which it does not declare${didYouMean(String(eventId), names)}`);
  } else if (!['int32', 'int64', 'string', 'bytes'].includes(column.type)) {
    report(`${what}: eventId is a column of integers, strings or bytes, and "${eventId}" is ${column.type}`);
  }
}

/** Event sources as documents: what they declare of their columns, bound against the real schema of their history. */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { EventSource } from '../../definitions/event-source.ts';
import { formatValueType, parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { didYouMean } from '../../errors.ts';
import type { EventsDocument, HistoryTableDocument, SourceDocument, TableDocument } from '../document.ts';
import { type Report, reporting } from '../problems.ts';
import { columnTypeOf, fitsValueType, naturalValueType } from './column-type.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';
import { checkTimes, checkZone, type DescribeTable, pathsOf, readColumns } from './source.ts';
import { bindStream } from './stream.ts';
import { bindTable } from './table.ts';

const ownOptions = [
  ...['history', 'stream', 'archive', 'maxStateBytes'],
  ...['eventTimestamp', 'eventId', 'lateness', 'timezone', 'ambiguousTime', 'columns'],
];

/** Where an archived event came from, and whether it came late. */
const archiveNames = ['_partition', '_offset', '_late'];

/** Bytes below which a state could hold next to nothing. */
const leastStateBytes = 1024;

/** Checks an event source of the repository at `root`; `columns` is empty where its one table could not be read, which is reported. */
export async function bindEventSource(
  source: EventSource,
  file: string,
  root: string,
  describeTable: DescribeTable,
  report: Report,
): Promise<SourceDocument> {
  const what = `source "${source.name}"`;
  checkName('source', source.name, report);
  checkOptions(what, source, optionNames(...ownOptions), report);
  checkZone(what, source, report);
  const { lateness } = source;
  if (lateness !== undefined) reporting(report, `${what}: lateness: `, () => parseDurationUs(lateness));
  const tables = await bindHistory(what, source, describeTable, report);
  for (const table of tables) checkTimes(what, source, ['eventTimestamp'], table.columns, table, report);
  if (tables.length === 0) checkTimes(what, source, ['eventTimestamp'], [], undefined, report);
  const declared = bindColumns(what, source, tables, report);
  checkEventId(what, source, declared, report);
  const [only] = tables;
  return {
    name: source.name,
    kind: 'event',
    ...(only !== undefined && tables.length === 1 ? splitColumns(only) : severalTables(source, tables, declared)),
    eventTimestamp: source.eventTimestamp,
    ...(source.timezone === undefined ? {} : { timezone: source.timezone }),
    ...(source.ambiguousTime === undefined ? {} : { ambiguousTime: source.ambiguousTime }),
    events: {
      columns: declared,
      ...(source.eventId === undefined ? {} : { eventId: source.eventId }),
      ...(lateness === undefined ? {} : { lateness }),
    },
    ...bindDelivery(what, source, tables, root, report),
    ...bindDescribed(what, source, file, report),
  };
}

/** A history that is no table is reported, and counts as one without columns. */
async function bindHistory(
  what: string,
  source: EventSource,
  describeTable: DescribeTable,
  report: Report,
): Promise<readonly HistoryTableDocument[]> {
  const { history = [] } = source;
  const given: readonly unknown[] = Array.isArray(history) ? history : [history];
  const bound: HistoryTableDocument[] = [];
  for (const item of given) {
    const table = bindTable(what, item, report, 'history');
    const columns = table === undefined ? [] : await readColumns(source.name, table, describeTable, report);
    bound.push({ ...(table ?? noTable), columns });
  }
  return bound;
}

const noTable: TableDocument = { format: 'parquet', paths: [], hivePartitioning: false, options: {} };

function splitColumns({ columns, ...table }: HistoryTableDocument): Pick<SourceDocument, 'table' | 'columns'> {
  return { table, columns };
}

/** What tables of several kinds have in common is what the source declares. */
function severalTables(
  { eventTimestamp }: EventSource,
  tables: readonly HistoryTableDocument[],
  declared: EventsDocument['columns'],
): Pick<SourceDocument, 'table' | 'tables' | 'columns'> {
  const columns = declared.map(({ name, type }) => ({ name, type: columnTypeOf(parseValueType(type)) }));
  const table = tables[0] === undefined ? noTable : splitColumns(tables[0]).table;
  return { table, tables, columns: [{ name: String(eventTimestamp), type: 'TIMESTAMP WITH TIME ZONE' }, ...columns] };
}

function bindDelivery(
  what: string,
  { stream, archive, maxStateBytes }: EventSource,
  tables: readonly TableDocument[],
  root: string,
  report: Report,
): Pick<SourceDocument, 'stream' | 'archive' | 'maxStateBytes'> {
  const bound = stream === undefined ? undefined : bindStream(what, stream, root, report);
  if (archive !== undefined && archive !== false) report(`${what}: archive is false, or left out where events are to be kept`);
  if (archive === false && tables.length === 0) {
    report(`${what} keeps no event for training: give it a history, or leave archive: false out`);
  }
  if (maxStateBytes !== undefined && !(Number.isSafeInteger(maxStateBytes) && maxStateBytes >= leastStateBytes)) {
    report(`${what}: maxStateBytes is a whole number of bytes from ${leastStateBytes} on, such as 1048576`);
  }
  return {
    ...(bound === undefined ? {} : { stream: bound }),
    ...(archive === false ? { archive } : {}),
    ...(maxStateBytes === undefined ? {} : { maxStateBytes }),
  };
}

function bindColumns(
  what: string,
  source: EventSource,
  tables: readonly HistoryTableDocument[],
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
    if (archiveNames.includes(name.toLowerCase())) {
      report(`${column} has a name that the archive needs for itself (${archiveNames.join(', ')}); name it otherwise`);
      return [];
    }
    for (const table of tables) checkColumn(column, name, type, table, report);
    return [{ name, type: formatValueType(type), ...bindValues(column, type, values, report) }];
  });
}

function checkColumn(what: string, name: string, type: ValueType, table: HistoryTableDocument, report: Report): void {
  const { columns } = table;
  if (columns.length === 0) return;
  const found = columns.find((column) => column.name === name);
  if (found === undefined) {
    const names = columns.map((column) => column.name);
    report(`${what} is not in ${pathsOf(table)}${didYouMean(name, names) || `, which has ${names.join(', ')}`}`);
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

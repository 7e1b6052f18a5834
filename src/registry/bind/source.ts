/** Batch sources as documents, bound against the real schema of their files. */
import type { BatchSource } from '../../definitions/batch-source.ts';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { ColumnDocument, SourceDocument, TableDocument } from '../document.ts';
import type { Report } from '../problems.ts';
import { isTime, isZoneless } from './column-type.ts';
import { bindDescribed, checkName, checkOptions, optionNames } from './options.ts';
import { bindTable } from './table.ts';

/**
 * The columns of a source's table in their order, with DuckDB's type text (as DESCRIBE prints it), `columnTypes` obeyed. Paths are
 * relative to the repository. A FeatureStoreError says why the table cannot be read; one whose `details.source` is the source's name
 * names the source in its message too.
 */
export type DescribeTable = (table: TableDocument, source: string) => Promise<readonly ColumnDocument[]>;

const ownOptions = ['table', 'eventTimestamp', 'createdTimestamp', 'availableAt', 'timezone', 'ambiguousTime', 'push'] as const;
const timestampOptions = ['eventTimestamp', 'createdTimestamp', 'availableAt'] as const;

/** Checks a source and reads its columns; `columns` is empty where the table could not be read, which is then reported. */
export async function bindSource(
  source: BatchSource,
  file: string,
  describeTable: DescribeTable,
  report: Report,
): Promise<SourceDocument> {
  const what = `source "${source.name}"`;
  checkName('source', source.name, report);
  checkOptions(what, source, optionNames(...ownOptions), report);
  checkZone(what, source, report);
  if (source.push !== undefined && typeof source.push !== 'boolean') report(`${what}: push is true or false`);
  const table = bindTable(what, source.table, report);
  const columns = table === undefined ? [] : await readColumns(source.name, table, describeTable, report);
  checkTimes(what, source, timestampOptions, columns, table, report);
  return {
    name: source.name,
    kind: 'batch',
    table: table ?? { format: 'parquet', paths: [], hivePartitioning: false, options: {} },
    eventTimestamp: source.eventTimestamp,
    ...(source.createdTimestamp === undefined ? {} : { createdTimestamp: source.createdTimestamp }),
    ...(source.availableAt === undefined ? {} : { availableAt: source.availableAt }),
    ...(source.timezone === undefined ? {} : { timezone: source.timezone }),
    ...(source.ambiguousTime === undefined ? {} : { ambiguousTime: source.ambiguousTime }),
    ...(source.push === true ? { push: true } : {}),
    columns,
    ...bindDescribed(what, source, file, report),
  };
}

/** The columns of a table; none where they cannot be read, which is then reported. */
export async function readColumns(
  source: string,
  table: TableDocument,
  describeTable: DescribeTable,
  report: Report,
): Promise<readonly ColumnDocument[]> {
  if (table.paths.length === 0) return [];
  const what = `source "${source}"`;
  try {
    const columns = await describeTable(table, source);
    const names = columns.map((column) => column.name);
    for (const name of Object.keys(table.columnTypes ?? {})) {
      if (names.includes(name)) continue;
      report(`${what}: columnTypes names column "${name}", which ${pathsOf(table)} does not have${didYouMean(name, names)}`);
    }
    return columns;
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error;
    report(error.details.source === source ? error.message : `${what}: ${error.message}`);
    return [];
  }
}

/** The paths of a table, for messages. */
export function pathsOf(table: TableDocument): string {
  return table.paths.map((path) => `"${path}"`).join(', ');
}

type TimedSource = Pick<BatchSource, (typeof timestampOptions)[number] | 'timezone' | 'ambiguousTime'>;

/** Reports options that name no column of times, or one of times without a zone where the source names none. */
export function checkTimes(
  what: string,
  source: TimedSource,
  options: readonly (typeof timestampOptions)[number][],
  columns: readonly ColumnDocument[],
  table: TableDocument | undefined,
  report: Report,
): void {
  for (const option of options) {
    const problem = timestampProblem(source, option, columns, table);
    if (problem !== undefined) report(`${what}: ${option} ${problem}`);
  }
}

function timestampProblem(
  source: TimedSource,
  option: (typeof timestampOptions)[number],
  columns: readonly ColumnDocument[],
  table: TableDocument | undefined,
): string | undefined {
  const name: unknown = source[option];
  if (name === undefined && option !== 'eventTimestamp') return undefined;
  if (typeof name !== 'string') return 'names a column, such as "event_timestamp"';
  if (columns.length === 0 || table === undefined) return undefined;
  const column = columns.find((candidate) => candidate.name === name);
  if (column === undefined) {
    const names = columns.map((candidate) => candidate.name);
    return `is column "${name}", which ${pathsOf(table)} does not have${didYouMean(name, names)}`;
  }
  if (!isTime(column.type)) {
    const isText = table.format !== 'parquet' && column.type === 'VARCHAR';
    const fix = isText ? `; if its text is a time with an offset, declare columnTypes: { ${name}: "timestamp" }` : '';
    return `is column "${name}", which is no time but ${column.type}${fix}`;
  }
  if (!isZoneless(column.type) || source.timezone !== undefined) return undefined;
  return `is column "${name}", a ${column.type} without a zone; say whose time it is with timezone, such as timezone: "UTC"`;
}

/** Reports a zone or a reading of local times that does not exist. */
export function checkZone(what: string, source: TimedSource, report: Report): void {
  const { timezone, ambiguousTime } = source;
  if (timezone !== undefined && !isZone(timezone)) {
    report(`${what}: timezone "${String(timezone)}" is no IANA zone${didYouMean(String(timezone), zoneNames())}`);
  }
  if (ambiguousTime !== undefined && ambiguousTime !== 'earlier' && ambiguousTime !== 'later') {
    report(`${what}: ambiguousTime is "earlier" or "later", not "${String(ambiguousTime)}"`);
  }
}

function zoneNames(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')];
}

/** A name of the zone database, in any case; an offset such as +02:00 names no zone. */
function isZone(name: unknown): boolean {
  if (typeof name !== 'string' || !/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

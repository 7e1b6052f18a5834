/** SQL sources as documents: the statement checked, and described over its inputs' columns (semantics 11). */
import { createHash } from 'node:crypto';
import { parseDurationUs } from '../../definitions/duration.ts';
import type { SqlSource } from '../../definitions/sql-source.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { ColumnDocument, QueryDocument, QueryInputDocument, SourceDocument } from '../document.ts';
import type { Report } from '../problems.ts';
import { reporting } from '../problems.ts';
import { type CheckedStatement, checkStatement } from '../statement/check-statement.ts';
import { columnTypeOf, naturalValueType } from './column-type.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';

/** The syntax tree of statements, as DuckDB's `json_serialize_sql` writes it. */
export type ParseStatement = (sql: string) => Promise<string>;

/** What is described: a checked statement over inputs of these columns. */
export type DescribedQuery = Pick<QueryDocument, 'sql' | 'usesTick' | 'inputs'>;

/** The columns that a statement gives, with DuckDB's type text; a FeatureStoreError says what does not bind. */
export type DescribeStatement = (query: DescribedQuery) => Promise<readonly ColumnDocument[]>;

export interface SqlSourceScope {
  readonly isExported: (definition: unknown) => boolean;
  readonly sources: ReadonlyMap<string, SourceDocument>;
}

export interface StatementTools {
  readonly parseStatement: ParseStatement;
  readonly describeStatement: DescribeStatement;
}

const ownOptions = ['inputs', 'every', 'offset', 'asKnown', 'sql'];

/** The columns that every SQL source has beside those of its statement. */
export const tickColumns = { event: 'event_timestamp', created: 'created_timestamp' } as const;

/** Checks an SQL source against its inputs as bound; `columns` is empty where its statement is refused, which is then reported. */
export async function bindSqlSource(
  source: SqlSource,
  file: string,
  scope: SqlSourceScope,
  tools: StatementTools,
  report: Report,
): Promise<SourceDocument> {
  const what = `source "${source.name}"`;
  checkName('source', source.name, report);
  checkOptions(what, source, optionNames(...ownOptions), report);
  checkTimes(what, source, report);
  if (source.asKnown !== undefined && typeof source.asKnown !== 'boolean') report(`${what}: asKnown is true or false`);
  const inputs = bindInputs(what, source, scope, report);
  const bound = await bindStatement(what, source, inputs, tools, report);
  const columns = bound?.columns ?? [];
  const times = Object.values(tickColumns).map((name) => ({ name, type: 'TIMESTAMP WITH TIME ZONE' }));
  return {
    name: source.name,
    kind: 'sql',
    table: { format: 'parquet', paths: [], hivePartitioning: false, options: {} },
    eventTimestamp: tickColumns.event,
    createdTimestamp: tickColumns.created,
    columns: columns.length === 0 ? [] : [...columns, ...times],
    query: describeQuery(source, bound, inputs),
    ...bindDescribed(what, source, file, report),
  };
}

function checkTimes(what: string, { every, offset }: SqlSource, report: Report): void {
  const everyUs = reporting(report, `${what}: every: `, () => parseDurationUs(every));
  if (everyUs === 0n) report(`${what}: every is the time from one tick to the next, such as "1d"; it cannot be 0`);
  if (offset !== undefined) reporting(report, `${what}: offset: `, () => parseDurationUs(offset));
}

function bindInputs(what: string, source: SqlSource, scope: SqlSourceScope, report: Report): readonly SourceDocument[] {
  const given: readonly unknown[] = Array.isArray(source.inputs) ? source.inputs : [];
  if (given.length === 0) report(`${what}: inputs is an array of the sources that its statement reads, such as [clicks]`);
  return [...new Set(given)].flatMap((input) => {
    const kind = isRecord(input) ? input.kind : undefined;
    const name = isRecord(input) ? String(input.name) : '';
    if (kind === 'sqlSource') {
      report(
        `${what}: input "${name}" is an SQL source itself; write its statement as a common table expression: with ${name} as (…)`,
      );
      return [];
    }
    if (kind !== 'batchSource' && kind !== 'eventSource') {
      report(`${what}: inputs holds something that is no source; make it with batchSource(…) or eventSource(…)`);
      return [];
    }
    if (!scope.isExported(input)) {
      report(`${what}: input "${name}" is exported by no file under features; export it`);
      return [];
    }
    return scope.sources.get(name) ?? [];
  });
}

interface BoundStatement {
  readonly inputs: readonly QueryInputDocument[];
  readonly checked: CheckedStatement;
  readonly columns: readonly ColumnDocument[];
}

/** undefined where the statement, or an input that it reads, is refused: that is reported once. */
async function bindStatement(
  what: string,
  source: SqlSource,
  inputs: readonly SourceDocument[],
  { parseStatement, describeStatement }: StatementTools,
  report: Report,
): Promise<BoundStatement | undefined> {
  if (typeof source.sql !== 'string' || source.sql.trim() === '') {
    report(`${what}: sql is a select, such as "select item_id, count(*) as clicks from clicks group by item_id"`);
    return undefined;
  }
  if (inputs.length === 0 || inputs.some((input) => input.columns.length === 0)) return undefined;
  try {
    const json = await parseStatement(source.sql);
    const names = inputs.map((input) => input.name);
    const checked = checkStatement(json, names);
    const offered = inputs.map((input) => ({ source: input.name, columns: offeredColumns(input) }));
    const query = { sql: source.sql, usesTick: checked.usesTick, inputs: offered };
    const columns = (await describeStatement(query)).flatMap((column) => bindColumn(what, column, report));
    const read = offered
      .filter((input) => checked.inputs.includes(input.source))
      .map((input) => ({ ...input, columns: input.columns.filter(({ name }) => checked.mayRead(name)) }));
    return { inputs: read, checked, columns };
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error;
    report(`${what}: sql is refused: ${error.message}`);
    return undefined;
  }
}

/** The columns that a statement may name: those that a value type holds, times as instants. */
function offeredColumns(source: SourceDocument): QueryInputDocument['columns'] {
  const times = [source.eventTimestamp, source.createdTimestamp, source.availableAt];
  if (source.events !== undefined) {
    return [
      { name: source.eventTimestamp, type: 'timestamp' },
      ...source.events.columns.map(({ name, type }) => ({ name, type })),
    ];
  }
  return source.columns.flatMap(({ name, type }) => {
    if (times.includes(name)) return [{ name, type: 'timestamp' }];
    const natural = naturalValueType(type);
    // Whose time it is nobody knows.
    if (natural === undefined || (isLocalTime(type) && source.timezone === undefined)) return [];
    return [{ name, type: natural }];
  });
}

function bindColumn(what: string, { name, type }: ColumnDocument, report: Report): ColumnDocument[] {
  if (Object.values<string>(tickColumns).includes(name)) {
    report(`${what}: sql gives a column "${name}", which every SQL source has: the tick, and when it ran; name it otherwise`);
    return [];
  }
  if (isLocalTime(type)) {
    report(`${what}: sql gives column "${name}" as ${type} without a zone; give an instant or a date`);
    return [];
  }
  const stored = storedColumnType(type);
  if (stored !== undefined) return [{ name, type: stored }];
  const fix = type === '"NULL"' ? 'a null without a type; cast it' : `${type}, which no value type holds; convert it`;
  report(`${what}: sql gives column "${name}" as ${fix}`);
  return [];
}

/** A time without a zone, or lists of such. */
function isLocalTime(type: string): boolean {
  return /^TIMESTAMP(_[A-Z]+)?(\[\d*\])*$/.test(type);
}

/** The type that a result is stored as; undefined where no value type holds it. Sums of integers are int64, as in windows (6.10). */
function storedColumnType(type: string): string | undefined {
  if (type === 'HUGEINT' || type === 'UHUGEINT') return 'BIGINT';
  const natural = naturalValueType(type);
  if (natural === undefined || type === '"NULL"') return undefined;
  const value = parseValueType(natural);
  // Parquet keeps no length of a list.
  return value.kind === 'vector' ? `${columnTypeOf({ kind: value.element })}[]` : columnTypeOf(value);
}

function describeQuery(
  { sql, every, offset = '0', asKnown }: SqlSource,
  bound: BoundStatement | undefined,
  inputs: readonly SourceDocument[],
): QueryDocument {
  const read = bound?.inputs ?? [];
  const sources = read.map((input) => identify(inputs.find(({ name }) => name === input.source) as SourceDocument));
  const parts = [sql, every, offset, asKnown === true, sources, bound?.columns ?? []];
  return {
    sql,
    every,
    offset,
    asKnown: asKnown === true,
    usesTick: bound?.checked.usesTick === true,
    inputs: read,
    hash: createHash('sha256').update(JSON.stringify(parts)).digest('hex'),
  };
}

/** What of an input decides which rows it has, whatever is said of it for people and however it is streamed. */
function identify({
  name,
  table,
  tables,
  eventTimestamp,
  createdTimestamp,
  availableAt,
  timezone,
  ambiguousTime,
  events,
}: SourceDocument) {
  const { columns: _, lateness: __, ...counted } = events ?? { columns: [] };
  const valid = events?.columns.filter(({ values }) => values !== undefined);
  return [
    name,
    table,
    tables?.map(({ columns: _, ...rest }) => rest),
    eventTimestamp,
    createdTimestamp,
    availableAt,
    timezone,
    ambiguousTime,
    counted,
    valid,
  ].map((part) => part ?? null);
}

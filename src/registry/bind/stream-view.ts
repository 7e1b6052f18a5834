/** Stream feature views as documents: aggregates with their expressions read, typed and checked against the source's columns. */
import { createHash } from 'node:crypto';
import type { AggregateFunction } from '../../aggregate/aggregate.ts';
import { compileAggregate } from '../../aggregate/compile-aggregate.ts';
import { type AggregateName, aggregateFunctions } from '../../aggregate/functions.ts';
import { defaultHopUs } from '../../aggregate/window.ts';
import { formatDurationUs, parseDurationUs } from '../../definitions/duration.ts';
import type { StreamFeatureView } from '../../definitions/stream-feature-view.ts';
import { formatValueType, parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { AggregateDocument, ExpressionDocument, FeatureDocument, SourceDocument, ViewDocument } from '../document.ts';
import { checkExpression, type ExpressionColumn } from '../expression/check.ts';
import { readSql } from '../expression/read-sql.ts';
import { type Report, reporting } from '../problems.ts';
import { tablesOf } from '../source-tables.ts';
import { bindDefault } from './default.ts';
import { bindDeprecated } from './deprecated.ts';
import { bindExpectation } from './expectation.ts';
import { bindFreshness } from './freshness.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';
import { bindEntities, bindKeys, type ViewScope } from './view.ts';

/** The syntax tree of an expression as DuckDB's `json_serialize_sql` writes that of `select <expression>`. */
export type ParseExpression = (text: string) => Promise<string>;

const ownOptions = [
  ...['entities', 'source', 'delay', 'freshness', 'keys', 'session'],
  ...['features', 'deprecated', 'select', 'as', 'withKeys'],
];
const expressionOptions = ['value', 'condition', 'over', 'where'] as const;
const aggregationOptions = [
  ...['kind', 'function', ...expressionOptions, 'window', 'hop', 'size'],
  ...['default', 'description', 'deprecated', 'expect', 'type'],
];

/** Checks a stream view and each of its aggregates. */
export async function bindStreamView(
  view: StreamFeatureView,
  file: string,
  scope: ViewScope,
  parse: ParseExpression,
  report: Report,
): Promise<ViewDocument> {
  const what = `stream feature view "${view.name}"`;
  checkName('stream feature view', view.name, report);
  checkOptions(what, view, optionNames(...ownOptions), report);
  const { delay } = view;
  if (delay !== undefined) reporting(report, `${what}: delay: `, () => parseDurationUs(delay));
  const entities = bindEntities(what, view, scope, report);
  const source = bindEventReference(what, view, scope, report);
  const columns = (source?.events?.columns ?? []).map((column) => ({ ...column, type: parseValueType(column.type) }));
  const asTable = source && { ...source, columns: source.columns.filter(({ name }) => columns.some((one) => one.name === name)) };
  const keys = bindKeys(what, view, entities, asTable, report);
  const session = bindSession(what, view.session, report);
  const features: FeatureDocument[] = [];
  const aggregations: [string, unknown][] = isRecord(view.features) ? Object.entries(view.features) : [];
  if (aggregations.length === 0) report(`${what} has no features; write features: { clicks_7d: count({ window: "7d" }) }`);
  for (const [name, options] of aggregations) {
    checkName(`${what}: feature`, name, report);
    const inView = { what: `feature "${view.name}:${name}"`, columns, session, source, keys, parse, report };
    const feature = await bindAggregation(name, options, inView);
    if (feature !== undefined) features.push(feature);
  }
  return {
    name: view.name,
    kind: 'stream',
    entities: entities.map((entity) => entity.name),
    source: source?.name ?? '',
    keys,
    ...(delay === undefined ? {} : { delay }),
    ...bindFreshness(what, view, report),
    asKnown: false,
    ...(session === undefined ? {} : { session }),
    features,
    ...bindDeprecated(what, view, report),
    ...bindDescribed(what, view, file, report),
  };
}

function bindEventReference(what: string, view: StreamFeatureView, scope: ViewScope, report: Report): SourceDocument | undefined {
  const source: unknown = view.source;
  if (!isRecord(source) || source.kind !== 'eventSource') {
    report(`${what}: source is made by eventSource(…)`);
    return undefined;
  }
  if (!scope.isExported(source)) {
    report(`${what}: source "${String(source.name)}" is exported by no file under features; export it`);
    return undefined;
  }
  return scope.sources.get(source.name as string);
}

function bindSession(what: string, session: unknown, report: Report): { readonly gap: string } | undefined {
  if (session === undefined) return undefined;
  const gap = isRecord(session) ? session.gap : undefined;
  if (isRecord(session)) checkOptions(`${what}: session`, session, ['gap'], report);
  const us = reporting(report, `${what}: session is written { gap: "30m" }: `, () => parseDurationUs(gap as string));
  if (us === 0n) report(`${what}: a session's gap is more than 0`);
  return us === undefined ? undefined : { gap: gap as string };
}

interface InView {
  readonly what: string;
  readonly columns: readonly ExpressionColumn[];
  readonly session: ViewDocument['session'];
  readonly source: SourceDocument | undefined;
  readonly keys: ViewDocument['keys'];
  readonly parse: ParseExpression;
  readonly report: Report;
}

async function bindAggregation(name: string, options: unknown, inView: InView): Promise<FeatureDocument | undefined> {
  const { what, report, source, keys, session } = inView;
  if (!isRecord(options) || options.kind !== 'aggregation') {
    report(`${what} is made by an aggregate, such as count({ window: "7d" })`);
    return undefined;
  }
  const known = options.function as AggregateName;
  checkOptions(what, options, aggregationOptions, report);
  if (options.description !== undefined && typeof options.description !== 'string') report(`${what}: description is a string`);
  const expressions = await bindExpressions(options, inView);
  const window = bindWindow(what, options, session !== undefined, report);
  const { isOfSessions, size: sizeName }: AggregateFunction = aggregateFunctions[known];
  if (isOfSessions === true && session === undefined) report(`${what}: ${known} is for views with a session`);
  const size = options.size as number | undefined;
  if (sizeName !== undefined && !(Number.isInteger(size) && (size as number) >= 1 && (size as number) <= 10_000)) {
    report(`${what}: ${sizeName} is a whole number from 1 to 10000`);
  }
  if (expressions === undefined || window === undefined) return undefined;
  const { takes }: AggregateFunction = aggregateFunctions[known];
  const valueType = takes === 'value' ? (expressions.value?.tree.type as ValueType) : ({ kind: 'bool' } as const);
  const aggregate = reporting(report, `${what}: `, () => compileAggregate(known, valueType, size));
  if (aggregate === undefined) return undefined;
  const type = formatValueType(aggregate.result);
  const replaced = options.default === undefined ? undefined : bindDefault(what, aggregate.result, options.default, report);
  const document: AggregateDocument = { function: known, ...expressions, ...window, ...(size === undefined ? {} : { size }) };
  return {
    name,
    ...(options.description === undefined ? {} : { description: String(options.description) }),
    type,
    column: expressions.value?.text ?? expressions.condition?.text ?? '',
    aggregate: document,
    ...(replaced === undefined ? {} : { default: replaced }),
    ...bindDeprecated(what, options, report),
    ...bindExpectation(what, options, aggregate.result, report),
    hash: source === undefined ? '' : hashAggregate(type, document, session, keys, source),
  };
}

type Expressions = Pick<AggregateDocument, (typeof expressionOptions)[number]>;

async function bindExpressions(
  options: Record<string, unknown>,
  { what, columns, parse, report }: InView,
): Promise<Expressions | undefined> {
  const bound: { -readonly [K in keyof Expressions]: ExpressionDocument } = {};
  const { takes }: AggregateFunction = aggregateFunctions[options.function as AggregateName];
  const needed = takes === 'value' ? 'value' : takes === 'conditions' ? 'condition' : undefined;
  for (const option of expressionOptions) {
    const text = options[option];
    if (text === undefined && option !== needed) continue;
    if (typeof text !== 'string' || text.trim() === '') {
      report(`${what}: ${option} is an SQL expression, such as "event_type = 'click'"`);
      return undefined;
    }
    const tree = await bindExpression(`${what}: ${option} "${text}": `, text, columns, parse, report);
    if (tree === undefined) return undefined;
    if (option !== 'value' && tree.type.kind !== 'bool') {
      report(`${what}: ${option} "${text}" is ${formatValueType(tree.type)}, and a condition is true or false`);
      return undefined;
    }
    bound[option] = { text, tree };
  }
  return bound;
}

async function bindExpression(
  prefix: string,
  text: string,
  columns: readonly ExpressionColumn[],
  parse: ParseExpression,
  report: Report,
): Promise<ExpressionDocument['tree'] | undefined> {
  try {
    return checkExpression(readSql(await parse(text)), columns);
  } catch (error) {
    if (!(error instanceof FeatureStoreError) || error.code !== 'INVALID_ARGUMENT') throw error;
    report(`${prefix}${error.message}`);
    return undefined;
  }
}

function bindWindow(
  what: string,
  options: Record<string, unknown>,
  isOfSessions: boolean,
  report: Report,
): Pick<AggregateDocument, 'window' | 'hop'> | undefined {
  const { window, hop } = options;
  if (isOfSessions) {
    if (window !== undefined || hop !== undefined) report(`${what}: a view of sessions has no window; leave it out`);
    return {};
  }
  if (window === undefined) {
    report(`${what}: a window is needed, such as window: "7d" or window: "lifetime"`);
    return undefined;
  }
  if (window === 'lifetime') {
    if (hop !== undefined) report(`${what}: a window without a left end has no hop`);
    return { window };
  }
  const near = typeof window === 'string' && !/^\d/.test(window) ? didYouMean(window, ['lifetime']) : '';
  const windowUs = reporting(report, `${what}: window${near}: `, () => parseDurationUs(window as string));
  const hopUs = hop === undefined ? undefined : reporting(report, `${what}: hop: `, () => parseDurationUs(hop as string));
  if (windowUs === undefined) return undefined;
  if (windowUs === 0n || hopUs === 0n) {
    report(`${what}: a window and its hop are more than 0`);
    return undefined;
  }
  return { window: window as string, hop: formatDurationUs(hopUs ?? defaultHopUs(windowUs)) };
}

/** What a stored value depends on (rule 8.3). */
function hashAggregate(
  type: string,
  aggregate: AggregateDocument,
  session: ViewDocument['session'],
  keys: ViewDocument['keys'],
  source: SourceDocument,
): string {
  const { eventTimestamp, timezone, ambiguousTime, events } = source;
  const tables = tablesOf(source).map(({ columns: _, ...table }) => ({
    ...table,
    options: Object.fromEntries(Object.entries(table.options).sort()),
  }));
  const history = tables.length === 1 ? tables[0] : tables;
  const identity = [type, aggregate, session, keys, history, eventTimestamp, timezone, ambiguousTime, events];
  return createHash('sha256')
    .update(JSON.stringify(identity.map((part) => part ?? null)))
    .digest('hex');
}

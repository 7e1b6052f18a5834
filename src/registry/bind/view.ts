/** Feature views as documents, bound against their source's columns. */
import { createHash } from 'node:crypto';
import { parseDurationUs } from '../../definitions/duration.ts';
import type { Entity } from '../../definitions/entity.ts';
import type { FeatureView } from '../../definitions/feature-view.ts';
import { formatValueType, isKeyType, parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { didYouMean } from '../../errors.ts';
import type { ColumnDocument, FeatureDocument, SourceDocument, ViewDocument } from '../document.ts';
import { type Report, reporting } from '../problems.ts';
import { fitsValueType, isZoneless, naturalValueType } from './column-type.ts';
import { bindDefault } from './default.ts';
import { bindDeprecated } from './deprecated.ts';
import { bindExpectation } from './expectation.ts';
import { bindFreshness } from './freshness.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';
import { pathsOf } from './source.ts';

/** What a view can refer to: exported definitions, and sources as bound. */
export interface ViewScope {
  readonly isExported: (definition: unknown) => boolean;
  readonly sources: ReadonlyMap<string, SourceDocument>;
}

const ownOptions = [
  ...['entities', 'source', 'ttl', 'delay', 'freshness', 'asKnown', 'keys'],
  ...['features', 'deprecated', 'select', 'as', 'withKeys'],
];
const featureOptions = ['type', 'column', 'default', 'description', 'deprecated', 'expect'];

/** Checks a view and each of its features; a column of a source that could not be read is not reported again. */
export function bindView(view: FeatureView, file: string, scope: ViewScope, report: Report): ViewDocument {
  const what = `feature view "${view.name}"`;
  checkName('feature view', view.name, report);
  checkOptions(what, view, optionNames(...ownOptions), report);
  for (const option of ['ttl', 'delay'] as const) {
    const text = view[option];
    if (text !== undefined) reporting(report, `${what}: ${option}: `, () => parseDurationUs(text));
  }
  if (view.asKnown !== undefined && typeof view.asKnown !== 'boolean') report(`${what}: asKnown is true or false`);
  const entities = bindEntities(what, view, scope, report);
  const source = bindSourceReference(what, view, scope, report);
  const keys = bindKeys(what, view, entities, source, report);
  return {
    name: view.name,
    kind: 'batch',
    entities: entities.map((entity) => entity.name),
    source: source?.name ?? '',
    keys,
    ...(view.ttl === undefined ? {} : { ttl: view.ttl }),
    ...bindDelay(view, source),
    ...bindFreshness(what, view, report),
    asKnown: view.asKnown === true,
    features: bindFeatures(what, view, keys, source, report),
    ...bindDeprecated(what, view, report),
    ...bindDescribed(what, view, file, report),
  };
}

/** Rows of an SQL source can be read from its offset on, whatever shorter delay the view says (semantics 11). */
function bindDelay({ delay }: FeatureView, source: SourceDocument | undefined): { delay?: string } {
  const offset = source?.query?.offset;
  if (offset === undefined || !isDuration(offset)) return delay === undefined ? {} : { delay };
  const isLonger = delay !== undefined && (!isDuration(delay) || parseDurationUs(delay) > parseDurationUs(offset));
  return { delay: isLonger ? delay : offset };
}

/** One that is none is reported where it is written. */
function isDuration(text: string): boolean {
  return (
    reporting(
      () => {},
      '',
      () => parseDurationUs(text),
    ) !== undefined
  );
}

/** The entities that a view names. */
export function bindEntities(
  what: string,
  view: Pick<FeatureView, 'entities'>,
  scope: ViewScope,
  report: Report,
): readonly Entity[] {
  if (!Array.isArray(view.entities)) {
    report(`${what}: entities is an array of entities, empty for one global row`);
    return [];
  }
  return view.entities.filter((entity: unknown): entity is Entity => {
    if (!isRecord(entity) || entity.kind !== 'entity') {
      report(`${what}: entities holds something that is no entity; make it with entity(…)`);
      return false;
    }
    if (!scope.isExported(entity))
      report(`${what}: entity "${String(entity.name)}" is exported by no file under features; export it`);
    return true;
  });
}

function bindSourceReference(what: string, view: FeatureView, scope: ViewScope, report: Report): SourceDocument | undefined {
  const source: unknown = view.source;
  if (!isRecord(source) || (source.kind !== 'batchSource' && source.kind !== 'sqlSource')) {
    report(`${what}: source is made by batchSource(…) or sqlSource(…)`);
    return undefined;
  }
  if (!scope.isExported(source)) {
    report(`${what}: source "${String(source.name)}" is exported by no file under features; export it`);
    return undefined;
  }
  return scope.sources.get(source.name as string);
}

/** The join keys of all entities, each with its column (`keys` renames). */
export function bindKeys(
  what: string,
  view: Pick<FeatureView, 'keys'>,
  entities: readonly Entity[],
  source: SourceDocument | undefined,
  report: Report,
): ViewDocument['keys'] {
  const renamed: Record<string, unknown> = isRecord(view.keys) ? view.keys : {};
  const names = entities.flatMap((entity) => (isRecord(entity.joinKeys) ? Object.keys(entity.joinKeys) : []));
  for (const name of Object.keys(renamed)) {
    if (!names.includes(name))
      report(`${what}: keys names "${name}", which is no join key of its entities${didYouMean(name, names)}`);
  }
  const keys: ViewDocument['keys'][number][] = [];
  for (const entity of entities) {
    for (const [name, type] of Object.entries(entity.joinKeys ?? {})) {
      if (keys.some((key) => key.name === name)) report(`${what}: two of its entities have a join key "${name}"; rename one`);
      if (!isKeyType(type)) continue;
      const column = Object.hasOwn(renamed, name) ? String(renamed[name]) : name;
      const found = findColumn(`${what}: join key "${name}"`, column, source, report, 'keys: { … }');
      if (found !== undefined && !fitsValueType(found.type, { kind: type })) {
        report(`${what}: join key "${name}" is ${type}, and column "${column}" is ${found.type}${widening(found.type)}`);
      }
      keys.push({ name, type, column });
    }
  }
  return keys;
}

function bindFeatures(
  what: string,
  view: FeatureView,
  keys: ViewDocument['keys'],
  source: SourceDocument | undefined,
  report: Report,
): readonly FeatureDocument[] {
  const features: [string, unknown][] = isRecord(view.features) ? Object.entries(view.features) : [];
  if (features.length === 0) report(`${what} has no features; write features: { age: { type: "int32" } }`);
  return features.flatMap(([name, options]) => {
    const feature = `feature "${view.name}:${name}"`;
    checkName(`${what}: feature`, name, report);
    if (!isRecord(options)) {
      report(`${feature} is written { type: "int64" }`);
      return [];
    }
    return bindFeature(feature, name, options, keys, source, report);
  });
}

function bindFeature(
  what: string,
  name: string,
  options: Readonly<Record<string, unknown>>,
  keys: ViewDocument['keys'],
  source: SourceDocument | undefined,
  report: Report,
): readonly FeatureDocument[] {
  checkOptions(what, options, featureOptions, report);
  if (options.description !== undefined && typeof options.description !== 'string') report(`${what}: description is a string`);
  const column = options.column === undefined ? name : String(options.column);
  const found = findColumn(what, column, source, report, 'column: "…"');
  const type = reporting(report, `${what}: `, () => parseValueType(options.type as string));
  if (type === undefined) return [];
  if (found !== undefined) checkColumn(what, type, found, source as SourceDocument, report);
  const replaced = options.default === undefined ? undefined : bindDefault(what, type, options.default, report);
  return [
    {
      name,
      ...(options.description === undefined ? {} : { description: String(options.description) }),
      type: formatValueType(type),
      column,
      ...(replaced === undefined ? {} : { default: replaced }),
      ...bindDeprecated(what, options, report),
      ...bindExpectation(what, options, type, report),
      hash: source === undefined ? '' : hashFeature(formatValueType(type), column, keys, source),
    },
  ];
}

function findColumn(
  what: string,
  name: string,
  source: SourceDocument | undefined,
  report: Report,
  fix: string,
): ColumnDocument | undefined {
  if (source === undefined || source.columns.length === 0) return undefined;
  const column = source.columns.find((candidate) => candidate.name === name);
  if (column === undefined) {
    const names = source.columns.map((candidate) => candidate.name);
    const suggestion = didYouMean(name, names) || `; name another with ${fix}`;
    const where = source.query === undefined ? pathsOf(source.table) : `the statement of source "${source.name}"`;
    report(`${what} is read from column "${name}", which ${where} does not have${suggestion}`);
  }
  return column;
}

function checkColumn(what: string, type: ValueType, column: ColumnDocument, source: SourceDocument, report: Report): void {
  if (!fitsValueType(column.type, type)) {
    report(`${what} is ${formatValueType(type)}, and column "${column.name}" is ${column.type}${widening(column.type)}`);
  } else if (holdsTimestamp(type) && isZoneless(column.type) && source.timezone === undefined) {
    report(
      `${what}: column "${column.name}" is a ${column.type} without a zone; say whose time it is with timezone on source "${source.name}", such as timezone: "UTC"`,
    );
  }
}

function holdsTimestamp(type: ValueType): boolean {
  return type.kind === 'timestamp' || (type.kind === 'list' && holdsTimestamp(type.element));
}

/** What to declare for a column's type, so that no value is lost. */
function widening(columnType: string): string {
  const natural = naturalValueType(columnType);
  if (natural === undefined) return ', which no value type holds; convert it where the files are written';
  return `, which would lose information; declare ${natural}`;
}

/** What a stored value depends on; not description, owner and tags (rule 8.3). */
function hashFeature(type: string, column: string, keys: ViewDocument['keys'], source: SourceDocument): string {
  const { table, eventTimestamp, createdTimestamp, availableAt, timezone, ambiguousTime } = source;
  const sortedTable = { ...table, options: Object.fromEntries(Object.entries(table.options).sort()) };
  const identity = [type, column, keys, sortedTable, eventTimestamp, createdTimestamp, availableAt, timezone, ambiguousTime];
  // Absent for other sources, whose hashes are as before.
  if (source.query !== undefined) identity.push(source.query.hash);
  return createHash('sha256')
    .update(JSON.stringify(identity.map((part) => part ?? null)))
    .digest('hex');
}

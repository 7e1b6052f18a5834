/** The rows or events that answers about some keys are made of, each with what is known of where it came from and since when. */
import type { Column } from '../arrow/column.ts';
import { type Field, field } from '../arrow/schema.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { parseValueType, type ValueType } from '../definitions/value-type.ts';
import type { SourceDocument, ViewDocument } from '../registry/document.ts';
import { eventViewOf } from '../registry/event-view.ts';
import { mergedName } from './archive/manifest.ts';
import type { Engine, Session } from './duckdb/engine.ts';
import { readColumns } from './duckdb/read-columns.ts';
import { quoteName, quoteText } from './duckdb/sql.ts';
import { compileWholeTable } from './duckdb/table.ts';
import { bindEventParts, fileColumn, originNames } from './events/event-parts.ts';
import { featureField } from './feature-field.ts';
import { literalReader } from './literal-column.ts';
import { bindProjection } from './projection/bind.ts';
import { compileProjection, type ProjectionQuery } from './projection/compile.ts';
import type { FileState, TableState } from './source-state.ts';
import { compileEvents, compileKeys } from './windows/compile-events.ts';

/** A row of a batch view or an event of a stream view. */
export interface Contribution {
  readonly eventUs: bigint;
  readonly createdUs: bigint | null;
  readonly availableUs: bigint | null;
  /** In the order of the view's features, of events of the expressions that they are made of. */
  readonly values: readonly LiteralValue[];
  readonly file: ContributionFile | undefined;
  /** Where in a stream an archived event stood. */
  readonly partition: string | null;
  readonly offset: bigint | null;
  /** Whether an event came later than its source's lateness allows, and was not counted when it came. */
  readonly isLate: boolean;
}

export interface ContributionFile {
  readonly path: string;
  /** When it was last written; undefined of one that was merged from others, each of which was written earlier. */
  readonly modifiedUs: bigint | undefined;
  /** It is of the source's archive, and not of its own tables. */
  readonly isArchived: boolean;
}

/** The contributions of one key, from the least to the greatest: the last that is visible wins (section 3). */
export type KeyContributions = readonly Contribution[];

export interface ContributionParts {
  readonly engine: Engine;
  stateOf(source: SourceDocument): Promise<TableState>;
  again<T>(source: SourceDocument, read: () => Promise<T>): Promise<T>;
}

/** Keys in one query, so that its text stays short. */
const keysAtOnce = 1000;

/** In the order of the keys, none of whose parts is null; each key has the values of the view's join keys in their order. */
export async function readContributions(
  { engine, stateOf, again }: ContributionParts,
  view: ViewDocument,
  source: SourceDocument,
  keys: readonly (readonly LiteralValue[])[],
  signal: AbortSignal,
): Promise<KeyContributions[]> {
  return await again(source, async () => {
    const state = await stateOf(source);
    if (state.files.length + state.archived.length === 0) return keys.map(() => []);
    const filesOf = openFiles(state);
    const found = new Map<string, Contribution[]>();
    await engine.session(signal, async (session) => {
      for (let at = 0; at < keys.length; at += keysAtOnce) {
        const some = keys.slice(at, at + keysAtOnce);
        const query = await compileQuery(session, view, source, state, some);
        for await (const columns of readColumns(session, query.sql, query.fields, 65_536))
          collect(view, source, query, columns, filesOf, found);
      }
    });
    return keys.map((key) => found.get(keyText(key)) ?? []);
  });
}

interface ContributionQuery {
  readonly sql: string;
  readonly fields: readonly Field[];
  readonly valueTypes: readonly ValueType[];
}

const int64 = { id: 'int', bits: 64, signed: true } as const;

async function compileQuery(
  session: Session,
  view: ViewDocument,
  source: SourceDocument,
  state: TableState,
  keys: readonly (readonly LiteralValue[])[],
): Promise<ContributionQuery> {
  const query =
    source.kind === 'event' ? await bindEvents(session, view, source, state) : await bindRows(session, view, source, state);
  const table = `(select * from ${query.table} as t where ${compileChosen(view, keys)})`;
  const isEvent = source.kind === 'event';
  const besides = isEvent ? originNames : [fileColumn];
  const valueTypes = query.view.features.map(({ type }) => parseValueType(type));
  const sql = compileProjection({ ...query, table, byValue: !isEvent, besides: besides.map((name) => `t.${quoteName(name)}`) });
  const fields = [
    ...view.keys.map(({ type }, at) => field(`k${at}`, storedKey(type))),
    field('event', int64),
    ...(source.createdTimestamp === undefined ? [] : [field('created', int64)]),
    ...(source.availableAt === undefined ? [] : [field('available', int64)]),
    ...valueTypes.map((type, at) => featureField(`f${at}`, type)),
    ...(isEvent ? [] : [field('row_hash', { id: 'int', bits: 64, signed: false })]),
    field(fileColumn, { id: 'utf8' }),
    ...(isEvent
      ? [featureField(originNames[1], { kind: 'string' }), offsetField, featureField(originNames[3], { kind: 'bool' })]
      : []),
  ];
  return { sql, fields, valueTypes };
}

const offsetType = { kind: 'decimal', precision: 38, scale: 0 } as const;
const offsetField = featureField(originNames[2], offsetType);

function storedKey(type: string): Field['type'] {
  return type === 'string' ? { id: 'utf8' } : type === 'bytes' ? { id: 'binary' } : int64;
}

async function bindRows(
  session: Session,
  view: ViewDocument,
  source: SourceDocument,
  state: TableState,
): Promise<ProjectionQuery> {
  const query = await bindProjection(session, { view, source, state });
  return { ...query, table: compileWholeTable(source.table, state, source.columns, fileColumn) };
}

async function bindEvents(
  session: Session,
  view: ViewDocument,
  source: SourceDocument,
  state: TableState,
): Promise<ProjectionQuery> {
  const events = eventViewOf(view);
  const parts = await bindEventParts(session, { source, state, withOrigin: true });
  const table = compileEvents(events, source, parts, originNames);
  const columns = await session.describe(`select * from ${table}`);
  return { view: events.view, source, table, columns, zone: undefined, byValue: false };
}

function compileChosen(view: ViewDocument, keys: readonly (readonly LiteralValue[])[]): string {
  if (view.keys.length === 0) return 'true';
  const columns = compileKeys(view, 't.').map(({ value }) => value);
  const rows = keys.map((key) => `(${key.map((value, at) => compileKey(value, view.keys[at]?.type as string)).join(', ')})`);
  return `(${columns.join(', ')}) in (${columns.length === 1 ? rows.map((row) => row.slice(1, -1)).join(', ') : rows.join(', ')})`;
}

function compileKey(value: LiteralValue, type: string): string {
  switch (type) {
    case 'string':
      return `decode(unhex(${quoteText(Buffer.from(value as string).toString('hex'))}))`;
    case 'bytes':
      return `unhex(${quoteText(Buffer.from(value as Uint8Array).toString('hex'))})`;
    case 'bool':
      return String(value);
    default:
      return `(${value})::bigint`;
  }
}

function collect(
  view: ViewDocument,
  source: SourceDocument,
  { fields, valueTypes }: ContributionQuery,
  columns: readonly Column[],
  fileOf: (path: string) => ContributionFile | undefined,
  found: Map<string, Contribution[]>,
): void {
  const at = (name: string) => fields.findIndex((one) => one.name === name);
  const read = (name: string, type: ValueType) => {
    const column = columns[at(name)];
    return column === undefined ? () => null : literalReader(column, type);
  };
  const keys = view.keys.map(({ type }, place) =>
    read(`k${place}`, { kind: type === 'string' || type === 'bytes' ? type : 'int64' }),
  );
  const [event, created, available] = ['event', 'created', 'available'].map((name) => read(name, { kind: 'int64' }));
  const values = valueTypes.map((type, place) => read(`f${place}`, type));
  const [file, partition, late] = [originNames[0], originNames[1]].map((name) => read(name, { kind: 'string' }));
  const offset = read(originNames[2], offsetType);
  const isLate = source.kind === 'event' ? read(originNames[3], { kind: 'bool' }) : late;
  const rows = columns[0]?.length ?? 0;
  for (let row = 0; row < rows; row++) {
    const key = keyText(keys.map((one) => one(row)));
    const list = found.get(key) ?? [];
    found.set(key, list);
    const path = file?.(row) as string | null;
    const place = offset(row) as string | null;
    list.push({
      eventUs: event?.(row) as bigint,
      createdUs: created?.(row) as bigint | null,
      availableUs: available?.(row) as bigint | null,
      values: values.map((one) => one(row)),
      file: path === null ? undefined : fileOf(path),
      partition: partition?.(row) as string | null,
      offset: place === null ? null : BigInt(place),
      isLate: isLate?.(row) === true,
    });
  }
}

function openFiles({ files, archived }: TableState): (path: string) => ContributionFile | undefined {
  const known = new Map<string, ContributionFile>();
  const add = (isArchived: boolean) => (state: FileState) => {
    const modifiedUs = isArchived && mergedName.test(state.absolutePath) ? undefined : BigInt(state.modifiedNs) / 1000n;
    known.set(state.absolutePath, { path: state.path, modifiedUs, isArchived });
  };
  files.forEach(add(false));
  archived.forEach(add(true));
  return (path) => known.get(path);
}

/** Equal for equal keys of one view: integers and booleans are read as 64-bit integers. */
function keyText(key: readonly LiteralValue[]): string {
  return JSON.stringify(
    key.map((value) => {
      if (typeof value === 'boolean') return value ? '1' : '0';
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
    }),
  );
}

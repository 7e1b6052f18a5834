/** A source of events of which tests write histories and archives, a view of it, and plain loops over the events. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import type { Archive } from '../../../src/offline/archive/archive.ts';
import type { EventColumns } from '../../../src/offline/events/event-columns.ts';
import type { AggregateDocument, HistoryTableDocument, SourceDocument, ViewDocument } from '../../../src/registry/document.ts';
import type { Expression } from '../../../src/registry/expression/tree.ts';

export interface Click {
  readonly atUs: bigint | null;
  readonly user: bigint | null;
  readonly kind: string | null;
  readonly n: bigint | null;
  readonly x: number | null;
  readonly id: bigint | null;
}

const described = { tags: {}, file: 'features/clicks.ts' };
const vocabulary = ['view', 'click', 'buy'];

/** `Etc/GMT+5` is 5 hours behind UTC all year. */
export const clicks: SourceDocument = {
  ...described,
  ...{ name: 'clicks', kind: 'event', eventTimestamp: 'at', timezone: 'Etc/GMT+5' },
  table: { format: 'parquet', paths: [], hivePartitioning: false, options: {} },
  tables: [],
  columns: [
    { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
    { name: 'user_id', type: 'BIGINT' },
    { name: 'kind', type: 'VARCHAR' },
    { name: 'n', type: 'BIGINT' },
    { name: 'x', type: 'DOUBLE' },
    { name: 'id', type: 'BIGINT' },
  ],
  events: {
    columns: [
      { name: 'user_id', type: 'int64' },
      { name: 'kind', type: 'string', values: vocabulary },
      { name: 'n', type: 'int64' },
      { name: 'x', type: 'float64' },
      { name: 'id', type: 'int64' },
    ],
  },
};

const column = (name: string, kind: 'string' | 'int64' | 'float64'): Expression => ({ kind: 'column', name, type: { kind } });
const isClick: Expression = {
  ...{ kind: 'call', name: '=', type: { kind: 'bool' } },
  args: [column('kind', 'string'), { kind: 'literal', type: { kind: 'string' }, value: 'click' }],
};

function aggregate(name: AggregateDocument['function'], parts: Partial<Record<'value' | 'where', Expression>>) {
  const document = Object.fromEntries(Object.entries(parts).map(([part, tree]) => [part, { text: part, tree }]));
  return { function: name, window: '7d', hop: '1h', ...document };
}

export const activity: ViewDocument = {
  ...described,
  ...{ name: 'activity', kind: 'stream', entities: ['user'], source: 'clicks', asKnown: false },
  keys: [{ name: 'user_id', type: 'int64', column: 'user_id' }],
  features: [
    { name: 'total', type: 'int64', column: 'n', hash: 'a', aggregate: aggregate('sum', { value: column('n', 'int64') }) },
    { name: 'clicks', type: 'int64', column: '', hash: 'b', aggregate: aggregate('count', { where: isClick }) },
    { name: 'last', type: 'float64', column: 'x', hash: 'c', aggregate: aggregate('last', { value: column('x', 'float64') }) },
  ],
};

/** The tables that a history may have: instants and local times, wide and narrow columns, Parquet and CSV. */
const tables = [
  { format: 'parquet', at: 'TIMESTAMP WITH TIME ZONE', user: 'BIGINT', n: 'INTEGER', x: 'DOUBLE' },
  { format: 'parquet', at: 'TIMESTAMP', user: 'INTEGER', n: 'BIGINT', x: 'DOUBLE' },
  { format: 'csv', at: 'TIMESTAMP', user: 'BIGINT', n: 'SMALLINT', x: 'FLOAT' },
] as const;
export const mostTables = tables.length;

/** Writes some events as one file of a table, and describes it. */
export async function writeTable(
  root: string,
  folder: string,
  at: number,
  events: readonly Click[],
): Promise<HistoryTableDocument> {
  const { format, ...types } = tables[at] as (typeof tables)[number];
  mkdirSync(join(root, folder), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const local = types.at === 'TIMESTAMP' ? 5n * 3_600_000_000n : 0n;
  const make = local === 0n ? 'make_timestamptz' : 'make_timestamp';
  const text = (value: LiteralValue) => (value === null ? 'null' : `'${value}'`);
  await connection.run("set timezone = 'UTC'");
  const columns = [
    { name: 'extra', type: 'VARCHAR' },
    { name: 'at', type: types.at },
    { name: 'user_id', type: types.user },
    { name: 'kind', type: 'VARCHAR' },
    { name: 'n', type: types.n },
    { name: 'x', type: types.x },
    { name: 'id', type: 'BIGINT' },
  ];
  await connection.run(`create table t (${columns.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`);
  for (const { atUs, user, kind, n, x, id } of events) {
    const time = atUs === null ? 'null' : `${make}(${atUs - local})`;
    await connection.run(`insert into t values ('e', ${time}, ${[user, kind, n, x, id].map(text).join(', ')})`);
  }
  const path = `${folder}/t${at}.${format}`;
  await connection.run(`copy t to '${join(root, path)}' (format ${format}${format === 'csv' ? ', header true' : ''})`);
  connection.closeSync();
  instance.closeSync();
  return { format, paths: [path], hivePartitioning: false, options: format === 'csv' ? { header: true } : {}, columns };
}

/** Events as they are staged. */
export function stagedOf(events: readonly Click[], offsets: readonly bigint[], partition: string) {
  return {
    columns: {
      at: events.map(({ atUs }) => atUs),
      user_id: events.map(({ user }) => user),
      kind: events.map(({ kind }) => kind),
      n: events.map(({ n }) => n),
      x: events.map(({ x }) => x),
      id: events.map(({ id }) => id),
    },
    offsets,
    late: events.map((_, at) => at % 3 === 0),
    partition,
  };
}

export async function archiveEvents(
  archive: Archive,
  source: SourceDocument,
  events: readonly Click[],
  offsets: readonly bigint[],
  partition: string,
): Promise<boolean> {
  const key = `${partition} ${offsets[0]} ${offsets.at(-1)}`;
  return await archive.stageEvents(source, stagedOf(events, offsets, partition), async (file) => {
    return (await archive.keep(source, key, file)).isNew;
  });
}

export function isValid({ atUs, kind }: Click): boolean {
  return atUs !== null && (kind === null || vocabulary.includes(kind));
}

/** Of events with equal ids the oldest, of those the least by value. */
export function onceNaively(events: readonly Click[]): readonly Click[] {
  const order = (one: Click) => [one.atUs, one.user, one.kind, one.n, one.x];
  const sorted = events.toSorted((a, b) => compareRows(order(a), order(b)));
  const seen = new Set<bigint>();
  return sorted.filter(({ id }) => id === null || (!seen.has(id) && seen.add(id)));
}

/** What a row of the view says, in the order of a scan. */
export type ViewRow = readonly LiteralValue[];

export function rowOf({ user, atUs, n, kind, x }: Click): ViewRow {
  return [user, atUs, n, kind === null ? null : kind === 'click', x];
}

export function sortRows(rows: readonly ViewRow[]): readonly ViewRow[] {
  return rows.toSorted(compareRows);
}

export function rowsOf({ count, keys, timesUs, values }: EventColumns): ViewRow[] {
  return Array.from({ length: count }, (_, row) => [
    ...keys.map((values) => values[row] as LiteralValue),
    timesUs[row] as bigint,
    ...values.map((column) => column[row] as LiteralValue),
  ]);
}

function compareRows(a: ViewRow, b: ViewRow): number {
  for (const [at, left] of a.entries()) {
    const right = b[at] as LiteralValue;
    const order = compare(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

/** Nulls first, NaN last. */
function compare(a: LiteralValue, b: LiteralValue): number {
  const rank = (value: LiteralValue) => (value === null ? 0 : Number.isNaN(value) ? 2 : 1);
  if (rank(a) !== 1 || rank(b) !== 1) return rank(a) - rank(b);
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

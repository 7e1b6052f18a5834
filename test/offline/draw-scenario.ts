/** Random retrievals: sources with ties, nulls and zones, views of every kind, and frames of every column type that keys may have. */
import type { GeneratorValue } from 'fast-check';
import type { KeyType, ValueType } from '../../src/definitions/value-type.ts';
import type { NaiveFeature, NaiveRow } from '../support/naive-join.ts';
import type { FrameColumn, Scenario, ScenarioColumn, ScenarioSource, ScenarioView, WantedFeature } from '../support/scenario.ts';
import { drawKeyColumn, drawOtherColumn, drawTimeColumn } from './draw-frame.ts';
import {
  blobs,
  type ColumnKind,
  type Draw,
  drawFrom,
  drawLiteral,
  instantKinds,
  integers,
  localKinds,
  localListKinds,
  texts,
  valueKinds,
} from './draw-values.ts';

export const keyPools: Record<KeyType, readonly unknown[]> = {
  int32: integers.filter((value) => BigInt.asIntN(32, value) === value).map(Number),
  int64: integers,
  string: texts,
  bool: [true, false],
  bytes: blobs,
};
const keyColumnTypes: Record<KeyType, string> = {
  int32: 'INTEGER',
  int64: 'BIGINT',
  string: 'VARCHAR',
  bool: 'BOOLEAN',
  bytes: 'BLOB',
};
const keyTypes: readonly KeyType[] = ['int64', 'string', 'int32', 'bool', 'bytes'];
const zones = ['America/New_York', 'UTC', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Kolkata'];

/** Names that the query's own aliases, SQL and quoting could trip over. */
const columnNames = [
  'value',
  'event',
  'created',
  'available',
  'k0',
  'f0',
  'f1',
  'row_hash',
  'select',
  'with space',
  'qu"ote',
  "ap'os",
  'ünï',
  't',
  'e0',
];
const featureNames = ['value', 'f0', 'event', 'k0', 'created', 'row_hash', 'row'];

export function drawScenario(g: GeneratorValue, name: string): Scenario {
  const draw = drawFrom(g);
  const sources = Array.from({ length: draw.chance(25) ? 2 : 1 }, (_, at) => drawSource(draw, `${name}_s${at}`));
  const views = Array.from({ length: Math.max(sources.length, draw.chance(30) ? 2 : 1) }, (_, at) =>
    drawView(draw, sources[at] ?? (sources[0] as DrawnSource), `${name}_v${at}`, at),
  );
  const lookups = drawLookups(draw, views);
  const rows = draw.chance(10) ? draw.int(70, 200) : draw.int(0, 25);
  const columns: FrameColumn[] = [];
  const keys: Record<string, Record<string, string>> = {};
  for (const { view, label } of lookups) {
    for (const key of view.keys) {
      const renamed = label === view.name ? key.name : draw.pick([key.name, `${label}_${key.name}`]);
      if (renamed !== key.name) keys[label] = { ...keys[label], [key.name]: renamed };
      if (columns.some(({ field }) => field.name === renamed)) continue;
      const held = view.source.rows.map((row) => row[key.column]).filter((value) => value !== null);
      columns.push(drawKeyColumn(draw, renamed, key.type, [...held, ...held, ...keyPools[key.type]], rows));
    }
  }
  const time = draw.chance(12) ? { atUs: draw.time() } : drawTimeColumn(draw, rows);
  if ('column' in time) columns.push(time.column);
  for (let at = draw.int(0, 2); at > 0; at--) columns.push(drawOtherColumn(draw, `in_${at}`, rows));
  const features = drawFeatures(draw, lookups);
  return {
    views,
    frame: { rows, columns, batchRows: draw.pick([1000, 7, 1, 64]) },
    features,
    keys: Object.fromEntries(
      Object.entries(keys).filter(([label]) => features.some(({ prefix, view }) => (prefix ?? view) === label)),
    ),
    asKnown: draw.pick([null, true, false]),
    atUs: 'atUs' in time ? time.atUs : undefined,
    timestamp: 'column' in time ? time.column.field.name : undefined,
    timezone: 'column' in time ? time.timezone : undefined,
    statuses: draw.chance(70),
    fullFeatureNames: draw.chance(40),
  };
}

interface DrawnSource extends ScenarioSource {
  readonly keyColumns: readonly { readonly type: KeyType; readonly column: string }[];
  readonly kinds: ReadonlyMap<string, ColumnKind>;
}

function drawSource(draw: Draw, name: string): DrawnSource {
  const format = draw.pick(['parquet', 'parquet', 'parquet', 'parquet', 'csv', 'json'] as const);
  const local = draw.chance(40);
  const names = shuffled(draw, columnNames);
  const kinds = new Map<string, ColumnKind>();
  const add = (kind: ColumnKind, given?: string) => {
    const column = given ?? (names.pop() as string);
    kinds.set(column, kind);
    return column;
  };
  const usable = (from: readonly ColumnKind[]) => {
    const kept = from.filter((kind) => format === 'parquet' || kind.text);
    return kept.length === 0 ? valueKinds.filter((kind) => kind.text) : kept;
  };
  const timeKind = () => draw.pick(usable(local && draw.chance(75) ? localKinds : instantKinds));
  const keyColumns = Array.from({ length: draw.pick([1, 1, 2, 3, 0]) }, () => {
    const type = draw.pick(format === 'parquet' ? keyTypes : (['int64', 'int32', 'bool'] as const));
    return { type, column: add(keyKind(type)) };
  });
  const event = add(timeKind());
  const created = draw.chance(60) ? add(timeKind()) : undefined;
  const available = draw.chance(30) ? add(timeKind()) : undefined;
  for (let at = draw.int(1, 4); at > 0; at--)
    add(draw.chance(10) ? timeKind() : draw.pick(usable(local && draw.chance(25) ? localListKinds : valueKinds)));
  // The order of a table's columns decides ties: times and keys do not always come first.
  const order = draw.chance(50) ? shuffled(draw, [...kinds.keys()]) : [...kinds.keys()];
  const hive = format === 'parquet' && draw.chance(15) ? add(hiveKind(draw), 'part') : undefined;
  if (hive !== undefined) order.push(hive);
  const columns = order.map((column): ScenarioColumn => ({ name: column, ...(kinds.get(column) as ColumnKind) }));
  const rows = drawRows(
    draw,
    columns,
    kinds,
    [event, created].filter((column) => column !== undefined),
  );
  return {
    ...{ name, columns, event, created, available, rows, format, hive, keyColumns, kinds },
    timezone: local ? draw.pick(zones) : undefined,
    ambiguousTime: local ? draw.pick(['earlier', 'later', 'earlier', 'later', undefined] as const) : undefined,
    files: hive !== undefined ? 1 : draw.int(1, 3),
  };
}

/** New rows, and rows that repeat another whole, in its times, or in its times and keys. */
function drawRows(
  draw: Draw,
  columns: readonly ScenarioColumn[],
  kinds: ReadonlyMap<string, ColumnKind>,
  times: readonly string[],
): NaiveRow[] {
  const rows: Record<string, unknown>[] = [];
  const nulls = draw.pick([0, 10, 30]);
  for (let count = draw.int(1, 40); count > 0; count--) {
    const fresh = Object.fromEntries(
      columns.map(({ name }) => [name, draw.chance(nulls) ? null : (kinds.get(name) as ColumnKind).draw(draw)]),
    );
    const other = rows.length === 0 ? fresh : (rows[draw.int(0, rows.length - 1)] as Record<string, unknown>);
    const how = draw.pick(['fresh', 'fresh', 'same', 'tied', 'corrected', 'nearly'] as const);
    if (how === 'same') rows.push({ ...other });
    else if (how === 'tied') rows.push({ ...fresh, ...Object.fromEntries(times.map((name) => [name, other[name]])) });
    else if (how === 'corrected') rows.push({ ...fresh, [times[0] as string]: other[times[0] as string] });
    else if (how === 'nearly') rows.push({ ...other, [columns.at(-1)?.name as string]: fresh[columns.at(-1)?.name as string] });
    else rows.push(fresh);
  }
  return rows;
}

function keyKind(type: KeyType): ColumnKind {
  const naive = { kind: type } as const;
  // Few of the pool, so that rows share keys.
  return {
    duckType: keyColumnTypes[type],
    type: naive,
    features: [naive],
    draw: (from) => from.pick(keyPools[type].slice(0, 3)),
    text: true,
  };
}

function hiveKind(draw: Draw): ColumnKind {
  const [duckType, type, pool] = draw.pick([
    ['BIGINT', { kind: 'int64' }, [1n, 2n]],
    ['VARCHAR', { kind: 'string' }, ['a', 'b']],
  ] as const);
  return { duckType, type, features: [type], draw: (from) => from.pick<unknown>(pool), text: false };
}

function drawView(draw: Draw, source: DrawnSource, name: string, at: number): ScenarioView {
  const keys = source.keyColumns
    .filter((_, index) => index === 0 || draw.chance(85))
    .map(({ type, column }, index) => ({ name: `key_${at}_${index}`, type, column }));
  const names = shuffled(draw, featureNames).map((feature) => (at === 0 ? feature : `other_${feature}`));
  const candidates = source.columns.filter(({ name: column }) => (source.kinds.get(column) as ColumnKind).features.length > 0);
  const apart = [source.event, source.created, source.available, ...keys.map(({ column }) => column)];
  const values = candidates.filter(({ name: column }) => !apart.includes(column));
  const features = Array.from({ length: draw.int(1, 4) }, (): NaiveFeature => {
    const { name: column } = draw.pick(draw.chance(12) ? candidates : values);
    const type = draw.pick((source.kinds.get(column) as ColumnKind).features);
    return { name: names.pop() as string, column, type, default: drawDefault(draw, type) };
  });
  return {
    ...{ name, source, keys, features },
    delay: draw.pick([undefined, undefined, '0', '1s', '90m', '3h', '1d']),
    ttl: draw.pick([undefined, undefined, '0', '1s', '1h', '24h', '3d']),
    asKnown: draw.chance(25),
  };
}

function drawDefault(draw: Draw, type: ValueType): NaiveFeature['default'] {
  const which = draw.pick(['none', 'literal', 'fitted', 'none'] as const);
  if (which === 'none') return undefined;
  if (which === 'literal') return { literal: drawLiteral(draw, type) };
  const numeric = type.kind === 'float64' || type.kind === 'float32';
  return { fitted: numeric ? draw.pick(['mean', 'median', 'mode'] as const) : 'mode' };
}

interface Lookup {
  readonly view: ScenarioView;
  readonly label: string;
}

/** Every view at least once; now and then one of them twice, under prefixes. */
function drawLookups(draw: Draw, views: readonly ScenarioView[]): Lookup[] {
  const lookups = views.map((view, at) => ({ view, label: draw.chance(25) ? `p${at}` : view.name }));
  if (draw.chance(30)) lookups.push({ view: views[0] as ScenarioView, label: 'again' });
  return lookups;
}

function drawFeatures(draw: Draw, lookups: readonly Lookup[]): WantedFeature[] {
  const all = lookups.flatMap(({ view, label }) =>
    view.features.map(({ name }) => ({ view: view.name, feature: name, prefix: label === view.name ? undefined : label })),
  );
  const order = draw.chance(50) ? shuffled(draw, all) : all;
  return order.slice(0, Math.max(1, order.length - draw.pick([0, 0, 1])));
}

function shuffled<T>(draw: Draw, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(draw.int(0, left.length - 1), 1)[0] as T);
}

/** The point-in-time join of batch views as plain loops over design rules 1 to 5: the oracle that the engine is proved against. */
import type { KeyType, ValueType } from '../../src/definitions/value-type.ts';
import { fitNaively, type NaiveFitted } from './naive-default.ts';
import { type NaiveTime, type NaiveZone, toInstantNaively } from './naive-instant.ts';
import { convertKeysNaively, type NaiveKeyColumn } from './naive-keys.ts';
import { compareNaively, compareSignsNaively } from './naive-order.ts';

export type NaiveType = ValueType | NaiveTime | { readonly kind: 'list'; readonly element: NaiveType };

/** Values are those of readValue: bigint for int64 and counts of time, text for decimals, Uint8Array for bytes, arrays for lists. */
export type NaiveRow = Readonly<Record<string, unknown>>;

export interface NaiveSource extends NaiveZone {
  /** Every column in the source's order, with the type that its values have. */
  readonly columns: readonly { readonly name: string; readonly type: NaiveType }[];
  readonly event: string;
  readonly created?: string;
  readonly available?: string;
  readonly rows: readonly NaiveRow[];
}

export interface NaiveFeature {
  readonly name: string;
  readonly column: string;
  readonly type: ValueType;
  /** A literal is a value of the type, as readValue gives it. */
  readonly default?: { readonly literal: unknown } | { readonly fitted: NaiveFitted };
}

export interface NaiveView {
  readonly keys: readonly { readonly name: string; readonly type: KeyType; readonly column: string }[];
  readonly source: NaiveSource;
  readonly delayUs?: bigint;
  /** Absent or zero is unlimited. */
  readonly ttlUs?: bigint;
  readonly asKnown?: boolean;
  readonly features: readonly NaiveFeature[];
}

/** A row of the frame as one view sees it: its converted keys in the view's order, and T in microseconds. */
export interface NaiveEntityRow {
  readonly keys: readonly (string | null)[];
  readonly timeUs: bigint | null;
}

export type NaiveStatus = 'PRESENT' | 'NULL_VALUE' | 'NOT_FOUND' | 'OUTSIDE_MAX_AGE';

export interface NaiveCell {
  readonly value: unknown;
  readonly status: NaiveStatus;
  readonly eventTimestamp: bigint | null;
  readonly isDefault: boolean;
  /** Visible rows of equal event and created time that lost to the winner by value alone. */
  readonly ties: number;
}

interface Candidate {
  readonly row: NaiveRow;
  readonly keys: readonly (string | null)[];
  readonly eventUs: bigint;
  readonly createdUs: bigint | null;
  /** null is never. */
  readonly visibleUs: bigint | null;
}

/** One list of cells per entity row, a cell per feature of the view. `asKnown` of a request overrides the view's (rule 3). */
export function joinNaively(view: NaiveView, frame: readonly NaiveEntityRow[], asKnown?: boolean | null): NaiveCell[][] {
  const candidates = readCandidates(view, asKnown ?? view.asKnown ?? false);
  const fitted = fitter(view, candidates);
  return frame.map((entity) => {
    const { winner, ties } = findWinner(view, candidates, entity);
    return view.features.map((feature) => {
      const cell = readCell(view, feature, winner, entity, ties);
      return cell.status === 'PRESENT' ? cell : applyDefault(feature, cell, entity, fitted);
    });
  });
}

function readCandidates(view: NaiveView, asKnown: boolean): Candidate[] {
  const { source } = view;
  const keyColumns = view.keys.map((key) =>
    convertKeysNaively(
      source.rows.map((row) => row[key.column]),
      keyColumnOf(typeOf(source, key.column)),
      key.type,
    ),
  );
  const candidates: Candidate[] = [];
  for (const [index, row] of source.rows.entries()) {
    const eventUs = readInstant(source, source.event, row);
    const createdUs = source.created === undefined ? null : readInstant(source, source.created, row);
    const availableUs = source.available === undefined ? eventUs : readInstant(source, source.available, row);
    // A source that holds a time of no single instant is refused, wherever it stands (rule 1.2).
    for (const feature of view.features) readFeature(source, feature, row);
    if (eventUs === null) continue;
    const instants = [eventUs, eventUs + (view.delayUs ?? 0n), availableUs];
    if (asKnown && source.created !== undefined) instants.push(createdUs);
    const keys = keyColumns.map((column) => column[index] as string | null);
    candidates.push({ row, keys, eventUs, createdUs, visibleUs: latest(instants) });
  }
  return candidates;
}

/** A row of which one instant is null is never visible. */
function latest(instants: readonly (bigint | null)[]): bigint | null {
  let last = instants[0] as bigint | null;
  for (const instant of instants) {
    if (instant === null) return null;
    if (last === null || instant > last) last = instant;
  }
  return last;
}

function findWinner(view: NaiveView, candidates: readonly Candidate[], { keys, timeUs }: NaiveEntityRow) {
  let winner: Candidate | undefined;
  let ties = 0;
  if (timeUs === null || keys.includes(null)) return { winner, ties };
  const visible = candidates.filter(
    (one) => one.visibleUs !== null && one.visibleUs <= timeUs && one.keys.every((key, index) => key === keys[index]),
  );
  for (const one of visible) {
    if (winner === undefined) winner = one;
    else if ((compareCandidates(view, one, winner) || compareSigns(view, one, winner) || compareAvailable(view, one, winner)) > 0)
      winner = one;
  }
  for (const one of visible) {
    if (winner === undefined || one.eventUs !== winner.eventUs || one.createdUs !== winner.createdUs) continue;
    if (compareCandidates(view, one, winner) !== 0) ties++;
  }
  return { winner, ties };
}

/** By event time, then created time (null least), then every other column of the source in its order. */
function compareCandidates({ keys, source }: NaiveView, a: Candidate, b: Candidate): number {
  if (a.eventUs !== b.eventUs) return a.eventUs < b.eventUs ? -1 : 1;
  if (a.createdUs !== b.createdUs) {
    if (a.createdUs === null || b.createdUs === null) return a.createdUs === null ? -1 : 1;
    return a.createdUs < b.createdUs ? -1 : 1;
  }
  const apart = [source.event, source.created, source.available, ...keys.map((key) => key.column)];
  for (const { name, type } of source.columns) {
    if (apart.includes(name)) continue;
    const order = compareNaively(...comparable(type, a.row[name] ?? null, b.row[name] ?? null));
    if (order !== 0) return order;
  }
  return 0;
}

function compareSigns({ source }: NaiveView, a: Candidate, b: Candidate): number {
  for (const { name } of source.columns) {
    const order = compareSignsNaively(a.row[name], b.row[name]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Equal in all that decides: the later available one, as a feature may be read from that column. */
function compareAvailable({ source }: NaiveView, a: Candidate, b: Candidate): number {
  const [left, right] = [a, b].map(({ row }) =>
    source.available === undefined ? null : readInstant(source, source.available, row),
  );
  return left == null || right == null || left === right ? 0 : left < right ? -1 : 1;
}

/** Times compare in microseconds (rule 1.1), those without a zone by their reading. */
function comparable(type: NaiveType, a: unknown, b: unknown): [NaiveType, unknown, unknown] {
  if (type.kind !== 'time') return [type, a, b];
  const reading = { ...type, zoned: true };
  return [{ kind: 'timestamp' }, toInstantNaively(a, reading, {}), toInstantNaively(b, reading, {})];
}

function readCell(
  view: NaiveView,
  feature: NaiveFeature,
  winner: Candidate | undefined,
  entity: NaiveEntityRow,
  ties: number,
): NaiveCell {
  if (winner === undefined) return { value: null, status: 'NOT_FOUND', eventTimestamp: null, isDefault: false, ties };
  const found = { eventTimestamp: winner.eventUs, isDefault: false, ties };
  const tooOld = (view.ttlUs ?? 0n) !== 0n && winner.eventUs < (entity.timeUs as bigint) - (view.ttlUs as bigint);
  if (tooOld) return { value: null, status: 'OUTSIDE_MAX_AGE', ...found };
  const value = readFeature(view.source, feature, winner.row);
  return { value, status: value === null ? 'NULL_VALUE' : 'PRESENT', ...found };
}

function applyDefault(
  feature: NaiveFeature,
  cell: NaiveCell,
  { timeUs }: NaiveEntityRow,
  fitted: (feature: NaiveFeature, timeUs: bigint) => unknown,
): NaiveCell {
  if (feature.default === undefined) return cell;
  if ('literal' in feature.default) return { ...cell, value: feature.default.literal, isDefault: true };
  const value = timeUs === null ? undefined : fitted(feature, timeUs);
  return value === undefined ? cell : { ...cell, value, isDefault: true };
}

function fitter(view: NaiveView, candidates: readonly Candidate[]) {
  return (feature: NaiveFeature, timeUs: bigint): unknown => {
    const versions = candidates
      .filter((one) => !one.keys.includes(null))
      .map((one) => ({ visibleUs: one.visibleUs, value: readFeature(view.source, feature, one.row) }));
    return fitNaively((feature.default as { fitted: NaiveFitted }).fitted, feature.type, versions, timeUs);
  };
}

function readFeature(source: NaiveSource, feature: NaiveFeature, row: NaiveRow): unknown {
  return widenNaively(row[feature.column] ?? null, typeOf(source, feature.column), feature.type, source);
}

/** The same value in a type that holds every value of its column's type. */
function widenNaively(value: unknown, from: NaiveType, to: ValueType, zone: NaiveZone): unknown {
  if (value === null) return null;
  if (to.kind === 'timestamp' && (from.kind === 'time' || from.kind === 'date'))
    return toInstantNaively(value, from as NaiveTime, zone);
  if (to.kind === 'list' && from.kind === 'list') {
    return (value as unknown[]).map((one) => widenNaively(one, from.element, to.element, zone));
  }
  if (to.kind === 'int64') return BigInt(value as number | bigint | string);
  if (to.kind === 'int32' || to.kind === 'float64') return Number(value);
  if (to.kind === 'decimal') {
    const [whole = '', fraction = ''] = String(value).split('.');
    return to.scale === 0 ? whole : `${whole}.${fraction.padEnd(to.scale, '0')}`;
  }
  return value;
}

function readInstant(source: NaiveSource, column: string, row: NaiveRow): bigint | null {
  return toInstantNaively(row[column] ?? null, typeOf(source, column) as NaiveTime, source);
}

function typeOf(source: NaiveSource, column: string): NaiveType {
  const found = source.columns.find(({ name }) => name === column);
  if (found === undefined) throw new Error(`the source has no column ${column}`);
  return found.type;
}

function keyColumnOf(type: NaiveType): NaiveKeyColumn {
  switch (type.kind) {
    case 'string':
    case 'bool':
    case 'bytes':
      return type.kind;
    case 'float32':
    case 'float64':
      return 'float';
    default:
      return 'integer';
  }
}

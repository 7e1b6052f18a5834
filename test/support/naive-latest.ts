/** Which rows of a view an online store needs (sections 3 and 8), by plain loops: what it must answer at every instant from one on. */
import { parseDurationUs } from '../../src/definitions/duration.ts';
import { type NaiveTime, toInstantNaively } from './naive-instant.ts';
import { joinNaively, type NaiveRow } from './naive-join.ts';
import { convertKeysNaively, type NaiveKeyColumn } from './naive-keys.ts';
import type { ScenarioSource, ScenarioView } from './scenario.ts';

/** The view over those rows alone that happened in a range; without defaults and ttl, which are not of the store. */
export function inRange(view: ScenarioView, startUs: bigint | undefined, endUs: bigint): ScenarioView {
  const rows = view.source.rows.filter((row) => {
    const us = instantOf(view.source, view.source.event, row);
    return us !== null && us <= endUs && (startUs === undefined || us >= startUs);
  });
  const features = view.features.map((feature) => ({ ...feature, default: undefined }));
  return { ...view, source: { ...view.source, rows }, ttl: undefined, features };
}

/** The keys of all rows, as texts. */
export function keysOf(view: ScenarioView): (string | null)[][] {
  const columns = view.keys.map((key) => {
    const kind: string = view.source.columns.find(({ name }) => name === key.column)?.type.kind ?? '';
    const column = kind === 'float32' || kind === 'float64' ? 'float' : /^int|decimal/.test(kind) ? 'integer' : kind;
    const values = view.source.rows.map((row) => row[key.column]);
    return convertKeysNaively(values, column as NaiveKeyColumn, key.type);
  });
  const keys = view.source.rows.map((_, row) => columns.map((column) => column[row] as string | null));
  const distinct = new Map(keys.map((key) => [JSON.stringify(key), key]));
  return view.keys.length === 0 ? [[]] : [...distinct.values()];
}

/** What the view answers for a key at an instant; undefined where nothing is found. */
export function answerAt(view: ScenarioView, key: readonly (string | null)[], timeUs: bigint) {
  const delayUs = view.delay === undefined ? 0n : parseDurationUs(view.delay);
  const [cells = []] = joinNaively({ ...view, delayUs, ttlUs: 0n }, [{ keys: key, timeUs }]);
  const [first] = cells;
  if (first === undefined || first.status === 'NOT_FOUND') return undefined;
  return { eventUs: first.eventTimestamp as bigint, values: cells.map(({ value }) => value), ties: first.ties };
}

/** All instants at which some row happens, is created, becomes available, or has waited for its delay. */
export function momentsOf(view: ScenarioView): bigint[] {
  const { source } = view;
  const delayUs = view.delay === undefined ? 0n : parseDurationUs(view.delay);
  const columns = [source.event, source.created, source.available].filter((name) => name !== undefined);
  const moments = source.rows.flatMap((row) =>
    columns.flatMap((name) => {
      const us = instantOf(source, name, row);
      return us === null ? [] : [us, us + delayUs];
    }),
  );
  return [...new Set(moments)].sort((a, b) => (a < b ? -1 : 1));
}

function instantOf(source: ScenarioSource, column: string, row: NaiveRow): bigint | null {
  const type = source.columns.find(({ name }) => name === column)?.type as NaiveTime;
  return toInstantNaively(row[column] ?? null, type, source);
}

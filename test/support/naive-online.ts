/** Online state as semantics.md section 8 has it, by plain loops: every row ever written is kept, and each answer looks at all. */
import type { ValueType } from '../../src/definitions/value-type.ts';
import type { NaiveStatus } from './naive-join.ts';
import { compareNaively } from './naive-order.ts';

export interface NaiveOnlineView {
  readonly name: string;
  readonly keys: readonly string[];
  /** In the source's column order. */
  readonly features: readonly { readonly name: string; readonly type: ValueType; readonly hash: string }[];
  readonly delayUs: bigint;
  /** 0 is unlimited. */
  readonly ttlUs: bigint;
  /** The source has an available timestamp. */
  readonly hasAvailable: boolean;
  readonly asKnown: boolean;
}

export interface NaiveOnlineRow {
  readonly eventUs: bigint;
  readonly createdUs: bigint | null;
  readonly availableUs: bigint | null;
  /** By feature name. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface NaiveOnlineCell {
  readonly status: NaiveStatus;
  readonly value: unknown;
  readonly eventUs: bigint | null;
}

interface Written {
  readonly view: string;
  readonly entity: Readonly<Record<string, unknown>>;
  readonly row: NaiveOnlineRow;
  /** The definition hashes that it was written under. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly at: number;
}

export interface NaiveOnline {
  /** `entity` is a value per join key; a null is no entity. */
  write(view: NaiveOnlineView, entity: Readonly<Record<string, unknown>>, row: NaiveOnlineRow): void;
  answer(view: NaiveOnlineView, entity: Readonly<Record<string, unknown>>, atUs: bigint): NaiveOnlineCell[];
  erase(entity: Readonly<Record<string, unknown>>): void;
  lift(entity: Readonly<Record<string, unknown>>): void;
}

export function createNaiveOnline(): NaiveOnline {
  let written: Written[] = [];
  let erased: Readonly<Record<string, unknown>>[] = [];
  return {
    write(view, entity, row) {
      if (view.keys.some((key) => entity[key] === null)) return;
      if (erased.some((gone) => covers(gone, entity))) return;
      const hashes = Object.fromEntries(view.features.map(({ name, hash }) => [name, hash]));
      written.push({ view: view.name, entity, row, hashes, at: written.length });
    },
    answer(view, entity, atUs) {
      let winner: Written | undefined;
      for (const candidate of written) {
        if (candidate.view !== view.name || view.keys.some((key) => candidate.entity[key] !== entity[key])) continue;
        if (!isVisible(view, candidate.row, atUs)) continue;
        if (winner === undefined || compareWritten(view, candidate, winner) > 0) winner = candidate;
      }
      return view.features.map(({ name, hash }) => {
        if (winner === undefined || winner.hashes[name] !== hash) return { status: 'NOT_FOUND', value: null, eventUs: null };
        const { eventUs, values } = winner.row;
        if (view.ttlUs > 0n && eventUs < atUs - view.ttlUs) return { status: 'OUTSIDE_MAX_AGE', value: null, eventUs };
        return { status: values[name] === null ? 'NULL_VALUE' : 'PRESENT', value: values[name], eventUs };
      });
    },
    erase(entity) {
      written = written.filter((row) => !covers(entity, row.entity));
      erased.push(entity);
    },
    lift(entity) {
      erased = erased.filter((gone) => !covers(gone, entity) || !covers(entity, gone));
    },
  };
}

/** Whether each join key of an erased entity has its value in the other. */
function covers(gone: Readonly<Record<string, unknown>>, entity: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(gone).every((key) => key in entity && gone[key] === entity[key]);
}

function isVisible(view: NaiveOnlineView, row: NaiveOnlineRow, atUs: bigint): boolean {
  if (row.eventUs > atUs || row.eventUs + view.delayUs > atUs) return false;
  if (view.hasAvailable && (row.availableUs === null || row.availableUs > atUs)) return false;
  return !view.asKnown || (row.createdUs !== null && row.createdUs <= atUs);
}

/** Event, created with null least, then value over the view's features in the source's order; a value of another definition is least. */
function compareWritten(view: NaiveOnlineView, a: Written, b: Written): number {
  if (a.row.eventUs !== b.row.eventUs) return a.row.eventUs < b.row.eventUs ? -1 : 1;
  const created = compareNaively({ kind: 'int64' }, a.row.createdUs, b.row.createdUs);
  if (created !== 0) return created;
  for (const { name, type, hash } of view.features) {
    const known = [a, b].map((row) => row.hashes[name] === hash);
    if (known[0] !== known[1]) return known[0] === true ? 1 : -1;
    if (known[0] === false) continue;
    const order = compareNaively(type, a.row.values[name], b.row.values[name]);
    if (order !== 0) return order;
  }
  return a.at - b.at;
}

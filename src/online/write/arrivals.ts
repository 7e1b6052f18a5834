/** Rows on their way to the store, encoded, those of one key together. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { encodeEntityKeys } from '../encoding/keys.ts';
import type { OnlineRow } from '../encoding/row.ts';
import { joinRows, type RowEncoder } from '../encoding/row-codec.ts';
import { type OnlineView, visibleFromUs } from '../view.ts';
import { tombstonesWithin, type WrittenKey } from './tombstones.ts';

export interface WrittenRow {
  /** In the order of the view's join keys. */
  readonly keys: readonly LiteralValue[];
  /** Its values in the order of the view's features. */
  readonly row: OnlineRow;
}

/** Rows of one view and one key. */
export interface Arrival {
  /** The view's position among those that are written together. */
  readonly view: number;
  /** The value that the key would have if it had these rows alone; each can be visible at some time. */
  readonly value: Buffer;
  readonly rows: number;
  /** How many of them have been stored where they were not, once they have been written. */
  written: number;
}

/** What arrives at one key. */
export interface KeyArrivals extends WrittenKey {
  /** At most one of each view. */
  readonly arrivals: Arrival[];
  /** Whether it turned out to be erased: then nothing of it is stored. */
  erased: boolean;
}

/** The rows by key; those that can never be served are left out: with a null in the key, or in the timestamp that makes them visible. */
export function encodeArrivals(
  project: string,
  view: OnlineView,
  encode: RowEncoder,
  rows: readonly WrittenRow[],
): KeyArrivals[] {
  const served = rows.filter(({ row }) => visibleFromUs(view.visibility, row) !== undefined);
  const keys = encodeEntityKeys(
    project,
    view.joinKeys,
    served.map((row) => row.keys),
  );
  const tombstones = tombstonesWithin(
    project,
    view.entities,
    served.map((row) => row.keys),
  );
  const groups = new Map<string, { readonly key: Buffer; readonly tombstones: readonly Buffer[]; readonly rows: Buffer[] }>();
  for (const [at, key] of keys.entries()) {
    if (key === undefined) continue;
    const row = encode((served[at] as WrittenRow).row);
    const name = key.toString('latin1');
    const group = groups.get(name);
    if (group !== undefined) group.rows.push(row);
    else groups.set(name, { key, tombstones: tombstones[at] as readonly Buffer[], rows: [row] });
  }
  return Array.from(groups.values(), ({ key, tombstones, rows }) => ({
    key,
    tombstones,
    arrivals: [{ view: 0, value: joinRows(rows), rows: rows.length, written: 0 }],
    erased: false,
  }));
}

/** Events by the key whose states they enter, those of several views at one key together. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { encodeEntityKeys } from '../encoding/keys.ts';
import type { SpilledState } from '../spill/tell-spilled.ts';
import { tombstonesWithin, type WrittenKey } from '../write/tombstones.ts';
import type { WindowView } from './window-view.ts';

/** Events of a stream view, column by column; none has a null in its key. */
export interface ViewEvents {
  readonly view: WindowView;
  /** One list a join key. */
  readonly keys: readonly (readonly LiteralValue[])[];
  readonly timesUs: readonly bigint[];
  readonly offsets: readonly bigint[];
  /** One list an expression of the view. */
  readonly values: readonly (readonly LiteralValue[])[];
}

export interface KeyChange extends WrittenKey {
  /** At most one a view. */
  readonly parts: { readonly events: ViewEvents; readonly rows: number[] }[];
  result: KeyResult;
}

export interface KeyResult {
  applied: number;
  tooLate: number;
  erased: boolean;
  /** Bytes of the largest state. */
  largestBytes: number;
  /** How many of its states are above their view's limit. */
  oversized: number;
  /** Those that stood in the value and have spilled now. */
  spilled: readonly SpilledState[];
}

export function noResult(): KeyResult {
  return { applied: 0, tooLate: 0, erased: false, largestBytes: 0, oversized: 0, spilled: [] };
}

export function groupByKey(project: string, all: readonly ViewEvents[]): KeyChange[] {
  const changes = new Map<string, KeyChange>();
  for (const events of all) {
    const { view, keys, timesUs } = events;
    const entities = timesUs.map((_, row) => keys.map((column) => column[row] as LiteralValue));
    const encoded = encodeEntityKeys(project, view.joinKeys, entities);
    for (const [row, key] of encoded.entries()) {
      if (key === undefined) continue;
      const name = key.toString('latin1');
      let change = changes.get(name);
      if (change === undefined) {
        const [tombstones = []] = tombstonesWithin(project, view.entities, [entities[row] as readonly LiteralValue[]]);
        change = { key, tombstones, parts: [], result: noResult() };
        changes.set(name, change);
      }
      const part = change.parts.find((one) => one.events === events);
      if (part === undefined) change.parts.push({ events, rows: [row] });
      else part.rows.push(row);
    }
  }
  return [...changes.values()];
}

/**
 * Brings values of entities together with the side values of what has spilled of them. Both change in one instant; where they were
 * read in two, what does not fit is read again, together.
 */
import { FeatureStoreError } from '../../errors.ts';
import { asBuffer } from '../encoding/bytes.ts';
import { contended, maxAttempts, waitAfter } from '../records.ts';
import type { OnlineStore } from '../store.ts';
import { encodeSideKey } from './side-key.ts';
import { isSideOf, readSpilled, type SpilledRow } from './spilled-row.ts';

/** A value of which some of what has spilled is wanted. */
export interface SidedValue {
  readonly key: Buffer;
  /** The entity's own value. */
  value: Buffer | undefined;
  isWanted(view: string): boolean;
  /** By view; those of what is wanted are there, and fit, once they have been read. */
  readonly sides: Map<string, Buffer>;
  /** Views whose side value is not in the store, or another than the value names. */
  readonly lost: Set<string>;
}

type Scope = { readonly store: OnlineStore; readonly project: string };

/** Reads what is wanted of the side values, and the values again where they do not fit. */
export async function readSides({ store, project }: Scope, values: readonly SidedValue[], signal?: AbortSignal): Promise<void> {
  let open = values.map((one) => ({ one, rows: missingOf(one) })).filter(({ rows }) => rows.length > 0);
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === maxAttempts) throw contended('an entity');
    if (attempt > 1) await waitAfter(attempt, signal);
    const sideKeys = open.flatMap(({ one, rows }) => rows.map(({ view }) => encodeSideKey(project, view, one.key)));
    // At first the values are as fresh as whoever wants them has them.
    const own = attempt === 0 ? [] : open.map(({ one }) => one.key);
    const found = await store.read([...own, ...sideKeys], signal);
    let at = own.length;
    for (const [place, { one, rows }] of open.entries()) {
      const before = one.value;
      const read = found[place];
      if (attempt > 0) one.value = read === undefined ? undefined : asBuffer(read);
      for (const { view } of rows) {
        const side = found[at++];
        if (side === undefined) one.sides.delete(view);
        else one.sides.set(view, asBuffer(side));
      }
      // Nobody has changed the value between two reads of a side value that does not fit: it is not on its way.
      const isSame = attempt > 0 && (before === undefined ? one.value === undefined : one.value?.equals(before) === true);
      if (isSame) for (const { view } of missingOf(one)) one.lost.add(view);
    }
    open = open.map(({ one }) => ({ one, rows: missingOf(one) })).filter(({ rows }) => rows.length > 0);
  }
}

/** Spilled states are large: no more keys that have any are read at once. */
const sidedAtOnce = 16;

/** The values to go on with: those of which nothing that is wanted has spilled, and so many others; the rest is for the next time. */
export function takeSome<T extends SidedValue>(values: readonly T[]): { readonly taken: T[]; readonly rest: T[] } {
  const taken: T[] = [];
  const rest: T[] = [];
  let room = sidedAtOnce;
  for (const one of values) {
    const isSided = readSpilled(one.value).some(({ view }) => one.isWanted(view));
    (isSided && room-- <= 0 ? rest : taken).push(one);
  }
  return { taken, rest };
}

function missingOf({ value, sides, isWanted, lost }: SidedValue): SpilledRow[] {
  return readSpilled(value).filter((row) => isWanted(row.view) && !lost.has(row.view) && !isSideOf(sides.get(row.view), row));
}

export function lostSide(view: string): FeatureStoreError {
  return new FeatureStoreError(
    'DATA_LOSS',
    `a state of feature view "${view}" is gone from the online store: it had spilled, and what its key names is not there; replay the source of the view, which makes its states anew`,
    { details: { view } },
  );
}

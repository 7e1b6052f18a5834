/** Writes what arrives by compare-and-set, and nothing of an entity that is erased, even if that happens meanwhile. */
import { contended, maxAttempts, waitAfter } from '../records.ts';
import { replaceEntity } from '../spill/place-states.ts';
import type { Replacement } from '../store.ts';
import type { OnlineView } from '../view.ts';
import type { KeyArrivals } from './arrivals.ts';
import { keepTombstone, type OnlineScope } from './erase.ts';
import { mergeRows } from './merge.ts';
import { addDecoders, openTarget, type WriteTarget } from './target.ts';
import { eraseAgain, type FoundValues, readWithTombstones } from './tombstones.ts';

/** How many of the rows of a view. */
export interface WriteCounts {
  /** Stored, where they were not. */
  readonly written: number;
  /** Stored already, or less than what is. */
  readonly unchanged: number;
  /** Of an entity that is erased: not stored. */
  readonly erased: number;
}

/** Keys read and replaced at once. */
const keysAtOnce = 4096;
const nothing: FoundValues = { values: [], erased: [] };

/** Writes of some views with the same join keys. */
export interface ArrivalWriter {
  readonly targets: readonly WriteTarget[];
  /** Each key may arrive once in a call; the counts are in the order of the views. */
  write(arriving: readonly KeyArrivals[], nowUs: bigint, signal?: AbortSignal): Promise<WriteCounts[]>;
}

export async function openArrivalWriter(
  scope: OnlineScope,
  views: readonly OnlineView[],
  signal?: AbortSignal,
): Promise<ArrivalWriter> {
  const targets: WriteTarget[] = [];
  for (const view of views) targets.push(await openTarget(scope, view, signal));
  const names = views.map(({ name }) => `"${name}"`).join(', ');
  /** Whether nothing stood at almost all of the last keys: then it is tried without a look whether nothing stands at the next ones. */
  let isMostlyNew = false;

  async function writeSome(arriving: readonly KeyArrivals[], nowUs: bigint, signal?: AbortSignal): Promise<void> {
    let open = arriving;
    for (let attempt = 0; open.length > 0; attempt++) {
      if (attempt === maxAttempts) throw contended(`an entity of ${names}`);
      if (attempt > 0) await waitAfter(attempt, signal);
      // Tombstones elsewhere must be looked for.
      const isBlind = attempt === 0 && isMostlyNew && arriving[0]?.tombstones.length === 0;
      const there = isBlind ? nothing : await readWithTombstones(scope.store, open, signal);
      await addDecoders(scope, targets, there.values, signal);
      open = await tryToWrite(open, there, nowUs, signal);
      const found = isBlind ? open.length : there.values.reduce((count, value) => count + (value === undefined ? 0 : 1), 0);
      if (attempt === 0) isMostlyNew = found * 32 < arriving.length;
    }
    const written = arriving.filter(({ erased, arrivals }) => !erased && arrivals.some((arrival) => arrival.written > 0));
    for (const one of await eraseAgain(scope, written, signal)) one.erased = true;
  }

  /** Merges and replaces; what arrives at keys whose value somebody else changed meanwhile is to be tried again. */
  async function tryToWrite(
    arriving: readonly KeyArrivals[],
    { values, erased }: FoundValues,
    nowUs: bigint,
    signal: AbortSignal | undefined,
  ): Promise<readonly KeyArrivals[]> {
    const replacements: Replacement[] = [];
    const replaced: KeyArrivals[] = [];
    for (let at = 0; at < arriving.length; at++) {
      const one = arriving[at] as KeyArrivals;
      const expected = values[at];
      one.erased = erased[at] === true;
      // What a writer that died left of an entity erased meanwhile goes too.
      const value = one.erased ? keepTombstone(expected) : mergeAll(targets, expected, one, nowUs);
      if (value === expected || (value !== undefined && expected?.equals(value) === true)) continue;
      // Rows leave what has spilled as it is; a tombstone alone stands without it.
      replacements.push(one.erased ? replaceEntity(scope.project, one.key, expected, value) : { key: one.key, expected, value });
      replaced.push(one);
    }
    const lost = replacements.length === 0 ? [] : await scope.store.replace(replacements, signal);
    return lost.map((at) => replaced[at] as KeyArrivals);
  }

  return {
    targets,
    async write(arriving, nowUs, signal) {
      for (let start = 0; start < arriving.length; start += keysAtOnce) {
        await writeSome(arriving.slice(start, start + keysAtOnce), nowUs, signal);
      }
      return countRows(arriving, targets.length);
    },
  };
}

function mergeAll(
  targets: readonly WriteTarget[],
  stored: Buffer | undefined,
  { arrivals }: KeyArrivals,
  nowUs: bigint,
): Buffer | undefined {
  let value = stored;
  for (const arrival of arrivals) {
    const merged = mergeRows((targets[arrival.view] as WriteTarget).lookup, value, arrival, nowUs);
    arrival.written = merged?.added ?? 0;
    value = merged?.value ?? value;
  }
  return value;
}

function countRows(arriving: readonly KeyArrivals[], views: number): WriteCounts[] {
  const counts = Array.from({ length: views }, () => ({ written: 0, unchanged: 0, erased: 0 }));
  for (const { arrivals, erased } of arriving) {
    for (const { view, rows, written } of arrivals) {
      const own = counts[view] as (typeof counts)[number];
      own.written += erased ? 0 : written;
      own.unchanged += erased ? 0 : rows - written;
      own.erased += erased ? rows : 0;
    }
  }
  return counts;
}

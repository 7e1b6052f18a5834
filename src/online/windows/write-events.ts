/**
 * Applies events of one partition of a stream to the states of their keys, each key by compare-and-set with the fence beside the state, so
 * that an event is in it once, whoever else applies the same events, is killed, or wakes up late (rule 6.7).
 */
import { type Logger, silentLogger } from '../../observe.ts';
import { contended, createOnlineRecords, maxAttempts, waitAfter } from '../records.ts';
import { replaceEntity } from '../spill/place-states.ts';
import { lostSide, readSides, type SidedValue, takeSome } from '../spill/read-sides.ts';
import { addSpilledKeys } from '../spill/spilled-views.ts';
import { countSpilled, createSpillTally, type SpillTally } from '../spill/tell-spilled.ts';
import type { Replacement } from '../store.ts';
import { isErased, keepTombstone, type OnlineScope } from '../write/erase.ts';
import { eraseAgain, readWithTombstones } from '../write/tombstones.ts';
import { enterEvents } from './enter-events.ts';
import type { EventBatch } from './event-batch.ts';
import { groupByKey, type KeyChange, noResult } from './key-changes.ts';
import { openStateFormats } from './state-formats.ts';

export interface AppliedCounts {
  readonly keys: number;
  /** Events of each view, in the order given. */
  readonly applied: number;
  /** In the state already. */
  readonly known: number;
  /** Of an entity that is erased. */
  readonly erased: number;
  /** Of a session that had been freed. */
  readonly tooLate: number;
  /** Bytes of the largest state written, and how many of them were above the limit, and so stand beside their keys' values. */
  readonly largestBytes: number;
  readonly oversized: number;
}

export interface EventWriter {
  /** After an error any part may be applied; applying the batch again is safe. */
  apply(batch: EventBatch, signal?: AbortSignal): Promise<AppliedCounts>;
}

export interface EventWriterOptions {
  /** Is told of states that spill. */
  readonly logger?: Logger;
}

/** Keys read and replaced at once: few enough that whatever else the process does goes on between them. */
const keysAtOnce = 512;

export function createEventWriter(scope: OnlineScope, { logger = silentLogger }: EventWriterOptions = {}): EventWriter {
  const formats = openStateFormats(scope);
  const records = createOnlineRecords(scope.store, scope.project);

  /** Gives the keys that are left for the next time. */
  async function applySome(
    batch: EventBatch,
    changes: readonly KeyChange[],
    { counts, tally }: { readonly counts: Counts; readonly tally: SpillTally },
    signal?: AbortSignal,
  ): Promise<readonly KeyChange[]> {
    const later = new Set<KeyChange>();
    let open = changes;
    for (let attempt = 0; open.length > 0; attempt++) {
      if (attempt === maxAttempts) throw contended('the state of an entity');
      if (attempt > 0) await waitAfter(attempt, signal);
      const { values, erased } = await readWithTombstones(scope.store, open, signal);
      const { taken: sided, rest } = takeSome(open.map((change, at) => openKey(change, values[at], erased[at] === true)));
      for (const { change } of rest) later.add(change);
      await readSides(scope, sided, signal);
      // In this order: who has applied these events and dropped their fence has made progress before, which is then seen.
      const committed = await batch.readCommitted(signal);
      const stored = sided.flatMap(({ value, sides }) => [value, ...sides.values()]);
      await formats.learn(new Set(open.flatMap(({ parts }) => parts.map(({ events }) => events.view))), stored, signal);
      const replacements: Replacement[] = [];
      const replaced: KeyChange[] = [];
      for (const own of sided) {
        const { change, value: expected, isBuried } = own;
        // It may have been read again with what had spilled.
        change.result = { ...noResult(), erased: isBuried || isErased(expected) };
        const [gone] = own.lost;
        if (gone !== undefined && !change.result.erased) throw lostSide(gone);
        const { value, sides } = change.result.erased
          ? { value: keepTombstone(expected), sides: undefined }
          : await enterEvents(formats, batch, change, own, committed, signal);
        if (value === undefined ? expected === undefined : expected?.equals(value) === true) continue;
        replacements.push(replaceEntity(scope.project, change.key, expected, value, sides));
        replaced.push(change);
      }
      const spilling = replaced.flatMap(({ result }) => result.spilled);
      await addSpilledKeys(records, new Map(spilling.map(({ view }) => [view, 0])), signal);
      const lost = new Set(replacements.length === 0 ? [] : await scope.store.replace(replacements, signal));
      const spilled = replaced.flatMap(({ result }, at) => (lost.has(at) ? [] : result.spilled));
      tally.add(spilled);
      await addSpilledKeys(records, countSpilled(spilled), signal);
      open = replaced.filter((_, at) => lost.has(at));
    }
    const done = changes.filter((change) => !later.has(change));
    const written = done.filter(({ result }) => !result.erased);
    for (const { result } of await eraseAgain(scope, written, signal)) result.erased = true;
    for (const change of done) addResult(counts, change);
    return [...later];
  }

  return {
    async apply(batch, signal) {
      const counts = { keys: 0, applied: 0, known: 0, erased: 0, tooLate: 0, largestBytes: 0, oversized: 0 };
      const tally = createSpillTally();
      const changes = groupByKey(scope.project, batch.events);
      try {
        for (let start = 0; start < changes.length; start += keysAtOnce) {
          let left: readonly KeyChange[] = changes.slice(start, start + keysAtOnce);
          while (left.length > 0) left = await applySome(batch, left, { counts, tally }, signal);
        }
      } finally {
        // Whoever applies the batch again finds spilled what has spilled now.
        tally.warn(logger);
      }
      return counts;
    },
  };

  function addResult(counts: Counts, { parts, result }: KeyChange): void {
    const events = parts.reduce((sum, { rows }) => sum + rows.length, 0);
    counts.keys += 1;
    counts.applied += result.erased ? 0 : result.applied;
    counts.known += result.erased ? 0 : events - result.applied - result.tooLate;
    counts.tooLate += result.erased ? 0 : result.tooLate;
    counts.erased += result.erased ? events : 0;
    counts.largestBytes = Math.max(counts.largestBytes, result.largestBytes);
    counts.oversized += result.oversized;
  }
}

type Counts = { -readonly [name in keyof AppliedCounts]: number };

interface OpenKey extends SidedValue {
  readonly change: KeyChange;
  /** Whether an entity that it belongs to is erased. */
  readonly isBuried: boolean;
}

function openKey(change: KeyChange, value: Buffer | undefined, isBuried: boolean): OpenKey {
  const { key, parts } = change;
  const isWanted = (name: string) => !isBuried && parts.some(({ events }) => events.view.name === name);
  return { change, isBuried, key, value, isWanted, sides: new Map(), lost: new Set() };
}

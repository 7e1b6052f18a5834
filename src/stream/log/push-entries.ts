/**
 * The order of pushed payloads, as records of the online store:
 *
 *   push-log SOURCE: { next, waiting: [[seq, key, bytes], …] } - what is still to be read, in ascending order
 *   push-key SOURCE/KEY: { seq, doneMs } - what has been read, kept for a day, so that a push that is tried again is known
 *
 * A key's record is written before the key leaves `waiting`. So who reads first the log and then the key's record finds the key in one
 * of them if it was ever appended, and nothing else has happened if the log is still as it was.
 */
import { isDeepStrictEqual } from 'node:util';
import { contended, maxAttempts, type OnlineRecords, waitAfter } from '../../online/records.ts';

export interface PushEntry {
  readonly seq: number;
  /** The hash of an idempotency key. */
  readonly key: string;
  readonly bytes: number;
}

export interface PushEntries {
  /** The seq that the next push gets. */
  readonly next: number;
  /** By ascending seq. */
  readonly waiting: readonly PushEntry[];
}

interface StoredLog {
  readonly next: number;
  readonly waiting: readonly (readonly [seq: number, key: string, bytes: number])[];
}

interface StoredKey {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly doneMs: number;
}

/** The one partition of a log of pushes. */
export const pushPartition = 'push';

/** How long a push that is tried again is known, after it has been read. */
export const keptKeyMs = 24 * 3_600_000;

const logKind = 'push-log';
const keyKind = 'push-key';
const first: StoredLog = { next: 0, waiting: [] };
/** Records that are looked at at once. */
const sweptAtOnce = 256;

export type PushOutcome = 'appended' | 'waiting' | 'done';

export function openPushEntries(records: OnlineRecords, source: string) {
  const nameOf = (key: string) => `${source}/${key}`;
  const readLog = async (signal?: AbortSignal) => (await records.read(logKind, source, signal)) as StoredLog | undefined;

  return {
    async read(signal?: AbortSignal): Promise<PushEntries> {
      return asEntries(await readLog(signal));
    },

    /** Appends those that never were, in their order, and tells of each what was found; of equal keys the first counts. */
    async append(pushes: readonly { readonly key: string; readonly bytes: number }[]): Promise<PushOutcome[]> {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const log = await readLog();
        const done = await records.readMany(
          keyKind,
          pushes.map(({ key }) => nameOf(key)),
        );
        const { outcomes, changed } = appendTo(log ?? first, pushes, done);
        if (changed === undefined) return outcomes;
        const stored = await records.update<StoredLog>(logKind, source, (current) =>
          isDeepStrictEqual(current, log) ? changed : current,
        );
        if (stored === changed) return outcomes;
        await waitAfter(attempt);
      }
      throw contended(`the log of what is pushed to source "${source}"`);
    },

    /** Of entries that have been read: they are not waiting any more, and their keys are known for a day. */
    async finish(entries: readonly PushEntry[], signal?: AbortSignal): Promise<void> {
      const doneMs = Date.now();
      const keys = entries.map(({ key, seq }): [string, StoredKey] => [nameOf(key), { seq, doneMs }]);
      await records.writeMany(keyKind, new Map(keys), signal);
      const gone = new Set(entries.map(({ seq }) => seq));
      await records.update<StoredLog>(
        logKind,
        source,
        (current) => current && { ...current, waiting: current.waiting.filter(([seq]) => !gone.has(seq)) },
        signal,
      );
    },

    /** Which of these keys were never appended, and which have been read. */
    async find(keys: readonly string[], signal?: AbortSignal): Promise<{ unknown: string[]; done: string[] }> {
      const waiting = new Set(((await readLog(signal)) ?? first).waiting.map(([, key]) => key));
      const left = keys.filter((key) => !waiting.has(key));
      const found = await records.readMany(keyKind, left.map(nameOf), signal);
      return {
        unknown: left.filter((_, at) => found[at] === undefined),
        done: left.filter((_, at) => found[at] !== undefined),
      };
    },

    /** Forgets keys that were read more than a day ago, once `remove` has removed what there may be of their payloads. */
    async sweep(remove: (keys: readonly string[]) => Promise<void>, signal?: AbortSignal): Promise<void> {
      const prefix = nameOf('');
      const names = (await records.list(keyKind, signal)).filter((name) => name.startsWith(prefix));
      for (let at = 0; at < names.length; at += sweptAtOnce) {
        const part = names.slice(at, at + sweptAtOnce);
        const found = (await records.readMany(keyKind, part, signal)) as (StoredKey | undefined)[];
        const old = part.filter((_, index) => (found[index]?.doneMs ?? Number.POSITIVE_INFINITY) < Date.now() - keptKeyMs);
        await remove(old.map((name) => name.slice(prefix.length)));
        await records.writeMany(keyKind, new Map(old.map((name) => [name, undefined])), signal);
      }
    },
  };
}

function asEntries({ next, waiting }: StoredLog = first): PushEntries {
  return { next, waiting: waiting.map(([seq, key, bytes]) => ({ seq, key, bytes })) };
}

/** `changed` is undefined where nothing is to be appended. */
function appendTo(
  log: StoredLog,
  pushes: readonly { readonly key: string; readonly bytes: number }[],
  done: readonly unknown[],
): { readonly outcomes: PushOutcome[]; readonly changed: StoredLog | undefined } {
  const waiting = new Set(log.waiting.map(([, key]) => key));
  const added: (readonly [number, string, number])[] = [];
  const outcomes = pushes.map(({ key, bytes }, at): PushOutcome => {
    if (waiting.has(key)) return 'waiting';
    if (done[at] !== undefined) return 'done';
    waiting.add(key);
    added.push([log.next + added.length, key, bytes]);
    return 'appended';
  });
  const changed = { next: log.next + added.length, waiting: [...log.waiting, ...added] };
  return { outcomes, changed: added.length === 0 ? undefined : changed };
}

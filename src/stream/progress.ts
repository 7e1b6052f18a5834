/**
 * How far each partition of a source has been applied: a record beside the data that it describes. A batch is claimed before it is applied,
 * with the clock by which its events are judged, so that whoever applies it, however often, decides alike (rule 6.7).
 */
import { FeatureStoreError } from '../errors.ts';
import type { OnlineRecords } from '../online/records.ts';

export interface Progress {
  /** Counts up when a source is reset: offsets of another epoch are those of another log. */
  readonly epoch: number;
  /** The offset of the first record that is not applied. */
  readonly next: bigint;
  /** The greatest valid event time that was applied: lateness is measured from it. */
  readonly maxEventUs: bigint | undefined;
  /** When its last batch was applied; undefined before the first. */
  readonly appliedUs?: bigint | undefined;
  /** A batch that somebody has begun: up to which offset, and at which clock. */
  readonly pending: ClaimedBatch | undefined;
  readonly counts: StreamCounts;
}

export interface ClaimedBatch {
  readonly to: bigint;
  readonly clockUs: bigint;
  /** Counts up when it is taken from whoever applies it: that one's commit is then void. */
  readonly turn: number;
  /** Of a source with ids, once that has been decided: tables that grow meanwhile change it no more. */
  readonly repeated?: RepeatedEvents;
}

/** Which events of a batch repeat others. */
export interface RepeatedEvents {
  /** How many events they are among: another number says that definitions read the records otherwise. */
  readonly among: number;
  readonly places: ReadonlySet<number>;
}

/** Since the source was first read. */
export interface StreamCounts {
  /** All that came. */
  readonly records: number;
  readonly events: number;
  /** Counted in training alone. */
  readonly late: number;
  /** Malformed, invalid, or too far ahead of the clock: counted nowhere. */
  readonly setAside: number;
  /** Events whose id had come before. */
  readonly duplicates: number;
}

/** The `next` of a partition that is to be read from the first record that its log has. */
export const atFirst = -1n;

export const noCounts: StreamCounts = { records: 0, events: 0, late: 0, setAside: 0, duplicates: 0 };

const kind = 'stream';
/** The names of a source's partitions, so that nobody has to look for them among all keys of the store. */
const kindOfNames = 'stream-partitions';

interface StoredProgress {
  readonly epoch: number;
  readonly next: string;
  readonly maxEventUs?: string;
  readonly appliedUs?: string;
  readonly pending?: {
    readonly to: string;
    readonly clockUs: string;
    readonly turn: number;
    /** A bit for each event, from the lowest of the first byte on, in base64. */
    readonly repeated?: { readonly among: number; readonly bits: string };
  };
  readonly counts: StreamCounts;
}

export interface ProgressStore {
  read(partition: string, signal?: AbortSignal): Promise<Progress | undefined>;
  /** Of all partitions that were ever read. */
  readAll(signal?: AbortSignal): Promise<ReadonlyMap<string, Progress>>;
  /** Writes the first progress of a partition, unless there is one; gives what is there. */
  begin(partition: string, progress: Progress, signal?: AbortSignal): Promise<Progress>;
  /** Claims the batch from `from.next` up to `to`, unless somebody has: gives what is there then. */
  claim(partition: string, from: Progress, batch: ClaimedBatch, signal?: AbortSignal): Promise<Progress>;
  /** Decides which events of the claimed batch repeat others, unless somebody has; gives what is there then. */
  decide(partition: string, from: Progress, repeated: RepeatedEvents, signal?: AbortSignal): Promise<Progress>;
  /** Ends the claimed batch, unless somebody has; gives what is there then. */
  commit(partition: string, from: Progress, to: Progress, signal?: AbortSignal): Promise<Progress>;
  /** Takes a claimed batch from whoever applies it; gives what is there. */
  takeOver(partition: string, signal?: AbortSignal): Promise<Progress>;
  /** Puts a progress in the place of any other. */
  reset(partition: string, progress: Progress, signal?: AbortSignal): Promise<void>;
}

export function openProgress(records: OnlineRecords, source: string): ProgressStore {
  const nameOf = (partition: string) => `${source}/${partition}`;
  const update = async (partition: string, change: (current: Progress | undefined) => Progress, signal?: AbortSignal) => {
    const write = (stored: StoredProgress | undefined): StoredProgress => {
      const current = stored === undefined ? undefined : decode(stored);
      const changed = change(current);
      return changed === current ? (stored as StoredProgress) : encode(changed);
    };
    return decode((await records.update<StoredProgress>(kind, nameOf(partition), write, signal)) as StoredProgress);
  };
  const readNames = async (signal?: AbortSignal) =>
    ((await records.read(kindOfNames, source, signal)) ?? []) as readonly string[];
  /** Before there is progress under it. */
  const addName = async (name: string, signal?: AbortSignal): Promise<void> => {
    if ((await readNames(signal)).includes(name)) return;
    const add = (names: readonly string[] = []) => (names.includes(name) ? names : [...names, name].sort());
    await records.update<readonly string[]>(kindOfNames, source, add, signal);
  };
  return {
    async read(partition, signal) {
      const stored = await records.read(kind, nameOf(partition), signal);
      return stored === undefined ? undefined : decode(stored as StoredProgress);
    },
    async readAll(signal) {
      const names = await readNames(signal);
      const stored = names.length === 0 ? [] : await records.readMany(kind, names.map(nameOf), signal);
      return new Map(
        names.flatMap((name, at) => {
          const found = stored[at] as StoredProgress | undefined;
          return found === undefined ? [] : [[name, decode(found)] as const];
        }),
      );
    },
    async begin(partition, progress, signal) {
      await addName(partition, signal);
      return await update(partition, (current) => current ?? progress, signal);
    },
    claim: (partition, from, batch, signal) =>
      update(
        partition,
        (current) => {
          const there = requireProgress(source, partition, current);
          return isAt(there, from) && there.pending === undefined ? { ...there, pending: batch } : there;
        },
        signal,
      ),
    decide: (partition, from, repeated, signal) =>
      update(
        partition,
        (current) => {
          const there = requireProgress(source, partition, current);
          const { pending } = there;
          if (pending === undefined || !isAt(there, from) || !isSameBatch(pending, from.pending)) return there;
          return pending.repeated?.among === repeated.among ? there : { ...there, pending: { ...pending, repeated } };
        },
        signal,
      ),
    commit: (partition, from, to, signal) =>
      update(
        partition,
        (current) => {
          const there = requireProgress(source, partition, current);
          return isAt(there, from) && isSameBatch(there.pending, from.pending) ? to : there;
        },
        signal,
      ),
    takeOver: (partition, signal) =>
      update(
        partition,
        (current) => {
          const there = requireProgress(source, partition, current);
          return there.pending === undefined ? there : { ...there, pending: { ...there.pending, turn: there.pending.turn + 1 } };
        },
        signal,
      ),
    async reset(partition, progress, signal) {
      await addName(partition, signal);
      await update(partition, () => progress, signal);
    },
  };
}

/** The name that a partition has in fences and in the archive: another one in each epoch. */
export function epochName(partition: string, epoch: number): string {
  return epoch === 0 && !partition.includes('#') ? partition : `${partition}#${epoch}`;
}

export function splitEpochName(name: string): { readonly partition: string; readonly epoch: number } {
  const mark = name.lastIndexOf('#');
  return mark < 0 ? { partition: name, epoch: 0 } : { partition: name.slice(0, mark), epoch: Number(name.slice(mark + 1)) };
}

/** A fence of this name, which no partition has, marks states that are made anew until the stream goes on. */
export const fillMark = '#';

function isAt(a: Progress, b: Progress): boolean {
  return a.epoch === b.epoch && a.next === b.next;
}

/** Whether a claimed batch is still whose it was. */
export function isSameBatch(a: ClaimedBatch | undefined, b: ClaimedBatch | undefined): boolean {
  return a?.to === b?.to && a?.clockUs === b?.clockUs && a?.turn === b?.turn;
}

function requireProgress(source: string, partition: string, progress: Progress | undefined): Progress {
  if (progress !== undefined) return progress;
  throw new FeatureStoreError(
    'DATA_LOSS',
    `the progress of source "${source}", partition "${partition}", is gone from the online store: it was flushed or restored; run featherflight source reset ${source} --from earliest`,
    { details: { source, partition } },
  );
}

function encode({ epoch, next, maxEventUs, appliedUs, pending, counts }: Progress): StoredProgress {
  return {
    epoch,
    next: String(next),
    ...(maxEventUs === undefined ? {} : { maxEventUs: String(maxEventUs) }),
    ...(appliedUs === undefined ? {} : { appliedUs: String(appliedUs) }),
    ...(pending === undefined ? {} : { pending: encodeBatch(pending) }),
    counts,
  };
}

function decode({ epoch, next, maxEventUs, appliedUs, pending, counts }: StoredProgress): Progress {
  return {
    epoch,
    next: BigInt(next),
    maxEventUs: maxEventUs === undefined ? undefined : BigInt(maxEventUs),
    ...(appliedUs === undefined ? {} : { appliedUs: BigInt(appliedUs) }),
    pending: pending === undefined ? undefined : decodeBatch(pending),
    counts: { ...noCounts, ...counts },
  };
}

function encodeBatch({ to, clockUs, turn, repeated }: ClaimedBatch): NonNullable<StoredProgress['pending']> {
  const batch = { to: String(to), clockUs: String(clockUs), turn };
  if (repeated === undefined) return batch;
  const bits = Buffer.alloc(Math.ceil((1 + [...repeated.places].reduce((most, place) => Math.max(most, place), -1)) / 8));
  for (const place of repeated.places) bits[place >> 3] = (bits[place >> 3] as number) | (1 << (place & 7));
  return { ...batch, repeated: { among: repeated.among, bits: bits.toString('base64') } };
}

function decodeBatch({ to, clockUs, turn, repeated }: NonNullable<StoredProgress['pending']>): ClaimedBatch {
  const batch = { to: BigInt(to), clockUs: BigInt(clockUs), turn };
  if (repeated === undefined) return batch;
  const bits = Buffer.from(repeated.bits, 'base64');
  const places = new Set<number>();
  for (let place = 0; place < 8 * bits.length; place++) {
    if (((bits[place >> 3] as number) >> (place & 7)) & 1) places.add(place);
  }
  return { ...batch, repeated: { among: repeated.among, places } };
}

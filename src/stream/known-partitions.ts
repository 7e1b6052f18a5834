/** What a process knows of how far a source's partitions have been applied, those that others read included. */
import type { OnlineRecords } from '../online/records.ts';
import type { LogRange } from './log/log.ts';
import { atFirst, fillMark, openProgress, type Progress, splitEpochName } from './progress.ts';

export interface KnownPartitions {
  get(partition: string): Progress | undefined;
  learn(partition: string, progress: Progress): void;
  forget(partition: string): void;
  /** Reads the progress of all, unless that was done a moment ago and `isUrgent` is false. */
  refresh(isUrgent: boolean, signal: AbortSignal): Promise<void>;
  /** Whether no progress will ever again be behind a fence. */
  isCommitted(origin: string, next: bigint): boolean;
  /**
   * Tells where all logs of the source ended at a clock: a partition of which all was read by then stands still, and one that no log has
   * is gone.
   */
  ended(ends: ReadonlyMap<string, LogRange>, clockUs: bigint): void;
  /**
   * Events before this are late in every partition; undefined where none is known to be. A partition that stands still takes part as if
   * an event had come when it was read to its end, or it would keep what all others need no more for as long as it stands still.
   */
  acceptedFromUs(): bigint | undefined;
  /** The same by events alone, of partitions that ever had any. */
  acceptedByEventsUs(): bigint | undefined;
}

const refreshMs = 5_000;

/** `onLearnt` is told whatever is learnt. */
export function createKnownPartitions(
  records: OnlineRecords,
  source: string,
  latenessUs: bigint,
  onLearnt: (partition: string, progress: Progress) => void,
): KnownPartitions {
  const progress = openProgress(records, source);
  const known = new Map<string, Progress>();
  /** Up to where partitions had been read when all of them was. */
  const still = new Map<string, { readonly epoch: number; readonly next: bigint; readonly clockUs: bigint }>();
  /** Whether a log has records of a partition that nobody has begun to read. */
  let hasUnknown = false;
  let refreshedMs = Number.NEGATIVE_INFINITY;
  const learn = (partition: string, one: Progress) => {
    known.set(partition, one);
    onLearnt(partition, one);
  };
  const reachedUs = ([partition, { epoch, next, maxEventUs }]: readonly [string, Progress]): bigint | undefined => {
    const stood = still.get(partition);
    const clockUs = stood?.epoch === epoch && stood.next === next ? stood.clockUs : undefined;
    return maxEventUs === undefined || (clockUs !== undefined && clockUs > maxEventUs) ? clockUs : maxEventUs;
  };
  /** undefined where one of them is, or there is none. */
  const least = (times: readonly (bigint | undefined)[]): bigint | undefined => {
    let leastUs = times[0];
    for (const timeUs of times) {
      if (timeUs === undefined || leastUs === undefined) return undefined;
      if (timeUs < leastUs) leastUs = timeUs;
    }
    return leastUs === undefined ? undefined : leastUs - latenessUs;
  };
  return {
    get: (partition) => known.get(partition),
    learn,
    forget: (partition) => void known.delete(partition),
    async refresh(isUrgent, signal) {
      if (!isUrgent && Date.now() - refreshedMs < refreshMs) return;
      for (const [partition, one] of await progress.readAll(signal)) learn(partition, one);
      refreshedMs = Date.now();
    },
    isCommitted(origin, next) {
      if (origin === fillMark) return true;
      const { partition, epoch } = splitEpochName(origin);
      const there = known.get(partition);
      return there !== undefined && (there.epoch > epoch || (there.epoch === epoch && next <= there.next));
    },
    ended(ends, clockUs) {
      hasUnknown = [...ends].some(([partition, { first, end }]) => first < end && !known.has(partition));
      for (const [partition, { epoch, next }] of known) {
        const range = ends.get(partition);
        if (range === undefined || (next !== atFirst && next >= range.end)) still.set(partition, { epoch, next, clockUs });
      }
    },
    acceptedFromUs: () => (hasUnknown ? undefined : least([...known].map(reachedUs))),
    acceptedByEventsUs: () =>
      least([...known.values()].flatMap(({ maxEventUs }) => (maxEventUs === undefined ? [] : [maxEventUs]))),
  };
}

/** What is to be told of a source's stream: lag, counts, times and sizes. */
import type { AppliedCounts } from '../online/windows/write-events.ts';
import { type IgnoredField, type IgnoredFields, maxIgnoredNames } from './decode/ignored-fields.ts';
import type { Progress, StreamCounts } from './progress.ts';

export interface SourceStatus {
  readonly source: string;
  /** Why it stands still; undefined while all is well. */
  readonly error: string | undefined;
  readonly partitions: readonly PartitionStatus[];
  /** Events applied to a view's states, late ones of freed sessions, and of erased entities, since the process started. */
  readonly applied: number;
  readonly tooLate: number;
  readonly erased: number;
  /** Records of the last batch and how long it took. */
  readonly lastBatch: { readonly records: number; readonly milliseconds: number } | undefined;
  readonly batches: number;
  readonly batchSeconds: number;
  /** The largest state written of late, and how many were above maxStateBytes. */
  readonly largestStateBytes: number;
  readonly oversizedStates: number;
  /** Fields that the source does not declare, by name, those of most events first; and occurrences of further names together. */
  readonly ignoredFields: readonly IgnoredFieldStatus[];
  readonly otherIgnoredFields: number;
}

export interface IgnoredFieldStatus extends IgnoredField {
  /** Of the last record that had it. */
  readonly partition: string;
}

export interface PartitionStatus {
  readonly partition: string;
  readonly next: bigint;
  /** The log's end, as last seen; undefined where another process reads it. */
  readonly end: bigint | undefined;
  readonly maxEventUs: bigint | undefined;
  readonly counts: StreamCounts;
}

export interface StatusKeeper {
  progressed(partition: string, progress: Progress): void;
  ended(partition: string, end: bigint): void;
  applied(partition: string, batch: AppliedBatch): void;
  wrote(counts: AppliedCounts): void;
  failed(error: string): void;
  read(): SourceStatus;
}

interface AppliedBatch {
  readonly records: number;
  readonly milliseconds: number;
  readonly ignored: IgnoredFields;
}

export function createStatus(source: string): StatusKeeper {
  const progresses = new Map<string, Progress>();
  const ends = new Map<string, bigint>();
  const sums = { applied: 0, tooLate: 0, erased: 0, batches: 0, batchSeconds: 0, largestStateBytes: 0, oversizedStates: 0 };
  const ignored = new Map<string, IgnoredFieldStatus>();
  let otherIgnored = 0;
  let lastBatch: SourceStatus['lastBatch'];
  let error: string | undefined;

  function ignore(partition: string, { fields, others }: IgnoredFields): void {
    otherIgnored += others;
    for (const field of fields) {
      const events = field.events + (ignored.get(field.name)?.events ?? 0);
      if (ignored.has(field.name) || ignored.size < maxIgnoredNames) ignored.set(field.name, { ...field, events, partition });
      else otherIgnored += field.events;
    }
  }

  return {
    progressed: (partition, progress) => void progresses.set(partition, progress),
    ended: (partition, end) => void ends.set(partition, end),
    applied(partition, { ignored: fields, ...batch }) {
      ignore(partition, fields);
      lastBatch = batch;
      error = undefined;
      sums.batches += 1;
      sums.batchSeconds += batch.milliseconds / 1000;
    },
    wrote(counts) {
      sums.applied += counts.applied;
      sums.tooLate += counts.tooLate;
      sums.erased += counts.erased;
      sums.largestStateBytes = Math.max(sums.largestStateBytes, counts.largestBytes);
      sums.oversizedStates += counts.oversized;
    },
    failed(message) {
      error = message;
    },
    read: () => ({
      source,
      error,
      lastBatch,
      ...sums,
      ignoredFields: [...ignored.values()].sort((a, b) => b.events - a.events),
      otherIgnoredFields: otherIgnored,
      partitions: Array.from(progresses, ([partition, { next, maxEventUs, counts }]) => ({
        partition,
        next,
        end: ends.get(partition),
        maxEventUs,
        counts,
      })),
    }),
  };
}

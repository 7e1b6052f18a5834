/** A reader as the stream processor is one: progress beside what was read, shared by all members, and no record twice or left out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FeatureStoreError } from '../../../src/errors.ts';
import type { LogRange, LogReader, LogRecord } from '../../../src/stream/log/log.ts';

/** What every member of a group knows, as if it stood in a store. */
export interface SharedProgress {
  /** By partition, the offset that comes next. */
  readonly next: Map<string, bigint>;
  /** By partition, values in the order in which they were taken. */
  readonly values: Map<string, string[]>;
  /** What must never happen, in words. */
  readonly faults: string[];
}

export interface RecordingReader extends LogReader {
  /** Calls of `open` by partition. */
  readonly opened: string[];
  /** Partitions that this member has taken records of. */
  readonly taken: Set<string>;
}

export interface RecordingOptions {
  readonly from?: 'earliest' | 'latest';
  /** How long a batch takes. */
  readonly takeMs?: number;
  readonly beforeTake?: (partition: string, records: readonly LogRecord[], signal: AbortSignal) => Promise<void>;
}

export function createProgress(): SharedProgress {
  return { next: new Map(), values: new Map(), faults: [] };
}

export function recordingReader(progress: SharedProgress, options: RecordingOptions = {}): RecordingReader {
  const taking = new Set<string>();
  const opened: string[] = [];
  const taken = new Set<string>();
  return {
    opened,
    taken,
    async open(partition: string, range: LogRange) {
      if (taking.has(partition)) progress.faults.push(`partition ${partition} is opened while it is taken`);
      opened.push(partition);
      const next = progress.next.get(partition);
      if (next === undefined) {
        const start = options.from === 'latest' ? range.end : range.first;
        progress.next.set(partition, start);
        return start;
      }
      if (next > range.end) {
        throw new FeatureStoreError('DATA_LOSS', `partition ${partition} ends at ${range.end}, and ${next} come next`);
      }
      return next;
    },
    async take(partition, records, end, signal) {
      if (taking.has(partition)) progress.faults.push(`partition ${partition} is taken twice at once`);
      taking.add(partition);
      try {
        await options.beforeTake?.(partition, records, signal);
        if (options.takeMs !== undefined) await sleep(options.takeMs, undefined, { signal });
        signal.throwIfAborted();
        const next = progress.next.get(partition) as bigint;
        const first = records[0] as LogRecord;
        const last = records.at(-1) as LogRecord;
        // A fence such as the processor has: who was too slow takes nothing twice. Here nobody may be.
        if (first.offset !== next) progress.faults.push(`partition ${partition} goes on at ${first.offset} and not at ${next}`);
        if (end <= last.offset) progress.faults.push(`partition ${partition} ends at ${end}, before ${last.offset}`);
        const values = progress.values.get(partition) ?? [];
        values.push(...records.map(({ value }) => (value === null ? 'null' : Buffer.from(value).toString())));
        progress.values.set(partition, values);
        progress.next.set(partition, last.offset + 1n);
        taken.add(partition);
      } finally {
        taking.delete(partition);
      }
    },
    async pass(partition, next) {
      if (taking.has(partition)) progress.faults.push(`partition ${partition} is passed while it is taken`);
      progress.next.set(partition, next);
    },
  };
}

/**
 * Reads what a source's logs hold, from where each partition has been applied, and claims it batch by batch before a batch is applied, so
 * that whatever is killed, done twice or done by two at once, every event counts once (rule 6.7).
 */

import { asFeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import { createOnlineSchemas } from '../online/encoding/schemas.ts';
import { createOnlineRecords } from '../online/records.ts';
import { type SweepReport, sweepStates } from '../online/windows/sweep-states.ts';
import { type BatchParts, createBatchApplier } from './apply-batch.ts';
import type { DecodeEvents } from './decode/decoded-events.ts';
import { openEventIds } from './event-ids.ts';
import { createKnownPartitions } from './known-partitions.ts';
import type { LogRange, LogReader, LogRecord } from './log/log.ts';
import { atFirst, noCounts, openProgress, type Progress } from './progress.ts';
import { readReadyViews } from './ready-views.ts';
import { createStatus, type SourceStatus } from './status.ts';
import { isTaken, lostRecords, shorterLog, wasReset } from './stream-failures.ts';
import type { StreamSource } from './stream-source.ts';
import { traceBatches } from './trace-batches.ts';

export interface ProcessorParts extends BatchParts {
  readonly logger: Logger;
}

export interface SourceProcessor {
  /** For each of the source's logs; `from` says where one begins of which nothing was read yet. */
  reader(decode: DecodeEvents, from: 'earliest' | 'latest'): LogReader;
  /** Frees states and ids that nothing can need any more, of all keys; `readEnds` tells where all logs of the source end. */
  sweep(readEnds: () => Promise<ReadonlyMap<string, LogRange>>, signal: AbortSignal): Promise<SweepReport>;
  /** Tells why nothing is read; until the next batch. */
  failed(message: string): void;
  status(): SourceStatus;
}

/** Records that are applied together at most; more wait for the next batch. */
const maxBatchRecords = 20_000;
/** How long all partitions that there are may take until they have been opened once. */
const firstStartMs = 60_000;

export function createSourceProcessor(parts: ProcessorParts, source: StreamSource): SourceProcessor {
  const { store, project, logger, nowUs } = parts;
  const { document, latenessUs } = source;
  const records = createOnlineRecords(store, project);
  const progress = openProgress(records, document.name);
  const ids = openEventIds(store, project, document.name);
  const status = createStatus(document.name);
  const known = createKnownPartitions(records, document.name, latenessUs, status.progressed);
  const applyBatch = traceBatches(createBatchApplier(parts, source, known, status), document.name, parts.tracer);

  async function open(
    partition: string,
    from: 'earliest' | 'latest',
    range: { first: bigint; end: bigint },
    signal: AbortSignal,
  ) {
    const first = from === 'earliest' || !(await isFirstStart(signal)) ? range.first : range.end;
    const start = { epoch: 0, next: first, maxEventUs: undefined, pending: undefined, counts: noCounts };
    let there = await progress.begin(partition, start, signal);
    if (there.next === atFirst) there = await progress.commit(partition, there, { ...there, next: range.first }, signal);
    known.learn(partition, there);
    status.ended(partition, range.end);
    const read = there.pending?.to ?? there.next;
    if (read > range.end) throw shorterLog(document.name, partition, read, range.end);
    if (there.next < range.first) throw lostRecords(document.name, partition, there.next, range.first);
    return there;
  }

  /** Partitions that turn up later are read whole, also where the source began at the end of those that there were. */
  async function isFirstStart(signal: AbortSignal): Promise<boolean> {
    const nowMs = Date.now();
    const begun = await records.update<{ readonly sinceMs: number }>(
      'stream-start',
      document.name,
      (current) => current ?? { sinceMs: nowMs },
      signal,
    );
    return nowMs - (begun as { sinceMs: number }).sinceMs < firstStartMs;
  }

  /** Records from the progress on, of which the last may be needed again with others that are to come. */
  async function apply(
    partition: string,
    decode: DecodeEvents,
    waiting: readonly LogRecord[],
    epoch: number | undefined,
    signal: AbortSignal,
  ): Promise<readonly LogRecord[]> {
    let current = known.get(partition) ?? (await progress.read(partition, signal));
    let rest = waiting;
    while (current !== undefined) {
      // Its offsets are those of another log, or it is to be read from elsewhere: opening it says from where.
      if (epoch !== undefined && current.epoch !== epoch) throw wasReset(document.name);
      const { next, pending } = current;
      rest = rest.filter(({ offset }) => offset >= next);
      const last = rest.at(-1);
      if (last === undefined || (pending !== undefined && last.offset + 1n < pending.to)) break;
      await known.refresh(false, signal);
      if (pending === undefined) {
        const to = (rest[Math.min(rest.length, maxBatchRecords) - 1] as LogRecord).offset + 1n;
        const claimed = await progress.claim(partition, current, { to, clockUs: nowUs(), turn: 0 }, signal);
        known.learn(partition, claimed);
        current = claimed;
        // What somebody else has claimed or committed meanwhile is looked at anew.
        if (claimed.next !== next || claimed.pending?.to !== to) continue;
      }
      // After the claim: filling that is not seen here begins later, and takes the batch over.
      const views = await readReadyViews(records, source, signal);
      const { to } = current.pending as NonNullable<Progress['pending']>;
      const batch = rest.filter(({ offset }) => offset < to);
      try {
        current = await applyBatch({ partition, from: current, decoded: decode(batch), records: batch.length }, views, signal);
      } catch (error) {
        if (!isTaken(error)) throw error;
        current = (await progress.read(partition, signal)) ?? current;
      }
      known.learn(partition, current);
    }
    return rest;
  }

  /** Moves the progress behind marks at the log's end: whoever compares the two sees that all is read. */
  async function pass(partition: string, to: bigint, epoch: number | undefined, signal: AbortSignal): Promise<void> {
    const current = known.get(partition) ?? (await progress.read(partition, signal));
    // A batch that somebody has begun ends before the marks, and must end as it was begun.
    if (current === undefined || current.epoch !== epoch || current.pending !== undefined || current.next >= to) return;
    known.learn(partition, await progress.commit(partition, current, { ...current, next: to }, signal));
  }

  return {
    reader(decode, from) {
      const waiting = new Map<string, readonly LogRecord[]>();
      /** By partition, that in which it was opened. */
      const epochs = new Map<string, number>();
      return {
        async open(partition, range, signal) {
          waiting.delete(partition);
          known.forget(partition);
          const { next, epoch } = await open(partition, from, range, signal);
          epochs.set(partition, epoch);
          return next;
        },
        async take(partition, taken, end, signal) {
          status.ended(partition, end);
          const before = waiting.get(partition) ?? [];
          waiting.delete(partition);
          const last = before.at(-1)?.offset;
          const more = last === undefined ? taken : taken.filter(({ offset }) => offset > last);
          try {
            const rest = await apply(partition, decode, [...before, ...more], epochs.get(partition), signal);
            if (rest.length > 0) waiting.set(partition, rest);
          } catch (error) {
            known.forget(partition);
            status.failed(asFeatureStoreError(error).message);
            if (!signal.aborted)
              logger.warn({ source: document.name, partition, error: String(error) }, 'a batch could not be applied');
            throw error;
          }
        },
        async pass(partition, next, signal) {
          status.ended(partition, next);
          if (!waiting.has(partition)) await pass(partition, next, epochs.get(partition), signal);
        },
      };
    },
    async sweep(readEnds, signal) {
      const clockUs = nowUs();
      // Where a log cannot be asked, nothing more is known to stand still, and what is known goes on to count.
      const ends = await readEnds().catch((error: unknown) =>
        logger.debug({ source: document.name, error: String(error) }, 'where a log ends could not be asked'),
      );
      await known.refresh(true, signal);
      if (ends instanceof Map) known.ended(ends, clockUs);
      await readReadyViews(records, source, signal);
      const options = {
        nowUs: nowUs(),
        acceptedFromUs: known.acceptedFromUs,
        isCommitted: (_: string, origin: string, next: bigint) => known.isCommitted(origin, next),
        check: async () => void (await readReadyViews(records, source, signal)),
      };
      // Of older ids the archive knows. Without one they stay for as long as an event of any partition could repeat them.
      const acceptedUs = known.acceptedFromUs();
      const forgottenUs = document.archive === false ? known.acceptedByEventsUs() : acceptedUs;
      if (acceptedUs !== undefined && forgottenUs !== undefined) await ids.forget(forgottenUs, signal);
      return await sweepStates(
        { store, project, schemas: createOnlineSchemas(store, project) },
        source.views.map(({ window }) => window),
        options,
        signal,
      );
    },
    failed: status.failed,
    status: status.read,
  };
}

/** Reads the log of pushes, as one of all processes that would: what has been read leaves the log, and then the disk. */
import { setMaxListeners } from 'node:events';
import { FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import { isBusy, takeLease } from '../../online/lease.ts';
import type { OnlineRecords } from '../../online/records.ts';
import type { LogReader, LogRecord } from './log.ts';
import { type openPushEntries, type PushEntry, pushPartition } from './push-entries.ts';
import type { PushPayloads } from './push-payloads.ts';
import { pause, repeatThroughFailures } from './repeat.ts';
import type { WakeUp } from './wake-up.ts';

export interface PushLogParts {
  readonly source: string;
  readonly name: string;
  readonly records: OnlineRecords;
  readonly logger: Logger;
  readonly payloads: PushPayloads;
  readonly entries: ReturnType<typeof openPushEntries>;
  readonly wakeUp: WakeUp;
}

/** How soon pushes that other processes append are seen. */
const pollMs = 200;
/** How soon somebody else's end is seen. */
const leasePollMs = 500;
const recoverMs = 15_000;
/** How long one that appends may take from its payload to its place in the log, or this process would say in its stead that it is new. */
const appendMs = 2000;
const sweepMs = 3_600_000;

/** What one call of the reader gets at most. */
const maxRecords = 512;
const maxBytes = 8 * 2 ** 20;

export async function readPushLog(parts: PushLogParts, reader: LogReader, signal: AbortSignal): Promise<void> {
  await repeatThroughFailures({ what: parts.name, logger: parts.logger, signal }, async (onSuccess) => {
    try {
      await readAlone(parts, reader, signal, onSuccess);
    } catch (error) {
      if (!isBusy(error)) throw error;
      await pause(leasePollMs, signal);
    }
  });
}

/** Until aborted, or until the lease is lost, which is ABORTED. */
async function readAlone(parts: PushLogParts, reader: LogReader, given: AbortSignal, onSuccess: () => void): Promise<void> {
  const { source, records, entries, wakeUp } = parts;
  const work = `what is pushed to source "${source}" is being read`;
  const lease = await takeLease(records, { name: `push-log/${source}`, work, details: { source } }, given);
  const signal = AbortSignal.any([given, lease.signal]);
  // Many records are written at once under it.
  setMaxListeners(0, signal);
  try {
    let recoverAt = performance.now() + (await recover(parts, signal));
    let sweptAt = Number.NEGATIVE_INFINITY;
    const { next, waiting } = await entries.read(signal);
    const range = { first: BigInt(waiting[0]?.seq ?? next), end: BigInt(next) };
    const start = await reader.open(pushPartition, range, signal);
    await finish(
      parts,
      waiting.filter(({ seq }) => BigInt(seq) < start),
      signal,
    );
    while (!given.aborted) {
      signal.throwIfAborted();
      if ((await readSome(parts, reader, start, signal)) > 0) {
        onSuccess();
        continue;
      }
      if (performance.now() > recoverAt) recoverAt = performance.now() + (await recover(parts, signal));
      if (performance.now() - sweptAt > sweepMs) {
        await entries.sweep(parts.payloads.remove, signal);
        sweptAt = performance.now();
      }
      await wakeUp.wait(pollMs, signal);
    }
  } finally {
    await lease.release().catch(() => {});
  }
}

/** The first of what waits, as much as one call may have; how much that was. */
async function readSome(parts: PushLogParts, reader: LogReader, start: bigint, signal: AbortSignal): Promise<number> {
  const { next, waiting } = await parts.entries.read(signal);
  const some: PushEntry[] = [];
  let bytes = 0;
  for (const entry of waiting) {
    if (BigInt(entry.seq) < start) continue;
    if (some.length === maxRecords || (some.length > 0 && bytes + entry.bytes > maxBytes)) break;
    some.push(entry);
    bytes += entry.bytes;
  }
  if (some.length === 0) return 0;
  const records = await Promise.all(
    some.map(async (entry): Promise<LogRecord> => {
      const value = await parts.payloads.read(entry.key);
      if (value === undefined) throw lost(parts.source, entry);
      return { offset: BigInt(entry.seq), value };
    }),
  );
  await reader.take(pushPartition, records, BigInt(next), signal);
  await finish(parts, some, signal);
  return some.length;
}

/** In this order: wherever it ends, what is left over is known for what it is. */
async function finish({ entries, payloads }: PushLogParts, read: readonly PushEntry[], signal: AbortSignal): Promise<void> {
  if (read.length === 0) return;
  await entries.finish(read, signal);
  await payloads.remove(read.map(({ key }) => key));
}

/**
 * Payloads whose process died before it had appended them, or that the store has forgotten, are appended; those left over go. In so many
 * milliseconds it is to be done again.
 */
async function recover({ entries, payloads, logger, name }: PushLogParts, signal: AbortSignal): Promise<number> {
  const found = await payloads.list();
  const { unknown, done } = await entries.find([...found.keys()], signal);
  await payloads.remove(done);
  const left = unknown.filter((key) => (found.get(key)?.writtenMs ?? 0) < Date.now() - appendMs);
  if (left.length > 0) {
    await payloads.sync();
    const outcomes = await entries.append(left.map((key) => ({ key, bytes: found.get(key)?.bytes ?? 0 })));
    const count = outcomes.filter((outcome) => outcome === 'appended').length;
    if (count > 0) logger.info({ log: name, pushes: count }, 'pushes that were kept and not yet in the log are appended');
  }
  return left.length === unknown.length ? recoverMs : appendMs;
}

function lost(source: string, { key, seq }: PushEntry): FeatureStoreError {
  return new FeatureStoreError(
    'DATA_LOSS',
    `push ${seq} to source "${source}" was acknowledged, and its payload (${key}.push) is not in the storage: let all processes share one storage, or bring the file back`,
    { details: { source, offset: String(seq) } },
  );
}

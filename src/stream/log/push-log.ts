/** The log of what is pushed to a source: a push that is acknowledged is on the disk and in its place in the log, once. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import type { OnlineRecords } from '../../online/records.ts';
import type { StreamLog } from './log.ts';
import { openPushEntries, type PushOutcome, pushPartition } from './push-entries.ts';
import { openPushPayloads } from './push-payloads.ts';
import { readPushLog } from './read-push-log.ts';
import { createWakeUp } from './wake-up.ts';

export interface PushLogOptions {
  readonly source: string;
  readonly records: OnlineRecords;
  /** The folder of streams in the shared storage; the source has its own in it. */
  readonly directory: string;
  readonly logger: Logger;
  /** Pushes that may wait to be read, more are refused; default 10,000. */
  readonly maxWaiting?: number;
  /** Bytes of theirs; default 1 GiB. */
  readonly maxWaitingBytes?: number;
}

export interface PushLog extends StreamLog {
  /**
   * Appends a payload, unless one was appended under that key within the last day; when this resolves it is durable. RESOURCE_EXHAUSTED
   * while too many wait.
   */
  append(idempotencyKey: string, payload: Uint8Array): Promise<{ readonly isNew: boolean }>;
}

/** How old what is known of the log may be where it is only looked at whether there is room. */
const glanceMs = 250;

export function openPushLog(options: PushLogOptions): PushLog {
  const { source, records, directory, maxWaiting = 10_000, maxWaitingBytes = 2 ** 30 } = options;
  const name = `pushes to source "${source}"`;
  const payloads = openPushPayloads(join(directory, source, pushPartition));
  const entries = openPushEntries(records, source);
  const wakeUp = createWakeUp();
  let seen = { count: 0, bytes: 0, atMs: Number.NEGATIVE_INFINITY };
  let queue: Waiting[] = [];
  let isAppending = false;

  /** The bounds are soft: pushes that are under way at the same time may together go beyond them. */
  async function checkRoom(payload: Uint8Array): Promise<void> {
    if (performance.now() - seen.atMs > glanceMs) {
      const { waiting } = await entries.read();
      const bytes = waiting.reduce((sum, entry) => sum + entry.bytes, 0);
      seen = { count: waiting.length, bytes, atMs: performance.now() };
    }
    const hasRoom = seen.count < maxWaiting && (seen.count === 0 || seen.bytes + payload.byteLength <= maxWaitingBytes);
    if (!hasRoom) throw full(source, seen.count, seen.bytes);
    seen.count += 1;
    seen.bytes += payload.byteLength;
  }

  /** Pushes that come meanwhile are appended together. Never rejects. */
  async function appendQueued(): Promise<void> {
    if (isAppending) return;
    isAppending = true;
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        await payloads.sync();
        const outcomes = await entries.append(batch);
        for (const [at, { resolve }] of batch.entries()) resolve(outcomes[at] as PushOutcome);
        if (outcomes.includes('appended')) wakeUp.wake();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isAppending = false;
  }

  return {
    name,
    async append(idempotencyKey, payload) {
      const key = hashKey(idempotencyKey);
      await checkRoom(payload);
      await payloads.keep(key, payload);
      const outcome = await new Promise<PushOutcome>((resolve, reject) => {
        queue.push({ key, bytes: payload.byteLength, resolve, reject });
        void appendQueued();
      });
      // It was written again after it had been read and removed.
      if (outcome === 'done') await payloads.remove([key]);
      return { isNew: outcome === 'appended' };
    },
    run: (reader, signal) => readPushLog({ ...options, name, payloads, entries, wakeUp }, reader, signal),
    async ranges(signal) {
      const { next, waiting } = await entries.read(signal);
      return new Map([[pushPartition, { first: BigInt(waiting[0]?.seq ?? next), end: BigInt(next) }]]);
    },
  };
}

interface Waiting {
  readonly key: string;
  readonly bytes: number;
  resolve(outcome: PushOutcome): void;
  reject(error: unknown): void;
}

function hashKey(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32);
}

function full(source: string, count: number, bytes: number): FeatureStoreError {
  return new FeatureStoreError(
    'RESOURCE_EXHAUSTED',
    `${count} pushes to source "${source}" (${bytes} bytes) are not read yet, and no more are taken until some are; try again later`,
    { details: { source, waiting: count, waiting_bytes: bytes, retry_after_seconds: 1 } },
  );
}

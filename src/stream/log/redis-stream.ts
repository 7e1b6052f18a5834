/** Redis Streams as a log: each key is a partition, read from where we are, without consumer groups. */
import type { RedisConfig } from '../../config.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import { connectRedis, type RedisConnection } from '../../online/redis/connection.ts';
import { redisName } from '../../online/redis/options.ts';
import type { RedisStreamDocument } from '../../registry/document.ts';
import type { LogRange, LogReader, StreamLog } from './log.ts';
import { asCluster, redisAddress } from './redis-address.ts';
import { awaitEntry, lookAtStream, noRecords, type StreamLook, usualBounds } from './redis-entries.ts';
import { repeatThroughFailures } from './repeat.ts';
import type { Environment } from './secret.ts';

export interface RedisStreamLogOptions {
  readonly project: string;
  /** Name of the event source. */
  readonly source: string;
  readonly stream: RedisStreamDocument;
  /** The repository, where paths of TLS files begin. */
  readonly root: string;
  /** Where secrets are looked up by the names that the stream gives. */
  readonly environment: Environment;
  readonly logger: Logger;
}

/** How long Redis waits for something new before it answers that there is nothing. */
const blockMs = 1000;

/** The server may be one of a Cluster's: that is found out when it says so. */
export function openRedisStreamLog(options: RedisStreamLogOptions): StreamLog {
  const { project, source, stream, root, environment, logger } = options;
  let config = redisAddress(`source "${source}"`, stream, root, environment);
  const name = `Redis streams ${stream.keys.map((key) => `"${key}"`).join(', ')} of ${redisName(config)}`;

  /** On a connection of its own, since one that waits blocks all that is asked behind it. */
  async function connected<T>(work: (connection: RedisConnection) => Promise<T>): Promise<T> {
    const used: RedisConfig = config;
    const connection = connectRedis(used, project, logger, `the stream of source "${source}"`);
    try {
      return await work(connection);
    } catch (error) {
      const isElsewhere = error instanceof FeatureStoreError && ['MOVED', 'ASK'].includes(String(error.details.reply));
      if (isElsewhere && used.cluster === undefined) config = asCluster(used);
      throw error;
    } finally {
      connection.close();
    }
  }

  async function rangeOf(key: string, signal?: AbortSignal): Promise<LogRange> {
    const look = () => connected(async (connection) => (await lookAtStream(connection, key, 0n, noRecords, signal)).range);
    const { cluster } = config;
    return await look().catch((error: unknown) => {
      if (config.cluster === cluster) throw error;
      return look();
    });
  }

  return {
    name,
    async run(reader, given) {
      const failed = new AbortController();
      const signal = AbortSignal.any([given, failed.signal]);
      const readings = stream.keys.map((key) =>
        repeatThroughFailures({ what: name, logger, signal }, (onSuccess) =>
          connected((connection) => readPartition(connection, key, reader, signal, onSuccess)),
        ).catch((error: unknown) => {
          failed.abort(error);
          throw error;
        }),
      );
      const ended = (await Promise.allSettled(readings)).find(({ status }) => status === 'rejected');
      if (ended?.status === 'rejected' && !given.aborted) throw ended.reason;
    },
    async ranges(signal) {
      const found: [string, LogRange][] = [];
      for (const key of stream.keys) found.push([key, await rangeOf(key, signal)]);
      return new Map(found);
    },
  };
}

async function readPartition(
  connection: RedisConnection,
  key: string,
  reader: LogReader,
  signal: AbortSignal,
  onSuccess: () => void,
): Promise<void> {
  const { range } = await lookAtStream(connection, key, 0n, noRecords, signal);
  let next = await reader.open(key, range, signal);
  let before: StreamLook | undefined;
  // The reader has seen what the stream has, and decided.
  let isDecided = true;
  while (!signal.aborted) {
    const look = await lookAtStream(connection, key, next, usualBounds, signal);
    onSuccess();
    const mustDecide: boolean = !isDecided && isMissing(look, next, before);
    isDecided = mustDecide;
    before = undefined;
    if (mustDecide) {
      next = await reader.open(key, look.range, signal);
      continue;
    }
    if (look.records.length > 0) {
      await reader.take(key, look.records, look.range.end, signal);
      next = (look.records.at(-1)?.offset ?? next) + 1n;
      // All that there was: what comes from here on can be counted.
      if (next === look.range.end) before = look;
      continue;
    }
    // The last entries were deleted: nothing is left to wait for.
    if (next < look.range.end) {
      await reader.pass(key, look.range.end, signal);
      next = look.range.end;
    }
    before = look;
    await awaitEntry(connection, key, next, blockMs, signal);
  }
}

/**
 * Whether entries from `next` on may have gone unread: the stream is another one, or was trimmed beyond it. `before` is the last look if
 * nothing was left to read then: if as many came since as there are, none is missing.
 */
function isMissing({ range, length, added }: StreamLook, next: bigint, before: StreamLook | undefined): boolean {
  if (range.end < next) return true;
  if (range.first <= next || range.end === next || next === 0n) return false;
  const isCounted = before?.added !== undefined && added !== undefined && added >= before.added;
  return !isCounted || added - (before.added as number) !== length;
}

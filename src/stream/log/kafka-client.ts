/** Kafka's protocol as a member of a consumer group: the one file that knows the client library. */
import kafkajs, { type Batch, type Consumer, type EachBatchPayload, type SASLOptions } from 'kafkajs';
import { FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import { type Decompress, decompressors } from './kafka-codecs.ts';
import { createNaps } from './kafka-naps.ts';
import './kafka-mends.ts';
import type { LogRange } from './log.ts';
import type { TlsMaterial } from './tls.ts';

export interface KafkaClientOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  readonly tls?: TlsMaterial;
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string };
  readonly timing: KafkaTiming;
  readonly logger: Logger;
}

export interface KafkaTiming {
  /** Silence after which the group goes on without a member. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How long the group waits for a member that still carries out what it read. */
  readonly rebalanceTimeoutMs: number;
  /** After how long topics and brokers are asked for anew: new partitions are found by then, and topics that are gone. */
  readonly metadataMs: number;
  /** How long a broker waits for records when it has none. */
  readonly fetchWaitMs: number;
  /** Bytes of one fetch from one broker, and of one partition's part of it; a greater record comes alone. */
  readonly fetchBytes: number;
  readonly partitionBytes: number;
}

export interface FetchedBatch {
  readonly partition: number;
  /** The offset that was asked for: the records begin there or, where the log has gaps, behind it. */
  readonly from: bigint;
  readonly records: readonly { readonly offset: bigint; readonly value: Uint8Array | null }[];
  /** What follows them, behind the marks of transactions too. */
  readonly next: bigint;
  readonly end: bigint;
  /** Keeps the membership alive; rejects where the group has begun anew or goes on without us. */
  heartbeat(): Promise<void>;
}

export interface GroupMember {
  /** Begins to read a partition, which rests since it was assigned or `rest` was called. */
  start(partition: number, offset: bigint): void;
  rest(partition: number): void;
  /** Shows progress to Kafka's own tools. */
  commit(partition: number, offset: bigint): Promise<void>;
}

export interface MemberHandlers {
  /** Partitions of this member from now on; none of them is read until it is started. */
  joined(member: GroupMember, partitions: readonly number[]): void;
  /** One call at a time for a partition; resolves to whether the records were taken: those that were not come again. */
  batch(member: GroupMember, batch: FetchedBatch): Promise<boolean>;
  /** Offsets that hold nothing for readers, such as aborted transactions, were passed over; the log ends at `end`. */
  passed(partition: number, passed: { readonly from: bigint; readonly next: bigint; readonly end: bigint }): void;
}

export interface KafkaClient {
  ranges(): Promise<ReadonlyMap<number, LogRange>>;
  /** Reads as a member of the group until aborted, and rejects where the connection to it breaks for good. */
  join(handlers: MemberHandlers, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

CompressionCodecs[CompressionTypes.GZIP] = codec(decompressors.gzip);
CompressionCodecs[CompressionTypes.Snappy] = codec(decompressors.snappy);
CompressionCodecs[CompressionTypes.LZ4] = codec(decompressors.lz4);
CompressionCodecs[CompressionTypes.ZSTD] = codec(decompressors.zstd);

/** How long leaving a group may take; it forgets us after the session's timeout anyway. */
const leaveMs = 3000;

/** A client of one topic. It connects when it is used, and mends short breaks only: whoever uses it makes a new one for others. */
export function openKafkaClient(options: KafkaClientOptions): KafkaClient {
  const { topic, timing } = options;
  const retry = { retries: 3, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: async () => false };
  const kafka = new Kafka({
    clientId: 'featherflight',
    brokers: [...options.brokers],
    ...(options.tls === undefined ? {} : { ssl: tlsOptions(options.tls) }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl as SASLOptions }),
    connectionTimeout: 3000,
    requestTimeout: 10_000,
    retry,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message } }) =>
        options.logger.debug({ topic, part: namespace }, `Kafka client: ${message}`),
  });
  const admin = kafka.admin({ retry });
  let connecting: Promise<void> | undefined;

  async function ranges(): Promise<ReadonlyMap<number, LogRange>> {
    connecting ??= admin.connect();
    await connecting.catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, low, high }) => [partition, { first: BigInt(low), end: BigInt(high) }]));
  }

  async function join(handlers: MemberHandlers, signal: AbortSignal): Promise<void> {
    const consumer = kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: timing.sessionTimeoutMs,
      heartbeatInterval: timing.heartbeatMs,
      rebalanceTimeout: timing.rebalanceTimeoutMs,
      minBytes: 1,
      maxWaitTimeInMs: timing.fetchWaitMs,
      maxBytes: timing.fetchBytes,
      maxBytesPerPartition: timing.partitionBytes,
      metadataMaxAge: timing.metadataMs,
      allowAutoTopicCreation: false,
      retry,
    });
    const started = new Set<number>();
    const member = memberOf(consumer, topic, started);
    const awake = () => [{ topic, partitions: [...started] }];
    const naps = createNaps(
      timing.fetchWaitMs,
      () => whileRunning(() => consumer.pause(awake())),
      () => whileRunning(() => consumer.resume(awake())),
    );
    const { events } = consumer;
    const crashed = new Promise<never>((_, reject) => {
      consumer.on(events.CRASH, ({ payload }) => reject(payload.error));
    });
    // The library tells of an assignment before it fetches for it: what rests from here on is never read from a place that it chose.
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[topic] ?? [];
      started.clear();
      if (partitions.length > 0) consumer.pause([{ topic, partitions }]);
      if (!signal.aborted) handlers.joined(member, partitions);
    });
    consumer.on(events.FETCH, ({ payload }) => naps.onFetch(payload.duration));
    consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      naps.onRecords();
      if (payload.batchSize > 0 || payload.firstOffset === null) return;
      const { partition, firstOffset, lastOffset, highWatermark } = payload;
      handlers.passed(partition, { from: BigInt(firstOffset), next: BigInt(lastOffset) + 1n, end: BigInt(highWatermark) });
    });
    const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
      if (!payload.isRunning() || payload.isStale()) return;
      const taken = await handlers.batch(member, fetchedBatch(payload));
      if (taken) payload.resolveOffset(payload.batch.lastOffset());
    };
    let running: Promise<void> | undefined;
    const read = async (): Promise<void> => {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      running = consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 8, eachBatch });
      await running;
    };
    const reading = read();
    const aborted = whenAborted(signal);
    try {
      await Promise.race([aborted.promise, crashed, reading.then(() => crashed)]);
    } finally {
      aborted.forget();
      naps.stop();
      await leave(consumer, reading);
    }
  }

  return {
    ranges,
    join,
    async close() {
      await connecting?.catch(() => {});
      await admin.disconnect().catch(() => {});
    },
  };
}

/** We only read. */
function codec(decompress: Decompress) {
  const compress = (): never => {
    throw new FeatureStoreError('UNIMPLEMENTED', 'nothing is written to Kafka');
  };
  return () => ({ decompress, compress });
}

function memberOf(consumer: Consumer, topic: string, started: Set<number>): GroupMember {
  return {
    start(partition, offset) {
      started.add(partition);
      consumer.seek({ topic, partition, offset: String(offset) });
      consumer.resume([{ topic, partitions: [partition] }]);
    },
    rest(partition) {
      started.delete(partition);
      consumer.pause([{ topic, partitions: [partition] }]);
    },
    commit: (partition, offset) => consumer.commitOffsets([{ topic, partition, offset: String(offset) }]),
  };
}

/** A consumer that has crashed throws at everything until it is told, which is soon. */
function whileRunning(work: () => void): void {
  try {
    work();
  } catch (error) {
    if ((error as Error).name !== 'KafkaJSNonRetriableError') throw error;
  }
}

function fetchedBatch({ batch, heartbeat }: EachBatchPayload): FetchedBatch {
  // The library's types do not name the offset that was asked for.
  const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: unknown };
  return {
    partition: batch.partition,
    from: BigInt(String(fetchedOffset)),
    records: batch.messages.map(({ offset, value }) => ({ offset: BigInt(offset), value })),
    next: BigInt(batch.lastOffset()) + 1n,
    end: BigInt(batch.highWatermark),
    heartbeat,
  };
}

/**
 * A first join that is under way is let end: the client has nobody leave that is not a member yet, but the broker may have one by then,
 * for whom the whole group would wait.
 */
async function leave(consumer: Consumer, reading: Promise<void>): Promise<void> {
  const leaving = async (): Promise<void> => {
    await reading.catch(() => {});
    await consumer.disconnect().catch(() => {});
  };
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, leaveMs);
  });
  await Promise.race([leaving(), tooLong]);
  clearTimeout(timer);
}

function whenAborted(signal: AbortSignal): { promise: Promise<void>; forget(): void } {
  let listener = (): void => {};
  const promise = new Promise<void>((resolve) => {
    listener = resolve;
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', listener, { once: true });
  });
  return { promise, forget: () => signal.removeEventListener('abort', listener) };
}

function tlsOptions({ ca, cert, key }: TlsMaterial): true | { ca?: string[]; cert?: string; key?: string } {
  if (ca === undefined && cert === undefined) return true;
  return { ...(ca === undefined ? {} : { ca: [ca] }), ...(cert === undefined ? {} : { cert, key }) };
}

/** A topic of Kafka's protocol as a log: what has been read is known by the reader alone, and the group's own offsets are for show. */
import { FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import type { KafkaDocument } from '../../registry/document.ts';
import { type KafkaClient, type KafkaTiming, openKafkaClient } from './kafka-client.ts';
import { lastingFailure, passingReason } from './kafka-failure.ts';
import { readKafkaOnce } from './kafka-session.ts';
import type { LogRange, LogReader, StreamLog } from './log.ts';
import { type Environment, readSecret } from './secret.ts';
import { readTls } from './tls.ts';
import { createTurns } from './turns.ts';

export interface KafkaLogOptions {
  readonly project: string;
  /** Name of the event source. */
  readonly source: string;
  readonly stream: KafkaDocument;
  /** The repository, where paths of TLS files begin. */
  readonly root: string;
  /** Where secrets are looked up by the names that the stream gives. */
  readonly environment: Environment;
  readonly logger: Logger;
  readonly timing?: Partial<KafkaTiming>;
}

const usualTiming: KafkaTiming = {
  sessionTimeoutMs: 10_000,
  heartbeatMs: 2_000,
  rebalanceTimeoutMs: 60_000,
  metadataMs: 30_000,
  fetchWaitMs: 100,
  fetchBytes: 16 * 2 ** 20,
  partitionBytes: 2 * 2 ** 20,
};

const firstWaitMs = 250;
const longestWaitMs = 10_000;

/** How long a connection must hold until it counts as mended without any record. */
const steadyMs = 5_000;

/** Opens the log of a source; FAILED_PRECONDITION where a secret or a file of its TLS is missing. It connects when it is used. */
export function openKafkaLog(options: KafkaLogOptions): StreamLog {
  const { project, source, stream, root, environment, logger } = options;
  const name = `Kafka topic "${stream.topic}" at ${stream.brokers.join(', ')}`;
  const what = `source "${source}"`;
  const clientOptions = {
    brokers: stream.brokers,
    topic: stream.topic,
    groupId:
      stream.groupId === undefined
        ? `featherflight-${project}-${source}`
        : readSecret(`${what}: groupId`, stream.groupId, environment),
    ...(stream.tls === undefined ? {} : { tls: readTls(what, stream.tls, root) }),
    ...(stream.sasl === undefined ? {} : { sasl: readSasl(what, stream.sasl, environment) }),
    timing: { ...usualTiming, ...options.timing },
    logger,
  };
  const open = (): KafkaClient => openKafkaClient(clientOptions);
  /** Of whoever reads now: lag is asked for on its connection. */
  let current: KafkaClient | undefined;
  /** As batches of records told them: brokers may list an end that is older than these. */
  const ends = new Map<number, bigint>();

  async function run(reader: LogReader, signal: AbortSignal): Promise<void> {
    const turns = createTurns<number>();
    const outage = followOutage(what, name, logger);
    const onTaken = (partition: number, end: bigint): void => {
      ends.set(partition, end);
      outage.end();
    };
    try {
      for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
        const client = open();
        current = client;
        let steady: NodeJS.Timeout | undefined;
        const onPlaced = (): void => {
          steady ??= setTimeout(outage.end, steadyMs);
        };
        try {
          await readKafkaOnce({
            client,
            name,
            reader,
            turns,
            signal,
            heartbeatMs: clientOptions.timing.heartbeatMs,
            onPlaced,
            onTaken,
          });
        } catch (thrown) {
          if (signal.aborted) return;
          const lasting = lastingFailure(`${what}: ${name}`, thrown);
          if (lasting !== undefined) throw lasting;
          if (outage.begin(passingReason(stream.topic, thrown))) waitMs = firstWaitMs;
        } finally {
          clearTimeout(steady);
          current = undefined;
          ends.clear();
          void client.close();
        }
        await pause(waitMs, signal);
      }
    } finally {
      await turns.ended();
    }
  }

  async function ranges(signal?: AbortSignal): Promise<ReadonlyMap<string, LogRange>> {
    signal?.throwIfAborted();
    const shared = current;
    const client = shared ?? open();
    try {
      const found = await client.ranges();
      return new Map(
        [...found].map(([partition, { first, end }]) => {
          const seen = ends.get(partition);
          return [String(partition), { first, end: seen !== undefined && seen > end ? seen : end }];
        }),
      );
    } catch (thrown) {
      const lasting = lastingFailure(`${what}: ${name}`, thrown);
      if (lasting !== undefined) throw lasting;
      const reason = passingReason(stream.topic, thrown);
      throw new FeatureStoreError('UNAVAILABLE', `${what}: ${name} cannot be asked: ${reason}`, { cause: thrown });
    } finally {
      if (client !== shared) await client.close();
    }
  }

  return { name, run, ranges };
}

function readSasl(what: string, sasl: NonNullable<KafkaDocument['sasl']>, environment: Environment) {
  return {
    mechanism: sasl.mechanism,
    username: readSecret(`${what}: sasl.username`, sasl.username, environment),
    password: readSecret(`${what}: sasl.password`, sasl.password, environment),
  };
}

interface Outage {
  /** Tells a reason once, as long as it goes on; true for the first since the log was read. */
  begin(reason: string): boolean;
  end(): void;
}

function followOutage(what: string, name: string, logger: Logger): Outage {
  let told: string | undefined;
  return {
    begin(reason) {
      const isFirst = told === undefined;
      if (reason !== told) logger.warn({ reason }, `${what}: ${name} cannot be read, and is tried until it can: ${reason}`);
      told = reason;
      return isFirst;
    },
    end() {
      if (told !== undefined) logger.info({}, `${what}: ${name} is read again`);
      told = undefined;
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms * (0.75 + Math.random() / 2));
    signal.addEventListener('abort', done);
  });
}

/** Streams: logs from which the events of an event source are read as they happen. */
import { freezeCopy } from './described.ts';
import type { EnvironmentValue } from './env.ts';

/**
 * What a record's value is: `'json'`, an object for one event; `{ avro: PATH }`, one event by the schema in that file, relative to the
 * repository; `'arrow'`, an Arrow IPC stream of any number of events.
 */
export type StreamFormat = 'json' | 'arrow' | AvroFormatOptions;

export interface AvroFormatOptions {
  readonly avro: string;
  /**
   * Before each value stand a zero and four bytes with the id of its schema in a registry, as Confluent's serializers write them; default:
   * nothing does.
   */
  readonly framing?: 'confluent';
  /** With `framing`: an event whose schema has another id is set aside; default: any id, all of the schema that is named. */
  readonly schemaId?: number;
}

interface StreamOptions {
  /** Default: `'json'`. */
  readonly format?: StreamFormat;
  /** Where a source begins that has read nothing yet; default: `'earliest'`, all that the log still has. */
  readonly from?: 'earliest' | 'latest';
  /** `true`: the system's authorities and no certificate of our own; or PEM files, absolute or relative to the repository. */
  readonly tls?: boolean | StreamTlsOptions;
}

export interface StreamTlsOptions {
  /** Authorities that sign the servers' certificates; default: the system's. */
  readonly caFile?: string;
  /** Our certificate, where the servers ask for one, and its key. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string | EnvironmentValue;
  readonly password: EnvironmentValue;
}

export interface KafkaOptions extends StreamOptions {
  /** Some brokers as `HOST:PORT`, from which the others are found. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly sasl?: SaslOptions;
  /**
   * The consumer group, under which progress is shown to Kafka's own tools; default: `featherflight-PROJECT-SOURCE`. `env(…)` where
   * servers of one project are not to share a group.
   */
  readonly groupId?: string | EnvironmentValue;
}

export interface Kafka extends KafkaOptions {
  readonly kind: 'kafka';
}

export interface RedisStreamOptions extends StreamOptions {
  /** `redis://HOST:PORT/DATABASE` or `rediss://…` with TLS; one that holds a password is given by `env(…)`. */
  readonly url: string | EnvironmentValue;
  /** The streams' keys: each is a partition, in which events keep their order. */
  readonly keys: readonly string[];
}

export interface RedisStream extends RedisStreamOptions {
  readonly kind: 'redisStream';
}

export type Stream = Kafka | RedisStream;

/** A topic of a broker that speaks Kafka's protocol: `kafka({ brokers: ['127.0.0.1:9092'], topic: 'clicks' })`. */
export function kafka(options: KafkaOptions): Kafka {
  return freezeCopy({ ...options, kind: 'kafka' });
}

/** Streams of Redis or Valkey: `redisStream({ url: 'redis://127.0.0.1:6379', keys: ['clicks'] })`. */
export function redisStream(options: RedisStreamOptions): RedisStream {
  return freezeCopy({ ...options, kind: 'redisStream' });
}

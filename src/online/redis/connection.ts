/** One client of Redis and the deadline of everything asked of it: an outage is an error in time, and its end is noticed by itself. */
import { Cluster, Redis } from 'ioredis';
import type { RedisConfig } from '../../config.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import { replyCode, storeError, unanswered, unreachable } from './errors.ts';
import { clusterOptions, parseAddress, redisName, singleOptions } from './options.ts';

export type RedisClient = Redis | Cluster;

export interface RedisConnection {
  readonly name: string;
  readonly client: RedisClient;
  /** Runs what asks Redis within one deadline; what a broken connection lost is sent again only when it is `repeatable`. */
  run<T>(ask: () => Promise<T>, options: { readonly repeatable: boolean; readonly signal?: AbortSignal }): Promise<T>;
  close(): void;
}

const repeatAfterMs = 50;

const closedAtOnce = 'connections end at once; if that lasts, see tls of redis({…}): what the nodes speak, and who signed it';

/** Begins to connect and returns at once; `what` it is stands in the log. FAILED_PRECONDITION when a file of the TLS options cannot be read. */
export function connectRedis(config: RedisConfig, project: string, logger: Logger, what = 'the online store'): RedisConnection {
  const { commandTimeoutMs: timeoutMs, cluster } = config;
  const name = redisName(config);
  const client: RedisClient =
    cluster === undefined
      ? new Redis(singleOptions(config, project))
      : new Cluster(
          cluster.map((text) => parseAddress(text, 6379)),
          clusterOptions(config, project),
        );
  let closed = false;
  let lostAt: number | undefined = performance.now();
  let lastError = 'no connection yet';
  const waiting: (() => void)[] = [];

  const note = (error: Error): void => {
    // A Cluster's own error says only that no node answered: the node's says why, but for what goes wrong in a handshake of TLS.
    const { message } = (error as { lastNodeError?: Error | null }).lastNodeError ?? error;
    lastError = message === 'Connection is closed.' ? closedAtOnce : message;
  };
  client.on('error', note);
  client.on('node error', note);
  client.on('ready', () => {
    if (lostAt !== undefined) logger.info({ store: name }, `${what} is connected`);
    lostAt = undefined;
    for (const resume of waiting.splice(0)) resume();
  });
  client.on('close', () => {
    if (lostAt !== undefined || closed) return;
    lostAt = performance.now();
    lastError = 'the connection was lost';
    logger.warn({ store: name }, `${what} is lost`);
  });

  /** Waits for a connection that may come back in time; one that is away for longer fails at once. */
  async function ready(): Promise<void> {
    while (client.status !== 'ready') {
      if (closed) throw new FeatureStoreError('UNAVAILABLE', `${name} is closed`);
      if (lostAt !== undefined && performance.now() - lostAt > timeoutMs) throw unreachable(name, lastError);
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }

  async function attempt<T>(ask: () => Promise<T>, repeatable: boolean, call: { over: boolean; failed: boolean }): Promise<T> {
    for (;;) {
      if (client.status !== 'ready') await ready();
      if (call.over) throw unreachable(name, lastError);
      try {
        return await ask();
      } catch (error) {
        if (!repeatable || error instanceof FeatureStoreError || replyCode(error) !== undefined || call.over) throw error;
        call.failed = true;
        await new Promise((resolve) => setTimeout(resolve, repeatAfterMs));
      }
    }
  }

  return {
    name,
    client,
    run: (ask, { repeatable, signal }) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const call = { over: false, failed: false };
        const end = (): void => {
          call.over = true;
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
        };
        const fail = (error: unknown): void => {
          end();
          reject(error === signal?.reason ? error : storeError(error, name));
        };
        const late = () =>
          fail(client.status === 'ready' && !call.failed ? unanswered(name, timeoutMs) : unreachable(name, lastError));
        const abort = () => fail(signal?.reason);
        const timer = setTimeout(late, timeoutMs);
        signal?.addEventListener('abort', abort, { once: true });
        attempt(ask, repeatable, call).then((answer) => {
          end();
          resolve(answer);
        }, fail);
      }),
    close() {
      closed = true;
      client.disconnect();
      for (const resume of waiting.splice(0)) resume();
    },
  };
}

/** The online store in Redis or Valkey: one server, Sentinel's master, or a Cluster. */
import type { RedisConfig } from '../../config.ts';
import { FeatureStoreError } from '../../errors.ts';
import { type Logger, silentLogger } from '../../observe.ts';
import type { OnlineStore } from '../store.ts';
import { checkRedis } from './check.ts';
import { connectRedis } from './connection.ts';
import { createReader } from './read.ts';
import { replaceValues } from './replace.ts';
import { scanKeys } from './scan.ts';

export interface RedisStoreOptions {
  /** Namespace of the connection's name and of the key that `check` tries a write at. */
  readonly project: string;
  readonly logger?: Logger;
}

/**
 * Opens the store and returns at once, whether Redis is there or not: whatever is asked waits `commandTimeoutMs` at most. A write is
 * never sent twice: after an error it has happened or not, and what is written again must first be read again.
 */
export function openRedisStore(config: RedisConfig, { project, logger = silentLogger }: RedisStoreOptions): OnlineStore {
  const { name, client, run, close } = connectRedis(config, project, logger);
  const readValues = createReader(client);
  const warned = new Set<string>();
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function use<T>(call: () => Promise<T>): Promise<T> {
    if (closing !== undefined) throw new FeatureStoreError('FAILED_PRECONDITION', `${name} is closed`);
    const result = call();
    running.add(result);
    try {
      return await result;
    } finally {
      running.delete(result);
    }
  }

  return {
    name,
    async read(keys, signal) {
      if (keys.length === 0) return [];
      return await use(() => run(() => readValues(keys), { repeatable: true, signal }));
    },
    async replace(replacements, signal) {
      return await use(() => replaceValues(client, replacements, (ask) => run(ask, { repeatable: false, signal })));
    },
    scan(prefix, signal) {
      return scanKeys(client, prefix, (ask) => use(() => run(ask, { repeatable: true, signal })));
    },
    async check(signal) {
      await use(() => run(() => checkRedis(client, { name, project, logger, warned }), { repeatable: true, signal }));
    },
    async close() {
      closing ??= Promise.allSettled(running).then(close);
      await closing;
    },
  };
}

/** Redis stores for tests, opened by the words of the config. */
import { parseConfig, type RedisConfig, redis } from '../../src/config.ts';
import type { Logger } from '../../src/observe.ts';
import { openRedisStore } from '../../src/online/redis/redis-store.ts';
import type { OnlineStore } from '../../src/online/store.ts';

/** A second is short for a machine that runs other tests besides. */
const patience = { commandTimeoutMs: 5000, connectTimeoutMs: 5000 };

export function openTestRedis(options: Parameters<typeof redis>[0], logger?: Logger): OnlineStore {
  const { onlineStore } = parseConfig({ project: 'p', onlineStore: redis({ ...patience, ...options }) }, '/');
  return openRedisStore(onlineStore as RedisConfig, { project: 'p', logger });
}

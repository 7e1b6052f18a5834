/** Opens the online store that the config names. */
import type { Config } from '../config.ts';
import type { Logger } from '../observe.ts';
import { openLmdbStore } from './lmdb-store.ts';
import { openRedisStore } from './redis/redis-store.ts';
import type { OnlineStore } from './store.ts';

/** Redis may be away: the store opens all the same, and answers when Redis does. */
export function openOnlineStore({ onlineStore, state, project }: Config, logger?: Logger): OnlineStore {
  return onlineStore.kind === 'redis' ? openRedisStore(onlineStore, { project, logger }) : openLmdbStore(state);
}

/** A server in the test's hands: it lives for a while, is killed in the midst of whatever it does, and lives again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../../support/start-server.ts';
import type { Random } from './shop-events.ts';
import type { StreamShop } from './stream-shop.ts';

export interface Lives {
  /** Those that answer now. */
  servers(): readonly ServerProcess[];
  /** So far. */
  readonly kills: number;
  /** Lives of one state until as many were killed in all, one after the other. */
  live(state: string, kills: number): Promise<void>;
}

export interface LivesOptions {
  readonly shop: StreamShop;
  readonly random: Random;
  /** The longest life of a server that answers, in milliseconds. */
  readonly longestMs: number;
  /** Told after each kill, while the state rests. */
  readonly onKilled?: () => Promise<void>;
}

export function startLives({ shop, random, longestMs, onKilled }: LivesOptions): Lives {
  const running = new Set<ServerProcess>();
  let kills = 0;
  let life = 0;
  return {
    servers: () => [...running],
    get kills() {
      return kills;
    },
    async live(state, atMost) {
      while (kills < atMost) {
        life += 1;
        // A group of its own: the broker would let each life wait until it has forgotten the one before.
        const server = await shop.start(state, { KAFKA_GROUP: `life-${life}` });
        running.add(server);
        await sleep(random() * longestMs);
        running.delete(server);
        const { signal } = await server.stop('SIGKILL');
        if (signal !== 'SIGKILL') throw new Error(`a server ended by itself: ${server.log()}`);
        kills += 1;
        await onKilled?.();
      }
    },
  };
}

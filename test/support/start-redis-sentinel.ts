/** A Redis master with a replica and three Sentinels that watch over it, as local processes. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type RedisServer, type StartRedisOptions, startRedis } from './start-redis.ts';

export interface WatchedRedis {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** They call the master `watched`. */
  readonly sentinels: readonly RedisServer[];
  stop(): Promise<void>;
}

/** With `tls` all of them speak it alone. */
export async function startRedisSentinel(tls?: StartRedisOptions['tls']): Promise<WatchedRedis> {
  const args = ['--repl-diskless-sync-delay', '0', ...(tls === undefined ? [] : ['--tls-replication', 'yes'])];
  const master = await startRedis({ args, tls });
  const replica = await startRedis({ args: [...args, '--replicaof', '127.0.0.1', String(master.port)], tls });
  await vi.waitUntil(async () => String(await replica.command('info', 'replication')).includes('master_link_status:up'), {
    timeout: 20_000,
  });
  const sentinels = await Promise.all(Array.from({ length: 3 }, () => startSentinel(master, tls)));
  for (const sentinel of sentinels) {
    await vi.waitUntil(
      async () => {
        const state = JSON.stringify(await sentinel.command('sentinel', 'master', 'watched'));
        return state.includes('"num-slaves","1"') && state.includes('"num-other-sentinels","2"');
      },
      { timeout: 20_000 },
    );
  }
  return {
    master,
    replica,
    sentinels,
    async stop() {
      await Promise.all([...sentinels, master, replica].map((server) => server.stop()));
    },
  };
}

async function startSentinel(master: RedisServer, tls: StartRedisOptions['tls']): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'featherflight-sentinel-'));
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `sentinel monitor watched 127.0.0.1 ${master.port} 2`,
    'sentinel down-after-milliseconds watched 500',
    'sentinel failover-timeout watched 3000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return await startRedis({ directory, sentinel: file, tls, args: tls === undefined ? [] : ['--tls-replication', 'yes'] });
}

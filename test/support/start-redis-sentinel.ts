/** A Redis master with a replica and three Sentinels that watch over it, as local processes. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type RedisServer, startRedis } from './start-redis.ts';

export interface WatchedRedis {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** Addresses of the Sentinels, which call the master `watched`. */
  readonly sentinels: string[];
  stop(): Promise<void>;
}

export async function startRedisSentinel(): Promise<WatchedRedis> {
  const args = ['--repl-diskless-sync-delay', '0'];
  const master = await startRedis({ args });
  const replica = await startRedis({ args: [...args, '--replicaof', '127.0.0.1', String(master.port)] });
  await vi.waitUntil(async () => String(await replica.command('info', 'replication')).includes('master_link_status:up'), {
    timeout: 20_000,
  });
  const sentinels = await Promise.all(Array.from({ length: 3 }, () => startSentinel(master)));
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
    sentinels: sentinels.map(({ address }) => address),
    async stop() {
      await Promise.all([...sentinels, master, replica].map((server) => server.stop()));
    },
  };
}

async function startSentinel(master: RedisServer): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'featherflight-sentinel-'));
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `sentinel monitor watched 127.0.0.1 ${master.port} 2`,
    'sentinel down-after-milliseconds watched 500',
    'sentinel failover-timeout watched 3000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return await startRedis({ directory, sentinel: file });
}

/** A Redis Cluster of local processes, slots spread evenly over three masters, with replicas where asked. */
import { vi } from 'vitest';
import { freePort, type RedisServer, type StartRedisOptions, startRedis } from './start-redis.ts';

export interface RedisCluster {
  /** Masters first. */
  readonly nodes: readonly RedisServer[];
  readonly addresses: string[];
  /** Moves a slot with its keys from node to node (positions) while the Cluster serves, as redis-cli does. */
  moveSlot(slot: number, from: number, to: number): Promise<void>;
  stop(): Promise<void>;
}

const allSlots = 16_384;
const masters = 3;

export interface StartClusterOptions {
  /** Of each master. */
  readonly replicas?: number;
  /** Further arguments of every node. */
  readonly args?: readonly string[];
  /** Clients and nodes speak TLS alone. */
  readonly tls?: StartRedisOptions['tls'];
}

export async function startRedisCluster({ replicas = 0, args = [], tls }: StartClusterOptions = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: masters * (1 + replicas) }, () => startNode(args, tls)));
  const ids = await Promise.all(nodes.map(async ({ server }) => String(await server.command('cluster', 'myid'))));
  for (const [index, { server }] of nodes.slice(0, masters).entries()) {
    const [first, next] = [index, index + 1].map((at) => Math.floor((allSlots * at) / masters)) as [number, number];
    await server.command('cluster', 'addslotsrange', first, next - 1);
    await server.command('cluster', 'set-config-epoch', index + 1);
  }
  const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
  for (const { server } of others) await server.command('cluster', 'meet', '127.0.0.1', first.server.port, first.busPort);
  for (const [index, { server }] of nodes.entries()) {
    if (index >= masters)
      await eventually(async () => (await server.command('cluster', 'replicate', ids[index % masters] as string)) === 'OK');
  }
  for (const { server } of nodes) await eventually(() => isWhole(server, nodes.length, masters * replicas));
  return {
    nodes: nodes.map(({ server }) => server),
    addresses: nodes.map(({ server }) => server.address),
    async moveSlot(slot, from, to) {
      const [source, target] = [nodes[from]?.server, nodes[to]?.server] as [RedisServer, RedisServer];
      await target.command('cluster', 'setslot', slot, 'importing', ids[from] as string);
      await source.command('cluster', 'setslot', slot, 'migrating', ids[to] as string);
      await moveKeys(source, target, slot);
      await target.command('cluster', 'setslot', slot, 'node', ids[to] as string);
      await source.command('cluster', 'setslot', slot, 'node', ids[to] as string);
    },
    async stop() {
      await Promise.all(nodes.map(({ server }) => server.stop()));
    },
  };
}

interface ClusterNode {
  readonly server: RedisServer;
  readonly busPort: number;
}

async function startNode(extra: readonly string[], tls: StartRedisOptions['tls']): Promise<ClusterNode> {
  const busPort = await freePort();
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '1000'];
  args.push('--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0', ...extra);
  if (tls !== undefined) args.push('--tls-cluster', 'yes', '--tls-replication', 'yes');
  return { server: await startRedis({ args, tls }), busPort };
}

async function isWhole(server: RedisServer, nodes: number, replicas: number): Promise<boolean> {
  const info = String(await server.command('cluster', 'info'));
  const table = String(await server.command('cluster', 'nodes'));
  const known = new RegExp(`cluster_known_nodes:${nodes}\\b`);
  return info.includes('cluster_state:ok') && known.test(info) && table.split('slave').length - 1 === replicas;
}

async function moveKeys(source: RedisServer, target: RedisServer, slot: number): Promise<void> {
  const client = source.connect();
  try {
    for (;;) {
      const keys = (await client.callBuffer('cluster', ['getkeysinslot', slot, 10])) as Buffer[];
      if (keys.length === 0) return;
      await client.call('migrate', ['127.0.0.1', target.port, '', 0, 5000, 'KEYS', ...keys]);
    }
  } finally {
    client.disconnect();
  }
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  await vi.waitUntil(() => holds().catch(() => false), { timeout: 30_000, interval: 50 });
}

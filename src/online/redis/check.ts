/** Whether Redis answers, takes writes and keeps what it is given; what is wrong is said once for each server. */
import { Cluster, type Redis } from 'ioredis';
import { FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import { asBuffer } from './commands.ts';
import type { RedisClient } from './connection.ts';
import { replyCode } from './errors.ts';
import { findMasters } from './masters.ts';

/** Writes and removes at once: it leaves nothing, and fails where a write would. */
const probe = `redis.call('SET', KEYS[1], '') redis.call('DEL', KEYS[1]) return 1`;

export interface CheckRedisOptions {
  readonly name: string;
  readonly project: string;
  readonly logger: Logger;
  /** Warnings given already. */
  readonly warned: Set<string>;
}

export async function checkRedis(client: RedisClient, options: CheckRedisOptions): Promise<void> {
  const masters = await findMasters(client);
  await Promise.all(masters.map((node) => checkNode(node, client instanceof Cluster, options)));
  if (client instanceof Cluster) await checkCoverage(client, options.name);
  const key = Buffer.concat([Buffer.from(options.project), Buffer.of(0, 1), Buffer.from('check')]);
  await client.callBuffer('eval', [probe, 1, asBuffer(key)]);
}

async function checkNode(node: Redis, inCluster: boolean, options: CheckRedisOptions): Promise<void> {
  await node.ping();
  const info = await readInfo(node);
  const { name, logger, warned } = options;
  if (!inCluster && info.get('cluster_enabled') === '1') {
    const message = `${name} is a node of a Cluster: name it as redis({ cluster: ["HOST:PORT", …] })`;
    throw new FeatureStoreError('UNAVAILABLE', message, { details: { reason: 'cluster' } });
  }
  if (info.get('role') === 'slave') {
    const message = `${name} is a replica and takes no writes: name its master, or use Sentinel or Cluster`;
    throw new FeatureStoreError('UNAVAILABLE', message, { details: { reply: 'READONLY' } });
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  const server = `${node.options.host ?? node.options.path}:${node.options.port ?? ''} ${policy}`;
  if (policy === 'noeviction' || warned.has(server)) return;
  warned.add(server);
  logger.warn(
    { store: name, maxmemoryPolicy: policy },
    `${name} evicts keys when its memory is full (maxmemory-policy ${policy}): rows would vanish while watermarks stay; set noeviction`,
  );
}

/** Fields of INFO; none where the user may not ask. */
async function readInfo(node: Redis): Promise<ReadonlyMap<string, string>> {
  const text = await node.info().catch((error: unknown) => {
    if (replyCode(error) === 'NOPERM') return '';
    throw error;
  });
  return new Map(text.split('\r\n').map((line) => [line.split(':', 1)[0] ?? '', line.slice(line.indexOf(':') + 1)] as const));
}

async function checkCoverage(cluster: Cluster, name: string): Promise<void> {
  const info = (await cluster.cluster('INFO')) as string;
  if (info.includes('cluster_state:ok')) return;
  const message = `${name} has slots that no node serves; it answers when the Cluster is whole again`;
  throw new FeatureStoreError('UNAVAILABLE', message, { details: { reply: 'CLUSTERDOWN' } });
}

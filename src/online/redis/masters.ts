/** The servers that take writes: the one there is, or a Cluster's masters as its nodes say now. */
import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './connection.ts';

export async function findMasters(client: RedisClient): Promise<Redis[]> {
  if (!(client instanceof Cluster)) return [client];
  await new Promise<void>((resolve, reject) => client.refreshSlotsCache((error) => (error ? reject(error) : resolve())));
  return client.nodes('master');
}

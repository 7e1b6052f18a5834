/** Sends commands of which each touches keys of one slot: to one server as they are, to a Cluster as one pipeline a node. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './connection.ts';
import { replyCode } from './errors.ts';
import { slotOfKey } from './slot.ts';

export interface RedisCommand {
  readonly name: 'mget' | 'evalsha' | 'eval';
  /** One of its keys, which says where it goes. */
  readonly key: Buffer;
  readonly args: (string | number | Buffer)[];
}

/** Bytes as a Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What keys of one command share: their slot in a Cluster, nothing on one server. */
export function groupOfKey(client: RedisClient, key: Uint8Array): number {
  return client instanceof Cluster ? slotOfKey(key) : 0;
}

/** The replies in the commands' order, an error as an Error in its place; all are on their way before the first reply. */
export async function sendCommands(client: RedisClient, commands: readonly RedisCommand[]): Promise<unknown[]> {
  if (!(client instanceof Cluster) || commands.length === 1) {
    return await Promise.all(commands.map((command) => sendAlone(client, command)));
  }
  const replies = new Array<unknown>(commands.length);
  await Promise.all(groupByNode(client, commands).map((positions) => sendPipeline(client, commands, positions, replies)));
  return replies;
}

async function sendAlone(client: RedisClient, { name, args }: RedisCommand): Promise<unknown> {
  try {
    return await client.callBuffer(name, args);
  } catch (error) {
    return error;
  }
}

function groupByNode(cluster: Cluster, commands: readonly RedisCommand[]): number[][] {
  const groups = new Map<number | undefined, number[]>();
  for (const [position, { key }] of commands.entries()) {
    const node = cluster._groupsBySlot[slotOfKey(key)];
    const group = groups.get(node);
    if (group === undefined) groups.set(node, [position]);
    else group.push(position);
  }
  return [...groups.values()];
}

/** What a node says belongs elsewhere, and so has not done, is sent again alone: then ioredis follows the redirection. */
async function sendPipeline(
  cluster: Cluster,
  commands: readonly RedisCommand[],
  positions: readonly number[],
  replies: unknown[],
): Promise<void> {
  const pipeline = cluster.pipeline();
  for (const position of positions) {
    const { name, args } = commands[position] as RedisCommand;
    pipeline.callBuffer(name, args);
  }
  const answers = await pipeline.exec().catch((error: unknown) => positions.map(() => [error, undefined] as const));
  const redirected: number[] = [];
  for (const [index, position] of positions.entries()) {
    const [error, reply] = answers?.[index] ?? [new Error('the pipeline was discarded'), undefined];
    replies[position] = error ?? reply;
    if (isRedirection(error)) redirected.push(position);
  }
  await Promise.all(
    redirected.map(async (position) => {
      replies[position] = await sendAlone(cluster, commands[position] as RedisCommand);
    }),
  );
}

const redirections: ReadonlySet<string | undefined> = new Set(['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN']);

function isRedirection(error: unknown): boolean {
  return error instanceof Error && redirections.has(replyCode(error));
}

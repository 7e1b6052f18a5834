/** Sends commands of which each touches keys of one slot: to one server as they are, to a Cluster as one pipeline a node. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './connection.ts';
import { replyCode } from './errors.ts';
import { PackedCommand } from './packed-command.ts';
import { slotOfKey } from './slot.ts';

export interface RedisCommand {
  readonly name: 'mget' | 'msetnx' | 'evalsha' | 'eval';
  /** One of its keys, which says where it goes. */
  readonly key: Buffer;
  readonly args: (string | Buffer)[];
}

/** Bytes as a Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What keys of one command share: their slot in a Cluster, nothing on one server. */
export function groupOfKey(client: RedisClient, key: Uint8Array): number {
  return client instanceof Cluster ? slotOfKey(key) : 0;
}

/** The replies in the commands' order, an error as an Error in its place; all are on their way when this returns. */
export function sendCommands(client: RedisClient, commands: readonly RedisCommand[]): Promise<unknown>[] {
  if (!(client instanceof Cluster) || commands.length === 1) return commands.map((command) => sendAlone(client, command));
  const replies = new Array<Promise<unknown>>(commands.length);
  for (const positions of groupByNode(client, commands)) {
    const answers = sendPipeline(
      client,
      positions.map((position) => commands[position] as RedisCommand),
    );
    for (const [at, position] of positions.entries()) replies[position] = answers.then((each) => each[at]);
  }
  return replies;
}

async function sendAlone(client: RedisClient, { name, args }: RedisCommand): Promise<unknown> {
  try {
    return await client.sendCommand(new PackedCommand(name, args));
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
async function sendPipeline(cluster: Cluster, commands: readonly RedisCommand[]): Promise<unknown[]> {
  const pipeline = cluster.pipeline();
  for (const { name, args } of commands) pipeline.callBuffer(name, args);
  const answers = await pipeline.exec().catch((error: unknown) => commands.map(() => [error, undefined] as const));
  return await Promise.all(
    commands.map((command, at) => {
      const [error, reply] = answers?.[at] ?? [new Error('the pipeline was discarded'), undefined];
      return isRedirection(error) ? sendAlone(cluster, command) : (error ?? reply);
    }),
  );
}

const redirections: ReadonlySet<string | undefined> = new Set(['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN']);

function isRedirection(error: unknown): boolean {
  return error instanceof Error && redirections.has(replyCode(error));
}

/** Every key that begins with some bytes, on every master. */
import { Cluster, type Redis } from 'ioredis';
import { asBuffer } from './commands.ts';
import type { RedisClient } from './connection.ts';
import { findMasters } from './masters.ts';

/** Asks one question of Redis within a deadline. */
export type AskRedis = <T>(ask: () => Promise<T>) => Promise<T>;

const keysPerCall = 1000;

export async function* scanKeys(client: RedisClient, prefix: Uint8Array, ask: AskRedis): AsyncGenerator<readonly Uint8Array[]> {
  const pattern = matchPrefix(prefix);
  const masters = await ask(() => findMasters(client));
  const before = client instanceof Cluster ? await readLayout(masters, ask) : undefined;
  yield* scanNodes(masters, pattern, ask);
  if (before === undefined) return;
  const mastersNow = await ask(() => findMasters(client));
  const after = await readLayout(mastersNow, ask);
  if (!after.moving && before.text === after.text) return;
  // Slots moved meanwhile: a key may have gone from a node not yet seen to one seen before. A second round finds it there.
  yield* scanNodes(mastersNow, pattern, ask);
}

async function* scanNodes(nodes: readonly Redis[], pattern: Buffer, ask: AskRedis): AsyncGenerator<readonly Uint8Array[]> {
  for (const node of nodes) yield* scanNode(node, pattern, ask);
}

async function* scanNode(node: Redis, pattern: Buffer, ask: AskRedis): AsyncGenerator<readonly Uint8Array[]> {
  let cursor = '0';
  do {
    const args = [cursor, 'MATCH', pattern, 'COUNT', keysPerCall];
    const [next, keys] = (await ask(() => node.callBuffer('scan', args))) as [Buffer, Buffer[]];
    cursor = next.toString();
    if (keys.length > 0) yield keys;
  } while (cursor !== '0');
}

/** Which master has which slots, and whether any is on its way, as the masters themselves say. */
async function readLayout(masters: readonly Redis[], ask: AskRedis): Promise<{ text: string; moving: boolean }> {
  const tables = await ask(() => Promise.all(masters.map((node) => node.cluster('NODES') as Promise<string>)));
  const own = tables.map((table) => table.split('\n').find((line) => line.includes('myself')) ?? '');
  const slots = own.map((line) => [line.split(' ', 1)[0], ...line.split(' ').slice(8)].join(' '));
  return { text: slots.sort().join('\n'), moving: slots.some((line) => line.includes('[')) };
}

/** The prefix as a glob that means just itself. */
function matchPrefix(prefix: Uint8Array): Buffer {
  const special = new Set(Buffer.from('*?[]\\^-'));
  const escaped = [...asBuffer(prefix)].flatMap((byte) => (special.has(byte) ? [0x5c, byte] : [byte]));
  return Buffer.from([...escaped, 0x2a]);
}

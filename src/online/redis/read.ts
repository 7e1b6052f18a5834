/** Many values in one round trip: MGET, on one server in pieces that never block it for long, in a Cluster slot by slot, at once. */
import { asBuffer, groupOfKey, type RedisCommand, sendCommands } from './commands.ts';
import type { RedisClient } from './connection.ts';

const mostKeys = 1000;

export async function readValues(client: RedisClient, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
  const commands: RedisCommand[] = [];
  const wanted: number[][] = [];
  const open = new Map<number, number>();
  for (const [position, bytes] of keys.entries()) {
    const key = asBuffer(bytes);
    const group = groupOfKey(client, key);
    let at = open.get(group);
    if (at === undefined || wanted[at]?.length === mostKeys) {
      at = commands.push({ name: 'mget', key, args: [] }) - 1;
      wanted.push([]);
      open.set(group, at);
    }
    commands[at]?.args.push(key);
    wanted[at]?.push(position);
  }
  const values = new Array<Uint8Array | undefined>(keys.length);
  for (const [at, reply] of (await sendCommands(client, commands)).entries()) {
    if (reply instanceof Error) throw reply;
    for (const [index, position] of (wanted[at] ?? []).entries()) {
      values[position] = (reply as (Buffer | null)[])[index] ?? undefined;
    }
  }
  return values;
}

/**
 * Many values in one round trip, whoever asks: what is asked in one turn of the event loop goes out together, as MGETs that on one server
 * never block it for long, in a Cluster slot by slot, at once. Each who asked gets its own values, or the error of its own keys.
 */
import { asBuffer, groupOfKey, type RedisCommand, sendCommands } from './commands.ts';
import type { RedisClient } from './connection.ts';

export type ReadValues = (keys: readonly Uint8Array[]) => Promise<(Uint8Array | undefined)[]>;

const mostKeys = 1000;

interface Asked {
  readonly keys: readonly Uint8Array[];
  readonly resolve: (values: Promise<(Uint8Array | undefined)[]>) => void;
}

export function createReader(client: RedisClient): ReadValues {
  let batch: Asked[] = [];
  let keysInBatch = 0;

  function send(): void {
    const asked = batch;
    batch = [];
    keysInBatch = 0;
    sendBatch(client, asked);
  }

  return (keys) =>
    new Promise((resolve) => {
      // Runs when all that the sockets brought in this turn has been taken in: nobody waits for another.
      if (batch.length === 0) setImmediate(send);
      batch.push({ keys, resolve });
      keysInBatch += keys.length;
      if (keysInBatch >= mostKeys) send();
    });
}

function sendBatch(client: RedisClient, batch: readonly Asked[]): void {
  const commands: RedisCommand[] = [];
  const open = new Map<number, number>();

  /** Where a key's value will stand: the command, and the place in its reply. */
  function place(bytes: Uint8Array): number {
    const key = asBuffer(bytes);
    const group = groupOfKey(client, key);
    let at = open.get(group);
    if (at === undefined || commands[at]?.args.length === mostKeys) {
      at = commands.push({ name: 'mget', key, args: [] }) - 1;
      open.set(group, at);
    }
    return at * mostKeys + (commands[at] as RedisCommand).args.push(key) - 1;
  }

  const places = batch.map(({ keys }) => keys.map(place));
  const replies = sendCommands(client, commands);
  for (const [at, { resolve }] of batch.entries()) resolve(pickValues(places[at] as number[], replies));
}

async function pickValues(places: readonly number[], replies: readonly Promise<unknown>[]): Promise<(Uint8Array | undefined)[]> {
  const values = new Array<Uint8Array | undefined>(places.length);
  let command = -1;
  let reply: unknown;
  for (const [at, place] of places.entries()) {
    const wanted = Math.floor(place / mostKeys);
    if (wanted !== command) {
      command = wanted;
      reply = await replies[command];
      if (reply instanceof Error) throw reply;
    }
    values[at] = (reply as (Buffer | null)[])[place % mostKeys] ?? undefined;
  }
  return values;
}

/** Compare-and-set of many values by a script: each key by itself, a batch at a time, so that nobody else waits for long. */
import { createHash } from 'node:crypto';
import type { Replacement } from '../store.ts';
import { asBuffer, groupOfKey, type RedisCommand, sendCommands } from './commands.ts';
import type { RedisClient } from './connection.ts';
import { replyCode } from './errors.ts';

/**
 * ARGV[1] is the replacements one after another: a byte, 1 where something is expected and 2 where something is to stand there, then the
 * key, what is expected and what is to stand there, each behind its length in 4 bytes. Answers which of them lost.
 */
const script = `
local data, at, n = ARGV[1], 1, 0
local keys, expected, values = {}, {}, {}
while at <= #data do
  local kind, key, old, new
  kind, key, old, new, at = struct.unpack('<BI4c0I4c0I4c0', data, at)
  n = n + 1
  keys[n], expected[n], values[n] = key, kind % 2 == 1 and old, kind >= 2 and new
end
local present = redis.call('MGET', unpack(keys))
local now, lost = {}, {}
for i = 1, n do now[keys[i]] = present[i] end
for i = 1, n do
  local key, value = keys[i], values[i]
  if now[key] ~= expected[i] then
    lost[#lost + 1] = i
  else
    if value then redis.call('SET', key, value)
    elseif now[key] then redis.call('DEL', key) end
    now[key] = value
  end
end
return lost`;

const sha = createHash('sha1').update(script).digest('hex');

const mostKeys = 256;
const mostBytes = 512 * 1024;
/** Batches on their way at once. */
const mostCommands = 64;

/** Runs one round of batches within a deadline. */
export type RunRound = (ask: () => Promise<void>) => Promise<void>;

interface Batch {
  readonly positions: number[];
  bytes: number;
  /** Whether nothing is expected at any of the keys, and something is to stand at each. */
  readonly isNew: boolean;
}

/** Positions of the replacements that found something else than they expected. */
export async function replaceValues(client: RedisClient, replacements: readonly Replacement[], run: RunRound): Promise<number[]> {
  const lost: number[] = [];
  const batches = planBatches(client, replacements);
  for (let start = 0; start < batches.length; start += mostCommands) {
    const round = batches.slice(start, start + mostCommands);
    await run(async () => {
      const open = await createValues(client, round, replacements);
      for (const [index, reply] of (await sendScripts(client, open, replacements)).entries()) {
        for (const at of reply) lost.push(open[index]?.positions[at - 1] as number);
      }
    });
  }
  return lost.sort((a, b) => a - b);
}

/** What one command takes: few keys, few bytes, and of one slot in a Cluster. */
function planBatches(client: RedisClient, replacements: readonly Replacement[]): Batch[] {
  const open = new Map<number, Batch>();
  const batches: Batch[] = [];
  for (const [position, { key, expected, value }] of replacements.entries()) {
    const isNew = expected === undefined && value !== undefined;
    const group = 2 * groupOfKey(client, key) + Number(isNew);
    const bytes = key.length + (expected?.length ?? 0) + (value?.length ?? 0);
    let batch = open.get(group);
    if (batch === undefined || batch.positions.length === mostKeys || batch.bytes + bytes > mostBytes) {
      batch = { positions: [], bytes: 0, isNew };
      batches.push(batch);
      open.set(group, batch);
    }
    batch.positions.push(position);
    batch.bytes += bytes;
  }
  return batches;
}

/** Sets those that are new, all of a batch where there is none of its keys yet and otherwise none; the batches that are left. */
async function createValues(
  client: RedisClient,
  batches: readonly Batch[],
  replacements: readonly Replacement[],
): Promise<Batch[]> {
  const fresh = batches.filter(({ isNew }) => isNew);
  const replies = await Promise.all(
    sendCommands(
      client,
      fresh.map(({ positions }): RedisCommand => {
        const args = positions.flatMap((position) => {
          const { key, value } = replacements[position] as Replacement;
          return [asBuffer(key), asBuffer(value as Uint8Array)];
        });
        return { name: 'msetnx', key: args[0] as Buffer, args };
      }),
    ),
  );
  throwFirst(replies);
  const done = new Set(fresh.filter((_, index) => replies[index] === 1));
  return batches.filter((batch) => !done.has(batch));
}

async function sendScripts(
  client: RedisClient,
  batches: readonly Batch[],
  replacements: readonly Replacement[],
): Promise<number[][]> {
  const calls = batches.map(({ positions }) => encodeCall(positions, replacements));
  const replies = await Promise.all(sendCommands(client, calls));
  const unknown = [...replies.keys()].filter((index) => replyCode(replies[index]) === 'NOSCRIPT');
  // A server that was restarted, or a node that is new, does not know the script yet: it has run nothing.
  const again = unknown.map((index): RedisCommand => {
    const call = calls[index] as RedisCommand;
    return { ...call, name: 'eval', args: [script, ...call.args.slice(1)] };
  });
  for (const [at, reply] of (await Promise.all(sendCommands(client, again))).entries()) replies[unknown[at] as number] = reply;
  throwFirst(replies);
  return replies as number[][];
}

function throwFirst(replies: readonly unknown[]): void {
  const failed = replies.find((reply) => reply instanceof Error);
  if (failed !== undefined) throw failed;
}

const nothing = Buffer.alloc(0);

function encodeCall(positions: readonly number[], replacements: readonly Replacement[]): RedisCommand {
  const packed = positions.flatMap((position) => {
    const { key, expected, value } = replacements[position] as Replacement;
    const kind = (expected === undefined ? 0 : 1) + (value === undefined ? 0 : 2);
    return [Buffer.of(kind), key, expected ?? nothing, value ?? nothing];
  });
  const bytes = Buffer.allocUnsafe(packed.reduce((sum, part) => sum + part.length, 12 * positions.length));
  let at = 0;
  for (const [index, part] of packed.entries()) {
    if (index % 4 > 0) at = bytes.writeUInt32LE(part.length, at);
    bytes.set(part, at);
    at += part.length;
  }
  const key = asBuffer((replacements[positions[0] as number] as Replacement).key);
  return { name: 'evalsha', key, args: [sha, '1', key, bytes] };
}

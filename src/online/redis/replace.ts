/**
 * Compare-and-set of many values by a script: each key by itself, with what changes beside it, a batch at a time, so that nobody else waits
 * for long.
 */
import { createHash } from 'node:crypto';
import type { Replacement } from '../store.ts';
import { asBuffer, groupOfKey, type RedisCommand, sendCommands } from './commands.ts';
import type { RedisClient } from './connection.ts';
import { replyCode } from './errors.ts';

/**
 * ARGV[1] is the replacements one after another: a byte, 1 where something is expected and 2 where something is to stand there, then the
 * key, what is expected and what is to stand there, each behind its length in 4 bytes. What has 4 in its byte stands beside the one before.
 * Answers which of them lost. Nothing may fail once something is written: what stands beside is written before what names it, and all keys
 * are named to a Cluster where there is any such, which looks at them first.
 */
const script = `
local data, at, n = ARGV[1], 1, 0
local keys, expected, values, beside = {}, {}, {}, {}
while at <= #data do
  local kind, key, old, new
  kind, key, old, new, at = struct.unpack('<BI4c0I4c0I4c0', data, at)
  local value = kind % 4 >= 2 and new
  if kind >= 4 then
    beside[n] = beside[n] or {}
    table.insert(beside[n], {key, value})
  else
    n = n + 1
    keys[n], expected[n], values[n] = key, kind % 2 == 1 and old, value
  end
end
local present = redis.call('MGET', unpack(keys))
local now, lost = {}, {}
for i = 1, n do now[keys[i]] = present[i] end
for i = 1, n do
  local key, value = keys[i], values[i]
  if now[key] ~= expected[i] then
    lost[#lost + 1] = i
  else
    for _, other in ipairs(beside[i] or {}) do
      if other[2] then redis.call('SET', other[1], other[2]) else redis.call('DEL', other[1]) end
    end
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
  /** Whether nothing is expected at any of the keys, and something is to stand at each, with nothing beside it. */
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
  for (const [position, { key, expected, value, beside = [] }] of replacements.entries()) {
    const isNew = expected === undefined && value !== undefined && beside.length === 0;
    const group = 2 * groupOfKey(client, key) + Number(isNew);
    const bytes = [{ key, value }, ...beside].reduce(
      (sum, one) => sum + one.key.length + (one.value?.length ?? 0),
      expected?.length ?? 0,
    );
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
  const packed: Uint8Array[] = [];
  const others: Buffer[] = [];
  for (const position of positions) {
    const { key, expected, value, beside = [] } = replacements[position] as Replacement;
    const kind = (expected === undefined ? 0 : 1) + (value === undefined ? 0 : 2);
    packed.push(Buffer.of(kind), key, expected ?? nothing, value ?? nothing);
    for (const other of beside) {
      packed.push(Buffer.of(other.value === undefined ? 4 : 6), other.key, nothing, other.value ?? nothing);
      others.push(asBuffer(other.key));
    }
  }
  const bytes = Buffer.allocUnsafe(packed.reduce((sum, part) => sum + part.length, 3 * packed.length));
  let at = 0;
  for (const [index, part] of packed.entries()) {
    if (index % 4 > 0) at = bytes.writeUInt32LE(part.length, at);
    bytes.set(part, at);
    at += part.length;
  }
  const own = others.length === 0 ? positions.slice(0, 1) : positions;
  const keys = own.map((position) => asBuffer((replacements[position] as Replacement).key));
  const named = [...keys, ...others];
  return { name: 'evalsha', key: keys[0] as Buffer, args: [sha, String(named.length), ...named, bytes] };
}

/** Compare-and-set of many values by a script: each key by itself, a batch at a time, so that nobody else waits for long. */
import { createHash } from 'node:crypto';
import type { Replacement } from '../store.ts';
import { asBuffer, groupOfKey, type RedisCommand, sendCommands } from './commands.ts';
import type { RedisClient } from './connection.ts';
import { replyCode } from './errors.ts';

/** ARGV[1] has a digit a key: 1 where something is expected, and 2 where something is to stand there. Answers which keys lost. */
const script = `
local lost = {}
for i = 1, #KEYS do
  local kind = string.byte(ARGV[1], i) - 48
  local present = redis.call('GET', KEYS[i])
  if present == ((kind % 2 == 1) and ARGV[2 * i]) then
    if kind >= 2 then redis.call('SET', KEYS[i], ARGV[2 * i + 1])
    elseif present then redis.call('DEL', KEYS[i]) end
  else
    lost[#lost + 1] = i
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

/** Positions of the replacements that found something else than they expected. */
export async function replaceValues(client: RedisClient, replacements: readonly Replacement[], run: RunRound): Promise<number[]> {
  const lost: number[] = [];
  const batches = planBatches(client, replacements);
  for (let start = 0; start < batches.length; start += mostCommands) {
    const round = batches.slice(start, start + mostCommands);
    await run(async () => {
      for (const [index, reply] of (await sendScripts(client, round, replacements)).entries()) {
        for (const at of reply) lost.push(round[index]?.[at - 1] as number);
      }
    });
  }
  return lost.sort((a, b) => a - b);
}

/** Positions that one run of the script takes: few keys, few bytes, and of one slot in a Cluster. */
function planBatches(client: RedisClient, replacements: readonly Replacement[]): number[][] {
  const open = new Map<number, { positions: number[]; bytes: number }>();
  const batches: number[][] = [];
  for (const [position, { key, expected, value }] of replacements.entries()) {
    const group = groupOfKey(client, key);
    const bytes = key.length + (expected?.length ?? 0) + (value?.length ?? 0);
    let batch = open.get(group);
    if (batch === undefined || batch.positions.length === mostKeys || batch.bytes + bytes > mostBytes) {
      batch = { positions: [], bytes: 0 };
      batches.push(batch.positions);
      open.set(group, batch);
    }
    batch.positions.push(position);
    batch.bytes += bytes;
  }
  return batches;
}

async function sendScripts(
  client: RedisClient,
  batches: readonly (readonly number[])[],
  replacements: readonly Replacement[],
): Promise<number[][]> {
  const calls = batches.map((positions) => encodeCall(positions, replacements));
  const replies = await Promise.all(sendCommands(client, calls));
  const unknown = [...replies.keys()].filter((index) => replyCode(replies[index]) === 'NOSCRIPT');
  // A server that was restarted, or a node that is new, does not know the script yet: it has run nothing.
  const again = unknown.map((index): RedisCommand => {
    const call = calls[index] as RedisCommand;
    return { ...call, name: 'eval', args: [script, ...call.args.slice(1)] };
  });
  for (const [at, reply] of (await Promise.all(sendCommands(client, again))).entries()) replies[unknown[at] as number] = reply;
  const failed = replies.find((reply) => reply instanceof Error);
  if (failed !== undefined) throw failed;
  return replies as number[][];
}

const nothing = Buffer.alloc(0);

function encodeCall(positions: readonly number[], replacements: readonly Replacement[]): RedisCommand {
  const keys: Buffer[] = [];
  const values: Buffer[] = [];
  let kinds = '';
  for (const position of positions) {
    const { key, expected, value } = replacements[position] as Replacement;
    keys.push(asBuffer(key));
    values.push(expected === undefined ? nothing : asBuffer(expected), value === undefined ? nothing : asBuffer(value));
    kinds += (expected === undefined ? 0 : 1) + (value === undefined ? 0 : 2);
  }
  return { name: 'evalsha', key: keys[0] as Buffer, args: [sha, keys.length, ...keys, kinds, ...values] };
}

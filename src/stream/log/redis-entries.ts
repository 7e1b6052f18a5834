/**
 * What one look at a stream of Redis finds. An entry's id `ms-seq` is the offset `ms << 64 | seq`. An entry with one field, named
 * `value`, holds an event in the source's format; the fields of any other are the event's columns, as text, and become a JSON object.
 */
import { isUtf8 } from 'node:buffer';
import { FeatureStoreError } from '../../errors.ts';
import type { RedisConnection } from '../../online/redis/connection.ts';
import type { LogRange, LogRecord } from './log.ts';
import { pause } from './repeat.ts';

export interface StreamLook {
  readonly range: LogRange;
  /** Entries that there are, and that there ever were (undefined before Redis 7). */
  readonly length: number;
  readonly added: number | undefined;
  readonly records: readonly LogRecord[];
}

export interface LookBounds {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** What a log reads at once, and nothing of it. */
export const usualBounds: LookBounds = { maxRecords: 1000, maxBytes: 8 * 2 ** 20 };
export const noRecords: LookBounds = { maxRecords: 0, maxBytes: 0 };

/** All in one, so that what is trimmed meanwhile is either in the records or known to be missing. */
const script = `
local kind = redis.call('TYPE', KEYS[1])
kind = kind['ok'] or kind
if kind ~= 'stream' then return {kind} end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local facts = {}
for at = 1, #info, 2 do facts[info[at]] = info[at + 1] end
local entries, bytes, from = {}, 0, ARGV[1]
while #entries < tonumber(ARGV[2]) and bytes < tonumber(ARGV[3]) do
  local part = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 16)
  for _, entry in ipairs(part) do
    entries[#entries + 1] = entry
    for _, text in ipairs(entry[2]) do bytes = bytes + #text end
  end
  if #part < 16 then break end
  from = '(' .. part[#part][1]
end
local first = facts['first-entry']
return {kind, facts['last-generated-id'], first and first[1] or false, facts['length'], facts['entries-added'] or -1, entries}`;

/** FAILED_PRECONDITION where the key holds something else than a stream; one that holds nothing is a stream without entries. */
export async function lookAtStream(
  connection: RedisConnection,
  key: string,
  from: bigint,
  bounds: LookBounds,
  signal?: AbortSignal,
): Promise<StreamLook> {
  const ask = () => connection.client.callBuffer('eval', [script, 1, key, formatId(from), bounds.maxRecords, bounds.maxBytes]);
  const reply = (await connection.run(ask, { repeatable: true, signal })) as Reply;
  const [kind, last, first, length, added, entries] = reply;
  if (kind.toString() === 'none') return { range: { first: 0n, end: 0n }, length: 0, added: 0, records: [] };
  if (last === undefined) {
    throw new FeatureStoreError('FAILED_PRECONDITION', `key "${key}" of ${connection.name} holds a ${kind}, and no stream`, {
      details: { key },
    });
  }
  const lastOffset = parseId(last);
  const end = lastOffset === 0n ? 0n : lastOffset + 1n;
  return {
    range: { first: first ? parseId(first) : end, end },
    length: length ?? 0,
    added: added === undefined || added < 0 ? undefined : added,
    records: (entries ?? []).map(([id, fields]) => ({ offset: parseId(id), value: eventOf(fields) })),
  };
}

/** Resolves when the stream has something at or after an offset, or after a time; also when Redis breaks the waiting off. */
export async function awaitEntry(
  connection: RedisConnection,
  key: string,
  from: bigint,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const after = formatId(from === 0n ? 0n : from - 1n);
  const ask = () => connection.client.callBuffer('xread', ['COUNT', 1, 'BLOCK', milliseconds, 'STREAMS', key, after]);
  await connection.run(ask, { repeatable: true, signal }).catch(async (error: unknown) => {
    if (!(error instanceof FeatureStoreError) || error.code !== 'INTERNAL') throw error;
    await pause(brokenOffMs, signal);
  });
}

const brokenOffMs = 100;

type Reply = readonly [
  kind: Buffer,
  last?: Buffer,
  first?: Buffer | null,
  length?: number,
  added?: number,
  entries?: readonly (readonly [id: Buffer, fields: readonly Buffer[]])[],
];

const maxSeq = (1n << 64n) - 1n;

function formatId(offset: bigint): string {
  return `${offset >> 64n}-${offset & maxSeq}`;
}

function parseId(id: Buffer): bigint {
  const [ms, seq] = id.toString().split('-') as [string, string];
  return (BigInt(ms) << 64n) | BigInt(seq);
}

function eventOf(fields: readonly Buffer[]): Uint8Array {
  const [name, value] = fields;
  if (fields.length === 2 && name?.toString() === 'value') return value as Buffer;
  const parts: Buffer[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    parts.push(
      Buffer.from(at === 0 ? '{' : ','),
      jsonText(fields[at] as Buffer),
      Buffer.from(':'),
      jsonText(fields[at + 1] as Buffer),
    );
  }
  return Buffer.concat([...parts, Buffer.from('}')]);
}

/** Bytes that are no text stay what they are, and whoever decodes them says so. */
function jsonText(text: Buffer): Buffer {
  return isUtf8(text) ? Buffer.from(JSON.stringify(text.toString())) : Buffer.concat([Buffer.from('"'), text, Buffer.from('"')]);
}

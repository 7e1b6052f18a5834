/**
 * All erasures of a project, in as many records as a byte has values: who reads by them (the archive) need not look through the store,
 * and who changes one rewrites little. The record of kind `erasure` named by the first byte of the sha256 of an entity's key holds
 * {"KEY in base64url": {"at": "microseconds since the epoch", "finished": whether everything was removed, "removed": {"SOURCE": rows of its
 * archive}, "times": {"SOURCE": [the least and the greatest event time of these, in microseconds]}}}.
 */
import { createHash } from 'node:crypto';
import { joinTimes, type TimesUs } from '../../definitions/times-us.ts';
import { asBuffer } from '../encoding/bytes.ts';
import { type DecodedKey, decodeEntityKey } from '../encoding/decode-key.ts';
import { encodeRecordKey } from '../encoding/keys.ts';
import { createOnlineRecords } from '../records.ts';
import type { OnlineStore } from '../store.ts';

export interface Erasure extends DecodedKey {
  readonly atUs: bigint;
  /** False while it is under way, and where the process that did it died: erasing again ends it. */
  readonly isFinished: boolean;
  /** Rows that went from archives, by source; those without any left out. */
  readonly removed: Readonly<Record<string, RemovedRows>>;
}

export interface RemovedRows {
  readonly rows: number;
  /** Their least and greatest event time; undefined where it is not known. */
  readonly timesUs?: TimesUs;
}

export interface ErasureIndex {
  /** Notes an erasure that begins; one that is there keeps its instant, which is given. */
  begin(key: Uint8Array, atUs: bigint, signal?: AbortSignal): Promise<bigint>;
  /** `removed`: rows that went from archives this time, by source. */
  finish(key: Uint8Array, removed: Erasure['removed'], signal?: AbortSignal): Promise<void>;
  /** Gives its instant; undefined where it was not there. */
  remove(key: Uint8Array, signal?: AbortSignal): Promise<bigint | undefined>;
  /** All erasures, those of equal records the very same values. */
  read(signal?: AbortSignal): Promise<readonly Erasure[]>;
}

interface Entry {
  readonly at: string;
  readonly finished: boolean;
  readonly removed?: Readonly<Record<string, number>>;
  readonly times?: Readonly<Record<string, readonly string[]>>;
}
type Bucket = Readonly<Record<string, Entry>>;

const kind = 'erasure';

export function createErasureIndex(store: OnlineStore, project: string): ErasureIndex {
  const records = createOnlineRecords(store, project);
  const bucketKeys = Array.from({ length: 256 }, (_, byte) => encodeRecordKey(project, kind, nameOf(byte)));
  const known: { readonly bytes: Buffer; readonly erasures: readonly Erasure[] }[] = [];
  let all: readonly Erasure[] = [];

  const change = (key: Uint8Array, signal: AbortSignal | undefined, edit: (current: Entry | undefined) => Entry | undefined) => {
    const name = asBuffer(key).toString('base64url');
    const bucket = nameOf(createHash('sha256').update(key).digest()[0] as number);
    return records.update<Bucket>(
      kind,
      bucket,
      (current) => {
        const entry = edit(current?.[name]);
        if (entry === current?.[name]) return current;
        const { [name]: _, ...others } = current ?? {};
        if (entry !== undefined) return { ...others, [name]: entry };
        return Object.keys(others).length === 0 ? undefined : others;
      },
      signal,
    );
  };

  return {
    async begin(key, atUs, signal) {
      let begun = atUs;
      await change(key, signal, (current) => {
        begun = current === undefined ? atUs : BigInt(current.at);
        return { ...current, at: String(begun), finished: false };
      });
      return begun;
    },
    async finish(key, removed, signal) {
      await change(key, signal, (current) => current && { ...current, finished: true, ...add(current, removed) });
    },
    async remove(key, signal) {
      let atUs: bigint | undefined;
      await change(key, signal, (current) => {
        atUs = current && BigInt(current.at);
        return undefined;
      });
      return atUs;
    },
    async read(signal) {
      const values = await store.read(bucketKeys, signal);
      let isChanged = false;
      for (const [at, value] of values.entries()) {
        const bytes = value === undefined ? Buffer.alloc(0) : asBuffer(value);
        if (known[at]?.bytes.equals(bytes) === true) continue;
        known[at] = { bytes, erasures: decodeBucket(project, bytes) };
        isChanged = true;
      }
      if (isChanged) all = known.flatMap(({ erasures }) => erasures);
      return all;
    },
  };
}

function nameOf(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function add(current: Entry, more: Erasure['removed']): Pick<Entry, 'removed' | 'times'> {
  const known = removedOf(current);
  const names = [...new Set([...Object.keys(known), ...Object.keys(more)])];
  const sums = names.map((name) => [name, join(known[name], more[name])] as const).filter(([, { rows }]) => rows > 0);
  const times = sums.flatMap(([name, { timesUs }]) => (timesUs === undefined ? [] : [[name, timesUs.map(String)] as const]));
  return {
    removed: Object.fromEntries(sums.map(([name, { rows }]) => [name, rows])),
    times: times.length === 0 ? undefined : Object.fromEntries(times),
  };
}

/** Times that are not known of some are not known of all. */
function join(one: RemovedRows = { rows: 0 }, other: RemovedRows = { rows: 0 }): RemovedRows {
  if (one.rows === 0 || other.rows === 0) return one.rows === 0 ? other : one;
  const rows = one.rows + other.rows;
  if (one.timesUs === undefined || other.timesUs === undefined) return { rows };
  return { rows, timesUs: joinTimes(one.timesUs, other.timesUs) };
}

function removedOf({ removed = {}, times = {} }: Entry): Erasure['removed'] {
  const found = Object.entries(removed).map(([name, rows]) => {
    const [least, greatest] = times[name] ?? [];
    const isKnown = least !== undefined && greatest !== undefined;
    return [name, isKnown ? { rows, timesUs: [BigInt(least), BigInt(greatest)] as const } : { rows }] as const;
  });
  return Object.fromEntries(found);
}

function decodeBucket(project: string, bytes: Buffer): readonly Erasure[] {
  if (bytes.length === 0) return [];
  return Object.entries(JSON.parse(bytes.toString()) as Bucket).map(([key, entry]) => ({
    ...decodeEntityKey(project, Buffer.from(key, 'base64url')),
    atUs: BigInt(entry.at),
    isFinished: entry.finished,
    removed: removedOf(entry),
  }));
}

/** Small JSON records beside the rows (watermarks, leases, defaults, schemas), changed by compare-and-set. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FeatureStoreError } from '../errors.ts';
import { asBuffer } from './encoding/bytes.ts';
import { encodeRecordKey, recordPrefix } from './encoding/keys.ts';
import type { OnlineStore } from './store.ts';

/** A value of JSON; bigints are written by the caller as text. */
export type JsonRecord = unknown;

export interface OnlineRecords {
  /** The record of that name; undefined when there is none. */
  read(kind: string, name: string, signal?: AbortSignal): Promise<JsonRecord | undefined>;
  /** Records of one kind in the order of their names, in one round trip. */
  readMany(kind: string, names: readonly string[], signal?: AbortSignal): Promise<(JsonRecord | undefined)[]>;
  /**
   * Replaces the record by what `change` makes of it, and gives that. `change` is called again with the newer record where somebody
   * else changed it meanwhile; it may return the record that it got, then nothing is written, or undefined, which removes it.
   */
  update<T extends JsonRecord>(
    kind: string,
    name: string,
    change: (current: T | undefined) => T | undefined,
    signal?: AbortSignal,
  ): Promise<T | undefined>;
  /** Writes records of one kind by name, whatever stands there; undefined removes. Each is written by itself, all in few round trips. */
  writeMany(kind: string, written: ReadonlyMap<string, JsonRecord | undefined>, signal?: AbortSignal): Promise<void>;
  /** The names of all records of a kind, in no order. */
  list(kind: string, signal?: AbortSignal): Promise<string[]>;
}

/** How often a change is tried again; each time somebody else's change came through. */
export const maxAttempts = 200;

export function createOnlineRecords(store: OnlineStore, project: string): OnlineRecords {
  const readMany = async (kind: string, names: readonly string[], signal?: AbortSignal) => {
    const values = await store.read(
      names.map((name) => encodeRecordKey(project, kind, name)),
      signal,
    );
    return values.map((value, at) => (value === undefined ? undefined : parseRecord(value, kind, names[at] as string)));
  };
  return {
    read: async (kind, name, signal) => (await readMany(kind, [name], signal))[0],
    readMany,
    update: async (kind, name, change, signal) => {
      const key = encodeRecordKey(project, kind, name);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const [expected] = await store.read([key], signal);
        const current = expected === undefined ? undefined : parseRecord(expected, kind, name);
        const changed = change(current as Parameters<typeof change>[0]);
        if (changed === current) return changed;
        const value = changed === undefined ? undefined : Buffer.from(JSON.stringify(changed));
        const lost = await store.replace([{ key, expected, value }], signal);
        if (lost.length === 0) return changed;
        await waitAfter(attempt, signal);
      }
      throw contended(`record "${kind}/${name}"`);
    },
    writeMany: async (kind, written, signal) => {
      let left = [...written].map(([name, record]) => ({
        key: encodeRecordKey(project, kind, name),
        value: record === undefined ? undefined : Buffer.from(JSON.stringify(record)),
      }));
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        if (left.length === 0) return;
        const found = await store.read(
          left.map(({ key }) => key),
          signal,
        );
        const lost = await store.replace(
          left.map((record, at) => ({ ...record, expected: found[at] })),
          signal,
        );
        left = lost.map((at) => left[at] as (typeof left)[number]);
        if (left.length > 0) await waitAfter(attempt, signal);
      }
      throw contended(`records of kind "${kind}"`);
    },
    list: async (kind, signal) => {
      const prefix = recordPrefix(project, kind);
      const names = new Set<string>();
      for await (const keys of store.scan(prefix, signal)) {
        for (const key of keys) names.add(asBuffer(key).toString('utf8', prefix.length));
      }
      return [...names];
    },
  };
}

/** Lets others through before the next attempt: a random time that grows to some 20 ms. */
export async function waitAfter(attempt: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (attempt > 0) await sleep(Math.random() * Math.min(20, attempt), undefined, { signal });
}

export function contended(what: string): FeatureStoreError {
  return new FeatureStoreError('ABORTED', `${what} was changed by others ${maxAttempts} times in a row; try again`, {
    details: { attempts: maxAttempts },
  });
}

function parseRecord(value: Uint8Array, kind: string, name: string): JsonRecord {
  try {
    return JSON.parse(asBuffer(value).toString());
  } catch (cause) {
    throw new FeatureStoreError('DATA_LOSS', `record "${kind}/${name}" of the online store is no JSON: it was damaged`, {
      cause,
    });
  }
}

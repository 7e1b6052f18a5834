/** The embedded online store: one LMDB file in the state directory, for the threads of one process; others may read beside it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { open, type RootDatabase } from 'lmdb';
import { FeatureStoreError } from '../errors.ts';
import { checkLmdbFile } from '../registry/lmdb-file.ts';
import type { Beside, OnlineStore, Replacement } from './store.ts';

type Database = RootDatabase<Uint8Array, Uint8Array>;

const fileName = 'online.mdb';
/** LMDB's own limit, in pages of 4 KiB. */
const longestKey = 1978;
const keysAtOnce = 1000;

/** Opens the store in a directory, which is made where it is missing; FAILED_PRECONDITION where its file cannot be one. */
export function openLmdbStore(directory: string): OnlineStore {
  const database = openDatabase(directory);
  const running = new Set<Promise<unknown>>();
  let isClosed = false;
  const use = (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted();
    if (isClosed) throw new FeatureStoreError('FAILED_PRECONDITION', `the online store in ${directory} is closed`);
  };
  const write = async <T>(change: () => T): Promise<T> => {
    const transaction = database.transaction(change);
    running.add(transaction);
    try {
      return await transaction;
    } catch (cause) {
      throw refuseWrite(directory, cause);
    } finally {
      running.delete(transaction);
    }
  };
  return {
    name: `LMDB in ${directory}`,
    read: async (keys, signal) => {
      use(signal);
      for (const key of keys) checkKey(key);
      return keys.map((key) => database.getBinary(key));
    },
    replace: async (replacements, signal) => {
      use(signal);
      for (const { key, beside = [] } of replacements)
        for (const one of [key, ...beside.map((other) => other.key)]) checkKey(one);
      return await write(() => replaceAll(database, replacements));
    },
    scan: (prefix, signal) => scan(database, prefix, () => use(signal)),
    check: async (signal) => {
      use(signal);
      await write(() => {});
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await Promise.allSettled(running);
      await database.close();
    },
  };
}

function openDatabase(directory: string): Database {
  const path = join(directory, fileName);
  try {
    mkdirSync(directory, { recursive: true });
    checkLmdbFile(path);
    return open<Uint8Array, Uint8Array>({
      path,
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      // A transaction resolves when it is on the disk.
      overlappingSync: false,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FeatureStoreError('FAILED_PRECONDITION', `the online store ${path} cannot be opened: ${reason}`, {
      details: { path },
      cause,
    });
  }
}

/** Runs inside a write transaction, so that nobody changes a value between the look and the change. */
function replaceAll(database: Database, replacements: readonly Replacement[]): number[] {
  const lost: number[] = [];
  for (const [at, { key, expected, value, beside = [] }] of replacements.entries()) {
    const present = database.getBinary(key);
    if (present === undefined ? expected !== undefined : expected === undefined || !present.equals(expected)) lost.push(at);
    else for (const one of [...beside, { key, value }]) put(database, one);
  }
  return lost;
}

function put(database: Database, { key, value }: Beside): void {
  if (value !== undefined) database.putSync(key, value);
  else database.removeSync(key);
}

async function* scan(database: Database, prefix: Uint8Array, use: () => void): AsyncGenerator<readonly Uint8Array[]> {
  let start = Buffer.from(prefix);
  for (;;) {
    use();
    const page: Buffer[] = [];
    for (const key of database.getKeys({ start, limit: keysAtOnce })) {
      if (!Buffer.from(key).subarray(0, prefix.length).equals(prefix)) break;
      page.push(Buffer.from(key));
    }
    if (page.length > 0) yield page;
    if (page.length < keysAtOnce) return;
    start = Buffer.concat([page.at(-1) as Buffer, Buffer.of(0)]);
    await nextTurn();
  }
}

function checkKey(key: Uint8Array): void {
  if (key.length > 0 && key.length <= longestKey) return;
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `a key of ${key.length} bytes: LMDB takes keys of 1 to ${longestKey}; use fewer join keys, or shorter names`,
    { details: { bytes: key.length, limit: longestKey } },
  );
}

function refuseWrite(directory: string, cause: unknown): FeatureStoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const isFull = /ENOSPC|no space|MDB_MAP_FULL/i.test(reason);
  return new FeatureStoreError(
    isFull ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE',
    `the online store in ${directory} takes no writes: ${reason}`,
    { cause },
  );
}

/** The embedded state: registry documents by version, secrets and small JSON values in one LMDB file that one process writes. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { FeatureStoreError } from '../errors.ts';
import type { RegistryDocument } from './document.ts';
import { checkLmdbFile } from './lmdb-file.ts';
import { heldError, isAlive, isSameOwner, type OwnerRecord, ownRecord } from './owner.ts';
import { answersAt, openOwnerSocket, removeOwnerSocket } from './owner-socket.ts';

export interface StateReader {
  /** The applied document, or one of an earlier version; undefined when there is none. */
  readDocument(version?: number): RegistryDocument | undefined;
  /** A value kept under a name of the caller's choice; undefined when there is none. */
  readValue(key: string): unknown;
  /** The process that writes the state now, if any runs. */
  readOwner(): OwnerRecord | undefined;
  /** May be called again. */
  close(): Promise<void>;
}

export interface StateStore extends StateReader {
  /** Stores a document as the applied one, on disk when the promise resolves; ABORTED if another version came between. */
  writeDocument(document: RegistryDocument): Promise<void>;
  /** Stores a JSON value under a name, on disk when the promise resolves; undefined removes it. */
  writeValue(key: string, value: unknown): Promise<void>;
  /** The secret of that name, made of 32 random bytes the first time. */
  ensureSecret(name: string): Promise<Uint8Array>;
}

export interface StateOwner {
  /** The command that writes, such as `serve` or `apply`. */
  readonly purpose: string;
  /** Where it listens, if it is a server. */
  readonly address?: string;
}

const fileName = 'registry.mdb';
const ownerKey = 'owner';
const currentKey = 'current';

/** Opens the state in `directory` for writing; FAILED_PRECONDITION while another process holds it. Closing gives it up. */
export async function openState(directory: string, owner: StateOwner): Promise<StateStore> {
  mkdirSync(directory, { recursive: true });
  const database = openDatabase(directory, false);
  const socket = await openOwnerSocket(directory);
  const own = ownRecord(owner.purpose, owner.address, socket?.name);
  try {
    await takeOwnership(database, directory, own);
  } catch (error) {
    socket?.close();
    await database.close();
    throw error;
  }
  const giveUp = async () => {
    database.transactionSync(() => {
      if (isSameOwner(readRecord(database), own)) database.removeSync(ownerKey);
    });
    socket?.close();
    await database.flushed;
    await database.close();
  };
  let closing: Promise<void> | undefined;
  return {
    ...reader(database),
    writeDocument: (document) => writeDocument(database, document),
    writeValue: (key, value) => writeValue(database, key, value),
    ensureSecret: (name) => ensureSecret(database, name),
    close: () => {
      closing ??= giveUp();
      return closing;
    },
  };
}

/** Opens the state for reading, beside its writer if one runs; where nothing was ever written it reads as empty. */
export function readState(directory: string): StateReader {
  if (!existsSync(join(directory, fileName))) return emptyReader;
  return reader(openDatabase(directory, true));
}

const emptyReader: StateReader = Object.freeze({
  readDocument: () => undefined,
  readValue: () => undefined,
  readOwner: () => undefined,
  close: async () => {},
});

function openDatabase(directory: string, readOnly: boolean): RootDatabase<unknown, string> {
  try {
    checkLmdbFile(join(directory, fileName));
    return open<unknown, string>({
      path: join(directory, fileName),
      noSubdir: true,
      encoding: 'json',
      readOnly,
      overlappingSync: false,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FeatureStoreError('FAILED_PRECONDITION', `the state in ${directory} cannot be opened: ${reason}`, {
      details: { state: directory },
      cause,
    });
  }
}

function reader(database: RootDatabase<unknown, string>): StateReader {
  return {
    readDocument: (version) => {
      const wanted = version ?? database.get(currentKey);
      return wanted === undefined ? undefined : (database.get(documentKey(wanted as number)) as RegistryDocument | undefined);
    },
    readValue: (key) => database.get(valueKey(key)),
    readOwner: () => {
      const owner = readRecord(database);
      return owner !== undefined && isAlive(owner) ? owner : undefined;
    },
    close: async () => await database.close(),
  };
}

/** One write transaction looks whether the owner is still who was found dead, and takes: two processes never both have the state. */
async function takeOwnership(database: RootDatabase<unknown, string>, directory: string, own: OwnerRecord): Promise<void> {
  for (;;) {
    const known = database.transactionSync(() => readRecord(database));
    if (known !== undefined && (await holds(known, directory))) throw heldError(directory, known);
    const taken = database.transactionSync(() => {
      if (!isSameOwner(readRecord(database), known)) return false;
      database.putSync(ownerKey, own);
      return true;
    });
    if (!taken) continue;
    if (known?.socket !== undefined) removeOwnerSocket(directory, known.socket);
    return;
  }
}

async function holds(owner: OwnerRecord, directory: string): Promise<boolean> {
  return isAlive(owner) || (owner.socket !== undefined && (await answersAt(directory, owner.socket)));
}

function readRecord(database: RootDatabase<unknown, string>): OwnerRecord | undefined {
  return database.get(ownerKey) as OwnerRecord | undefined;
}

async function writeDocument(database: RootDatabase<unknown, string>, document: RegistryDocument): Promise<void> {
  database.transactionSync(() => {
    const current = (database.get(currentKey) as number | undefined) ?? 0;
    if (document.version !== current + 1) {
      throw new FeatureStoreError('ABORTED', `version ${current} of the definitions was applied meanwhile; plan again`, {
        details: { version: current },
      });
    }
    database.putSync(documentKey(document.version), document);
    database.putSync(currentKey, document.version);
  });
  await database.flushed;
}

async function writeValue(database: RootDatabase<unknown, string>, key: string, value: unknown): Promise<void> {
  if (value === undefined) await database.remove(valueKey(key));
  else await database.put(valueKey(key), value);
  await database.flushed;
}

async function ensureSecret(database: RootDatabase<unknown, string>, name: string): Promise<Uint8Array> {
  const key = `secret/${name}`;
  const stored = database.transactionSync(() => {
    const known = database.get(key);
    if (typeof known === 'string') return known;
    const made = randomBytes(32).toString('base64');
    database.putSync(key, made);
    return made;
  });
  await database.flushed;
  return new Uint8Array(Buffer.from(stored, 'base64'));
}

function documentKey(version: number): string {
  return `document/${String(version).padStart(10, '0')}`;
}

/** LMDB's keys are at most 1,978 bytes long. */
function valueKey(key: string): string {
  return `value/${key}`;
}

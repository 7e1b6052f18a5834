/** Entity frames at rest: each an Arrow IPC stream in the shared storage, kept for ten minutes. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { peekMessage } from '../arrow/message.ts';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import { createBodyPool } from './body-pool.ts';
import { createFrameHash } from './frame-hash.ts';
import { messageParts, readMessageAt, writeFully } from './ipc-file.ts';
import type { IpcMessage } from './ipc-message.ts';
import { createSpool, type Spool } from './spool.ts';
import { createStorageRoom } from './storage-room.ts';

export interface UploadLimits {
  readonly maxUploadBytes: number;
  readonly maxStoredUploadBytes: number;
}

/** What the sidecar beside an upload's messages says; it is written last, so that an upload without one never happened. */
const uploadSchema = z.strictObject({
  rows: z.int(),
  bytes: z.int(),
  /** What reading it takes of memory, at most at once. */
  heldBytes: z.int(),
  sha256: z.string(),
  expiresAtMs: z.int(),
});

export interface Upload extends z.output<typeof uploadSchema> {
  readonly id: string;
  readonly schema: Schema;
  /** The frame's messages after the schema, in order. */
  messages(): AsyncGenerator<IpcMessage, void>;
  /** Must be called once when the upload is no longer read; until then it can be, were it to expire meanwhile. */
  close(): Promise<void>;
}

export interface UploadStore {
  /** Keeps a frame; resolves when it can be read by its id. `messages` begin with the schema. */
  save(messages: AsyncIterable<IpcMessage>): Promise<Omit<Upload, 'schema' | 'messages' | 'close'>>;
  /** Finds an upload; NOT_FOUND "upload expired" when it is gone. */
  find(id: string): Promise<Upload>;
  /** For a frame that comes with its call, and is gone with it. */
  spool(): Spool;
  /** Removes what has expired, or what a crash left half-written. */
  sweep(): Promise<void>;
}

export const uploadLifetimeMs = 10 * 60 * 1000;

/** Uploads in a folder, which replicas may share. */
export async function openUploadStore(directory: string, limits: UploadLimits, logger: Logger): Promise<UploadStore> {
  await mkdir(directory, { recursive: true });
  const stream = (id: string) => join(directory, `${id}.arrows`);
  const sidecar = (id: string) => join(directory, `${id}.json`);

  const room = createStorageRoom(directory, limits.maxStoredUploadBytes);

  async function save(messages: AsyncIterable<IpcMessage>) {
    const id = randomBytes(16).toString('hex');
    const file = await open(stream(id), 'wx');
    try {
      await room.measure();
      const written = await writeMessages(file, messages, takeRoom);
      const upload = { ...written, expiresAtMs: Date.now() + uploadLifetimeMs };
      await writeFile(`${sidecar(id)}.draft`, JSON.stringify(upload));
      await rename(`${sidecar(id)}.draft`, sidecar(id));
      return { id, ...upload };
    } catch (error) {
      await rm(stream(id), { force: true });
      throw asStorageError(error);
    } finally {
      await file.close();
    }
  }

  /** Counts what one upload, `bytes` long by now, is about to write, among all that are written at once. */
  function takeRoom(part: number, bytes: number): void {
    if (bytes > limits.maxUploadBytes) {
      throw new FeatureStoreError(
        'RESOURCE_EXHAUSTED',
        `a frame may have ${limits.maxUploadBytes} bytes (flight.limits.maxUploadBytes); send it in parts`,
      );
    }
    if (room.take(part)) return;
    throw new FeatureStoreError(
      'RESOURCE_EXHAUSTED',
      'the uploads kept at the moment leave no room for this frame; try again when they have expired, in at most 600 s',
      { details: { retry_after_seconds: 600 } },
    );
  }

  async function find(id: string): Promise<Upload> {
    if (!/^[0-9a-f]{32}$/.test(id))
      throw new FeatureStoreError('INVALID_ARGUMENT', `"${id}" is no upload; DoPut answers with an upload's id`);
    const upload = await readSidecar(sidecar(id));
    if (upload === undefined || upload.expiresAtMs < Date.now()) {
      throw expired(id);
    }
    const file = await open(stream(id), 'r').catch((cause) => {
      throw expired(id, cause);
    });
    try {
      const [first] = await readMessageAt(file, 0);
      const schema = decodeSchemaMessage(first.header);
      return { id, ...upload, schema, messages: () => readMessages(file, upload.bytes), close: () => file.close() };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async function sweep(): Promise<void> {
    for (const name of await readdir(directory)) {
      const id = name.slice(0, 32);
      const expires = (await readSidecar(sidecar(id)))?.expiresAtMs ?? (await draftExpiry(join(directory, name)));
      if (expires >= Date.now()) continue;
      await rm(join(directory, name), { force: true });
      logger.debug({ upload: id }, 'expired upload removed');
    }
  }

  const spool = () => createSpool({ directory, room, maxBytes: limits.maxUploadBytes });

  return { save, find, spool, sweep };
}

/** undefined where there is none, or a crash left it torn. */
async function readSidecar(path: string): Promise<z.output<typeof uploadSchema> | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    return uploadSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Reads an Arrow IPC stream of `bytes` bytes after its schema; DATA_LOSS when it is shorter. */
async function* readMessages(file: FileHandle, bytes: number): AsyncGenerator<IpcMessage, void> {
  const pool = createBodyPool();
  let [, at] = await readMessageAt(file, 0);
  while (at < bytes) {
    const [message, next] = await readMessageAt(file, at, pool);
    at = next;
    yield message;
  }
}

async function writeMessages(
  file: FileHandle,
  messages: AsyncIterable<IpcMessage>,
  takeRoom: (part: number, bytes: number) => void,
) {
  const hash = createFrameHash();
  let rows = 0;
  let bytes = 0;
  let first = true;
  for await (const message of messages) {
    const summary = peekMessage(message.header);
    if (first !== (summary.kind === 'schema')) {
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        'a frame is one schema, then its dictionaries and batches; the messages came in another order',
      );
    }
    first = false;
    if (summary.kind === 'recordBatch') rows += summary.length;
    for (const part of messageParts(message)) {
      takeRoom(part.length, bytes + part.length);
      await writeFully(file, part, bytes);
      bytes += part.length;
    }
    hash.update(message);
  }
  if (first)
    throw new FeatureStoreError('INVALID_ARGUMENT', 'the upload ended before its schema; send the schema of the frame first');
  return { rows, bytes, heldBytes: hash.heldBytes, sha256: hash.digest() };
}

function expired(id: string, cause?: unknown): FeatureStoreError {
  const message = `upload expired: "${id}" is kept for ten minutes only; send the frame again`;
  return new FeatureStoreError('NOT_FOUND', message, { details: { upload: id }, cause });
}

/** A file without a sidecar is being written, or was when a process died: a lifetime after its last write it may go. */
async function draftExpiry(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined);
  return info === undefined ? 0 : info.mtimeMs + uploadLifetimeMs;
}

function asStorageError(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return error;
  return new FeatureStoreError(
    'RESOURCE_EXHAUSTED',
    'the disk under the storage folder is full, so the frame cannot be kept; free some space and send it again',
    {
      details: { retry_after_seconds: 60 },
      cause: error,
    },
  );
}

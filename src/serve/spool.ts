/** What a client sends ahead of what is answered: its writer does not wait for its reader, and little of it is in memory. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createBodyPool } from './body-pool.ts';
import { messageParts, readMessageAt, writeFully } from './ipc-file.ts';
import type { IpcMessage } from './ipc-message.ts';
import type { StorageRoom } from './storage-room.ts';

export interface Spool {
  /**
   * Takes the next message, and resolves with false once it is closed. Waits for the reader only where the storage has no room. Not to
   * be called concurrently.
   */
  write(message: IpcMessage): Promise<boolean>;
  /** No more comes; reading fails with `failure`, if there is one, after all that was written. */
  end(failure?: unknown): void;
  /** What was written, in order, waiting for more; may be iterated once. */
  messages(): AsyncGenerator<IpcMessage, void>;
  /** Whether the reader would wait for the next message. */
  readonly isEmpty: boolean;
  /** Must be called once. */
  close(): Promise<void>;
}

export interface SpoolOptions {
  /** Where to write what does not stay in memory; its file is never seen there, and goes with the process. */
  readonly directory: string;
  readonly room: StorageRoom;
  /** Bytes that one spool may have in its file. */
  readonly maxBytes: number;
}

/** What stays in memory; a single message does whatever its size, since it is there already. */
const memoryBytes = 8 * 2 ** 20;

export function createSpool({ directory, room, maxBytes }: SpoolOptions): Spool {
  const memory: { readonly message: IpcMessage; readonly bytes: number }[] = [];
  let inMemory = 0;
  const pool = createBodyPool();
  let file: FileHandle | undefined;
  /** What was read and written of the file, where messages follow those in memory. */
  let readAt = 0;
  let writtenAt = 0;
  let ended: { readonly failure: unknown } | undefined;
  let closed = false;
  let waiting: (() => void)[] = [];

  /** To be had before one looks, lest it comes between looking and waiting. */
  const change = () => new Promise<void>((resolve) => waiting.push(resolve));
  const notify = () => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };

  async function write(message: IpcMessage): Promise<boolean> {
    const parts = messageParts(message);
    const bytes = sizeOf(parts);
    for (;;) {
      if (closed) return false;
      if (readAt === writtenAt && (memory.length === 0 || inMemory + bytes <= memoryBytes)) {
        memory.push({ message, bytes });
        inMemory += bytes;
        break;
      }
      const changed = change();
      if (await writeToFile(parts, bytes)) break;
      await changed;
    }
    notify();
    return true;
  }

  /** False where there is no room now. */
  async function writeToFile(parts: readonly Uint8Array[], bytes: number): Promise<boolean> {
    file ??= await openUnnamed();
    if (readAt === writtenAt && writtenAt > 0) await rewind(file);
    if (writtenAt + bytes > maxBytes || !room.takeUnnamed(bytes)) return false;
    let at = writtenAt;
    try {
      for (const part of parts) {
        await writeFully(file, part, at);
        at += part.length;
      }
    } catch (error) {
      room.giveUnnamed(bytes);
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
      throw error;
    }
    writtenAt = at;
    return true;
  }

  async function openUnnamed(): Promise<FileHandle> {
    await room.measure();
    const path = join(directory, `${randomBytes(16).toString('hex')}.spool`);
    const opened = await open(path, 'wx+');
    await rm(path);
    return opened;
  }

  /** Gives back what has been read. */
  async function rewind(opened: FileHandle): Promise<void> {
    room.giveUnnamed(writtenAt);
    readAt = 0;
    writtenAt = 0;
    await opened.truncate(0);
    await room.measure();
  }

  async function readNext(): Promise<IpcMessage | undefined> {
    const kept = memory.shift();
    if (kept !== undefined) {
      inMemory -= kept.bytes;
      notify();
      return kept.message;
    }
    if (readAt === writtenAt) return undefined;
    const [message, next] = await readMessageAt(file as FileHandle, readAt, pool);
    readAt = next;
    notify();
    return message;
  }

  let writing: Promise<unknown> = Promise.resolve();
  return {
    write(message) {
      const written = write(message);
      writing = written;
      return written;
    },
    end(failure) {
      ended ??= { failure };
      notify();
    },
    async *messages() {
      for (;;) {
        const changed = change();
        const message = await readNext();
        if (message !== undefined) yield message;
        else if (ended === undefined) await changed;
        else if (ended.failure !== undefined) throw ended.failure;
        else return;
      }
    },
    get isEmpty() {
      return memory.length === 0 && readAt === writtenAt;
    },
    async close() {
      closed = true;
      notify();
      await writing.catch(() => {});
      room.giveUnnamed(writtenAt);
      await file?.close();
    },
  };
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

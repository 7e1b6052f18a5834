/** Entity frames wherever they are: uploaded before, in a file that a client named, or coming in with the call. */
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FlightUpload } from '../flight/protocol.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import type { HistoricalRequest } from '../offline/request.ts';
import { readFrameBatches, type SentBatch } from './frame.ts';
import { createFrameHash } from './frame-hash.ts';
import type { IpcMessage } from './ipc-message.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { openPathFrame } from './path-frame.ts';
import type { Turn } from './query-queue.ts';
import { resolveReadable } from './readable-paths.ts';
import type { Spool } from './spool.ts';
import type { UploadStore } from './uploads.ts';

export interface EntityFrame {
  readonly schema: Schema;
  readonly rows: bigint | undefined;
  /** sha256 of what it consists of; undefined while it is still coming in. */
  readonly hash: string | undefined;
  /** Reads it from its start; `pause` is called where it is not this query's work that is waited for. */
  batches(maxRows: number, signal: AbortSignal, pause?: Turn['pause']): AsyncGenerator<SentBatch, void>;
  /** The hash when all has been read; fails if the rows that were read are not those that `hash` names. */
  finalHash(): Promise<string>;
}

/** A frame that a request names. */
export interface NamedFrame {
  /** Opening it takes work that must wait for its turn. */
  readonly isCostly: boolean;
  open(): Promise<EntityFrame>;
  /** Must be called once when the frame is no longer read. */
  close(): Promise<void>;
}

export interface FrameParts {
  readonly uploads: UploadStore;
  readonly memory: MemoryBudget;
  readonly engine: Engine;
  readonly root: string;
  readonly readable: readonly string[];
}

/** Finds the frame of a request. An upload can be read from here on, were it to expire meanwhile. */
export async function findFrame(
  parts: FrameParts,
  { upload, path }: Pick<HistoricalRequest, 'upload' | 'path'>,
  command = 'get_historical_features',
): Promise<NamedFrame> {
  if ((upload == null) === (path == null)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `${command}: name the frame by \`upload\` or by \`path\`, one of them`);
  }
  return path == null ? await findUpload(parts, upload as string) : await findFile(parts, path);
}

async function findUpload({ uploads, memory }: FrameParts, id: string): Promise<NamedFrame> {
  const upload = await uploads.find(id);
  const { schema, sha256, heldBytes } = upload;
  async function* batches(maxRows: number, signal: AbortSignal, pause?: Turn['pause']): AsyncGenerator<SentBatch, void> {
    const release = await takeMemory(memory, heldBytes, signal, pause);
    try {
      yield* readFrameBatches(schema, upload.messages(), maxRows);
    } finally {
      release();
    }
  }
  const frame = { schema, rows: BigInt(upload.rows), hash: sha256, batches, finalHash: async () => sha256 };
  return { isCostly: false, open: async () => frame, close: upload.close };
}

/** A file may be replaced while it is read: its rows must be those that were announced. */
async function findFile({ engine, root, readable }: FrameParts, path: string): Promise<NamedFrame> {
  await resolveReadable(path, root, readable);
  const read = () => openPathFrame(engine, path, root, readable);
  async function open(): Promise<EntityFrame> {
    const frame = await read();
    return {
      ...frame,
      async finalHash() {
        if ((await read()).hash === frame.hash) return frame.hash;
        throw new FeatureStoreError('ABORTED', `"${path}" changed while it was read; ask again`, { details: { path } });
      },
    };
  }
  return { isCostly: true, open, close: async () => {} };
}

/** The frame that comes in with a call: what is not read at once waits in `spool`, which the caller closes. */
export async function receiveFrame(upload: FlightUpload, spool: Spool, memory: MemoryBudget): Promise<EntityFrame> {
  void fill(spool, withoutEmpty(upload));
  const messages = spool.messages();
  const first = await messages.next();
  if (first.done)
    throw new FeatureStoreError('INVALID_ARGUMENT', 'the frame ended before its schema; send a schema and its batches');
  const schema = decodeSchemaMessage(first.value.header);
  const hash = createFrameHash();
  hash.update(first.value);

  async function* receive(signal: AbortSignal, pause?: Turn['pause']): AsyncGenerator<IpcMessage, void> {
    let taken = 0;
    let release = () => {};
    try {
      for (;;) {
        const resume = pause?.();
        const next = await messages.next();
        await resume?.();
        if (next.done) return;
        hash.update(next.value);
        if (hash.heldBytes > taken) {
          release();
          taken = hash.heldBytes;
          release = await takeMemory(memory, taken, signal, pause);
        }
        yield next.value;
      }
    } finally {
      release();
    }
  }
  return {
    schema,
    rows: undefined,
    hash: undefined,
    batches: (maxRows, signal, pause) => readFrameBatches(schema, receive(signal, pause), maxRows, () => spool.isEmpty),
    finalHash: async () => hash.digest(),
  };
}

/** Never waited for: what goes wrong is told to whoever reads the spool. */
async function fill(spool: Spool, messages: AsyncIterable<IpcMessage>): Promise<void> {
  try {
    for await (const message of messages) if (!(await spool.write(message))) return;
    spool.end();
  } catch (error) {
    spool.end(error);
  }
}

/** The messages of an upload that carry Arrow data. */
export async function* withoutEmpty(upload: FlightUpload): AsyncGenerator<IpcMessage, void> {
  for await (const message of upload.messages) if (message.header.length > 0) yield message;
}

/** Others may have the turn meanwhile, those that hold the memory among them. */
async function takeMemory(
  memory: MemoryBudget,
  bytes: number,
  signal: AbortSignal,
  pause: Turn['pause'] | undefined,
): Promise<() => void> {
  const resume = pause?.();
  const release = await memory.take(bytes, signal);
  try {
    await resume?.();
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

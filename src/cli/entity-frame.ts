/** Entity frames of the command line: files anywhere, read as the server reads those that clients name. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Dictionaries } from '../arrow/dictionaries.ts';
import type { Schema } from '../arrow/schema.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FrameBatch } from '../offline/answer/answer.ts';
import { type Engine, openEngine } from '../offline/duckdb/engine.ts';
import { openFrameFile } from '../offline/frame/open-frame-file.ts';
import { plainReader } from '../serve/frame.ts';

export interface EntityBatch extends FrameBatch {
  /** What the dictionary columns of this batch refer to. */
  readonly dictionaries: Dictionaries;
}

export interface EntityFrame {
  readonly schema: Schema;
  /** undefined where only reading tells. */
  readonly rows: number | undefined;
  batches(signal: AbortSignal): AsyncIterable<EntityBatch>;
}

const batchRows = 65_536;

/** Opens a file as the entity frame; NOT_FOUND names a path that is not there, INVALID_ARGUMENT an extension that is not read. */
export async function openEntityFrame(engine: Engine, path: string, directory: string): Promise<EntityFrame> {
  const file = await realpath(resolve(directory, path)).catch((cause: unknown) => {
    throw new FeatureStoreError('NOT_FOUND', `entity frame "${path}" does not exist`, { details: { path }, cause });
  });
  const { schema, rows, batches } = await openFrameFile(engine, { file, name: path, root: directory });
  return {
    schema,
    rows: rows === undefined ? undefined : Number(rows),
    async *batches(signal) {
      for await (const { columns, length, dictionaries } of batches(batchRows, signal))
        yield { columns, length, dictionaries, plain: plainReader(columns, dictionaries) };
    },
  };
}

/** Runs `work` with an engine that only reads files, for commands that have no repository. */
export async function withScratchEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
  const spillDirectory = await mkdtemp(join(tmpdir(), 'featherflight-spill-'));
  const engine = await openEngine({ threads: 2, memory: '512MB', spillDirectory, spillLimit: '10GB' });
  try {
    return await work(engine);
  } finally {
    engine.close();
    await rm(spillDirectory, { recursive: true, force: true });
  }
}

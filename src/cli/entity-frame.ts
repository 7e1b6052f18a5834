/** Entity frames from files: Parquet, CSV and JSON through the engine, Arrow IPC by itself. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Dictionaries } from '../arrow/dictionaries.ts';
import { openArrowFile } from '../arrow/file-reader.ts';
import type { Schema } from '../arrow/schema.ts';
import { sliceColumn } from '../arrow/slice.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FrameBatch } from '../offline/answer/answer.ts';
import { type Engine, openEngine } from '../offline/duckdb/engine.ts';
import { plainReader } from '../serve/frame.ts';
import { openPathFrame } from '../serve/path-frame.ts';

export interface EntityBatch extends FrameBatch {
  /** What the dictionary columns of this batch refer to. */
  readonly dictionaries: Dictionaries;
}

export interface EntityFrame {
  readonly schema: Schema;
  /** undefined where only reading tells. */
  readonly rows: number | undefined;
  batches(signal: AbortSignal): AsyncIterable<EntityBatch>;
  close(): Promise<void>;
}

/** Extensions of Arrow IPC, with a footer or as a stream. */
export const arrowExtensions: readonly string[] = ['.arrow', '.feather', '.ipc', '.arrows'];

const batchRows = 65_536;

/** Runs `work` with a file as the entity frame; NOT_FOUND names a path that is not there, INVALID_ARGUMENT an extension that is not read. */
export async function withEntityFrame<T>(
  engine: Engine,
  path: string,
  directory: string,
  work: (frame: EntityFrame) => Promise<T>,
): Promise<T> {
  const frame = await openEntityFrame(engine, path, directory);
  try {
    return await work(frame);
  } finally {
    await frame.close();
  }
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

async function openEntityFrame(engine: Engine, path: string, directory: string): Promise<EntityFrame> {
  const file = await realpath(resolve(directory, path)).catch((cause: unknown) => {
    throw new FeatureStoreError('NOT_FOUND', `entity frame "${path}" does not exist`, { details: { path }, cause });
  });
  if (arrowExtensions.includes(extname(file).toLowerCase())) return await openArrowFrame(file);
  const folder = dirname(file);
  const frame = await openPathFrame(engine, basename(file), folder, [folder]);
  return {
    schema: frame.schema,
    rows: Number(frame.rows),
    async *batches(signal) {
      for await (const batch of frame.batches(batchRows, signal)) yield { ...batch, dictionaries: new Map() };
    },
    close: async () => {},
  };
}

async function openArrowFrame(path: string): Promise<EntityFrame> {
  const reader = await openArrowFile(path);
  return {
    schema: reader.schema,
    rows: undefined,
    async *batches() {
      for await (const { batch, dictionaries } of reader.batches()) {
        for (let start = 0; start === 0 || start < batch.length; start += batchRows) {
          const end = Math.min(batch.length, start + batchRows);
          const isWhole = start === 0 && end === batch.length;
          const columns = isWhole ? batch.columns : batch.columns.map((column) => sliceColumn(column, start, end));
          yield { columns, length: end - start, dictionaries, plain: plainReader(columns, dictionaries) };
        }
      }
    },
    close: () => reader.close(),
  };
}

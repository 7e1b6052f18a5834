/** The feature log where it is written: batches are kept until it is time, then written as Parquet, a file for each shape. */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRecordBatch } from '../../arrow/record-batch.ts';
import type { Logger } from '../../observe.ts';
import { draftName, makeDurable, tidyFolder } from '../../offline/archive/folder.ts';
import { createParquetFile } from '../../offline/duckdb/write-parquet.ts';
import { compileErasedRows } from './erased-log.ts';
import { listShapes, makeShapeFolder, measureLog, rowsName } from './log-folder.ts';
import { batchDictionaries, batchFields, type LogBatch } from './log-rows.ts';
import { boundLog, eraseLog, type LogFiles, type LogRewrite, mergeLog, removeEmptyShapes } from './rewrite-log.ts';
import type { LogShape } from './shape.ts';

export interface LogStoreOptions extends LogFiles {
  /** Bytes that all files of the log may take; the oldest are removed for new ones. */
  readonly maxBytes: number;
  readonly flushMs: number;
  /** Folder for what does not fit into memory while a file is written. */
  readonly spillDirectory: string;
  readonly logger: Logger;
  /** Default an hour. */
  readonly mergeMs?: number;
}

export interface StoredCounts {
  /** Rows in files of this process, and rows that could not be written. */
  readonly written: number;
  readonly dropped: number;
  /** Of all files, those of other servers included, when this process looked last. */
  readonly bytes: number;
}

export interface LogStore {
  /** Keeps a batch; resolves at once unless too much waits to be written. */
  append(shape: LogShape, batch: LogBatch): Promise<void>;
  /** Resolves when all that was appended before is on the disk. */
  flush(): Promise<void>;
  /** Merges small files; also done by itself. */
  merge(): Promise<void>;
  /** Writes what is kept, and rewrites all files without what is erased. */
  erase(signal?: AbortSignal): Promise<LogRewrite>;
  counts(): StoredCounts;
  /** Writes what is kept, and ends. */
  close(): Promise<void>;
}

interface Pending {
  readonly shape: LogShape;
  readonly batches: LogBatch[];
}

/** What is kept before it is written early, and before who brings more has to wait. */
const flushBytes = 16 * 2 ** 20;
const waitBytes = 64 * 2 ** 20;
const largestSmallBytes = 16 * 2 ** 20;

/** Opens the log of one process, and removes what processes that died were writing into it. */
export async function openLogStore(options: LogStoreOptions): Promise<LogStore> {
  const { directory, readErasures, maxBytes, flushMs, spillDirectory, logger, mergeMs = 3_600_000 } = options;
  const smallBytes = Math.min(largestSmallBytes, Math.floor(maxBytes / 16));
  let pending = new Map<string, Pending>();
  let keptBytes = 0;
  let written = 0;
  let dropped = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const ending = new AbortController();

  for (const { id } of await listShapes(directory)) await tidyFolder(directory, join(directory, id));
  let bytes = await measureLog(directory);

  /** One after another, so that what is flushed, merged and erased by this process never meets. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const run = turn.then(work);
    turn = run.catch(() => {});
    return run;
  };

  const flush = () =>
    inTurn(async () => {
      const taken = [...pending.values()];
      pending = new Map();
      keptBytes = 0;
      for (const each of taken) await writeOrDrop(each);
    });

  async function writeOrDrop({ shape, batches }: Pending): Promise<void> {
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    try {
      await writeRows(shape, batches);
      written += rows;
    } catch (error) {
      dropped += rows;
      logger.error({ rows, shape: shape.id, error: String(error) }, 'rows of the feature log could not be written');
    }
  }

  async function writeRows(shape: LogShape, batches: readonly LogBatch[]): Promise<void> {
    const folder = await makeShapeFolder(directory, shape);
    const schema = { fields: batchFields(shape), metadata: new Map() };
    const draft = join(folder, draftName('rows'));
    const file = await createParquetFile(draft, schema.fields, {
      memory: '256MB',
      spillDirectory,
      dictionaries: batchDictionaries,
      encodings: 'dense',
    });
    let { fromUs, toUs } = batches[0] as LogBatch;
    try {
      for (const { header, body, ...times } of batches) {
        const { columns } = decodeRecordBatch(schema, header, body);
        if (times.fromUs < fromUs) fromUs = times.fromUs;
        if (times.toUs > toUs) toUs = times.toUs;
        await file.write(columns);
        await new Promise(setImmediate);
      }
      const erased = compileErasedRows(shape, await readErasures());
      await file.finish(erased);
      if ((await stat(draft)).size > maxBytes) throw new RangeError('they take more than logging.maxBytes');
      bytes = await boundLog({ directory }, maxBytes);
      await makeDurable(draft, join(folder, rowsName(fromUs, toUs, 'push')), folder);
      // Who took the folder for one that is used no more has removed this.
      await makeShapeFolder(directory, shape);
      // Who erased meanwhile did so either after the file was there, or before this look.
      if (compileErasedRows(shape, await readErasures()) !== erased) await eraseLog(options);
    } finally {
      file.close();
      await rm(draft, { force: true });
    }
  }

  const merge = () =>
    inTurn(async () => {
      await mergeLog(options, smallBytes, ending.signal);
      await removeEmptyShapes(directory, mergeMs);
      bytes = await boundLog({ directory }, maxBytes);
    });
  const mergeOrWarn = () =>
    merge().catch((error: unknown) => {
      if (!ending.signal.aborted) logger.warn({ error: String(error) }, 'the feature log could not be merged');
    });
  const timers = [setInterval(() => void flush(), flushMs), setInterval(() => void mergeOrWarn(), mergeMs)];
  for (const timer of timers) timer.unref();

  return {
    async append(shape, batch) {
      const there = pending.get(shape.id);
      if (there === undefined) pending.set(shape.id, { shape, batches: [batch] });
      else there.batches.push(batch);
      keptBytes += batch.header.length + batch.body.length;
      if (keptBytes < flushBytes) return;
      const flushed = flush();
      if (keptBytes >= waitBytes) await flushed;
    },
    flush,
    merge,
    erase: async (signal) => {
      await flush();
      return await inTurn(() => eraseLog(options, signal));
    },
    counts: () => ({ written, dropped, bytes }),
    async close() {
      for (const timer of timers) clearInterval(timer);
      ending.abort();
      await flush();
    },
  };
}

/** The feature log where files are written: kept by the worker of a server, or only rewritten where nothing is served. */
import { join } from 'node:path';
import { bytesOf } from '../config/validate.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import type { OnlineStore } from '../online/store.ts';
import { createErasureIndex } from '../online/write/erasure-index.ts';
import type { LogBatch } from '../validate/log/log-rows.ts';
import { type LogStore, openLogStore, type StoredCounts } from '../validate/log/log-store.ts';
import type { LogReader } from '../validate/log/read-log.ts';
import { eraseLog, type LogRewrite } from '../validate/log/rewrite-log.ts';
import type { LogShape } from '../validate/log/shape.ts';

export interface LogParts {
  readonly config: Config;
  readonly history: Pick<History, 'engine'>;
  readonly store: OnlineStore;
}

export interface WorkerLog {
  /** What it is read by. */
  readonly reader: LogReader;
  append(shape: LogShape, batch: LogBatch): Promise<void>;
  counts(): StoredCounts | undefined;
  /** Of all that was served before it was called. */
  erase(signal?: AbortSignal): Promise<LogRewrite>;
  /** Resolves when all that was served before it was called is on the disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the log of a server, also where none is kept any more: then it is read and rewritten. `drain` brings what the other thread still holds. */
export async function openWorkerLog(parts: LogParts, logger: Logger, drain: () => Promise<void>): Promise<WorkerLog> {
  const { config } = parts;
  const reader = logFilesOf(parts, config.project);
  const { logging } = config;
  const spillDirectory = join(config.state, 'spill', `${process.pid}-log`);
  const bounds = logging && { maxBytes: bytesOf(logging.maxBytes), flushMs: logging.flushSeconds * 1000 };
  const kept: LogStore | undefined = bounds && (await openLogStore({ ...reader, ...bounds, spillDirectory, logger }));
  return {
    reader,
    append: async (shape, batch) => await kept?.append(shape, batch),
    counts: () => kept?.counts(),
    async erase(signal) {
      if (kept === undefined) return await eraseLog(reader, signal);
      await drain();
      return await kept.erase(signal);
    },
    async flush() {
      if (kept === undefined) return;
      await drain();
      await kept.flush();
    },
    close: async () => await kept?.close(),
  };
}

/** For erasures on the state of a repository that is not served. */
export function openLogErasure(parts: LogParts, project: string): { erase(signal?: AbortSignal): Promise<LogRewrite> } {
  const files = logFilesOf(parts, project);
  return { erase: (signal) => eraseLog(files, signal) };
}

/** For checks on the state of a repository, beside a server too. */
export function openLogReader(parts: LogParts, project: string): LogReader {
  return logFilesOf(parts, project);
}

function logFilesOf({ config, history, store }: LogParts, project: string): LogReader {
  const index = createErasureIndex(store, project);
  return { directory: join(config.storage, 'feature-log'), engine: history.engine, readErasures: () => index.read() };
}

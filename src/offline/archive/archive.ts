/** The archive of what was pushed to a source: Parquet files that are part of its table, on the disk before a push is acknowledged. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../observe.ts';
import type { SourceDocument } from '../../registry/document.ts';
import { compileErased, type ErasedRows, type ReadErasedRows } from './erased.ts';
import { makeDurable, removeLeftOvers, tidyFolder } from './folder.ts';
import { keyOf, listArchive } from './manifest.ts';
import { eraseRows, mergeFiles, type RewriteReport, type Rewriting } from './rewrite.ts';
import { openArchiveWriter, type PushedRows } from './writer.ts';

export interface ArchiveOptions {
  /** Holds a folder for each source. */
  readonly directory: string;
  readonly logger: Logger;
  /** Which rows of a source are erased; default: none. */
  readonly readErased?: ReadErasedRows;
  /** Files of a source that are merged when there are so many; default 64. */
  readonly mergeAt?: number;
}

/** What is part of a source's table at one moment. */
export interface ArchiveState {
  /** Absolute paths. */
  readonly files: readonly string[];
  /** A condition in SQL: rows of the files of which it is true are erased, and no part of the table. */
  readonly erased: string | undefined;
}

export interface Archive {
  /** Absolute paths of the files of a source now. */
  files(source: string): Promise<readonly string[]>;
  /** The files, and what is not to be read of them; erased rows may be in them until they are rewritten, and with what is copied back. */
  state(source: SourceDocument): Promise<ArchiveState>;
  /**
   * Takes a staged file, without rows that are erased, as part of the source's table, under an idempotency key; where a push of that key
   * is there already it is left. When it resolves, the rows are on the disk.
   */
  keep(source: SourceDocument, key: string, staged: string): Promise<{ readonly isNew: boolean }>;
  /** Writes rows as a file of their own that is no part of anything, for as long as `use` reads it. */
  stage<T>(source: SourceDocument, rows: PushedRows, nowUs: bigint, use: (file: string) => Promise<T>): Promise<T>;
  /** Merges the small files of a source, if there are many. */
  merge(source: string): Promise<void>;
  /** Rewrites the files of a source without rows that are erased; undefined where nothing was ever pushed. Then none is on the disk. */
  erase(source: string): Promise<RewriteReport | undefined>;
  /** Resolves when running merges have ended. */
  close(): Promise<void>;
}

export function openArchive(options: ArchiveOptions): Archive {
  const { directory, logger, mergeAt = 64, readErased = async () => [] } = options;
  const writer = openArchiveWriter();
  const staging = join(directory, `.staging-${process.pid}`);
  let isStaged = false;
  const tidied = new Map<string, Promise<void>>();
  const merging = new Set<string>();
  const compiled = new Map<string, Compiled>();
  const rewriting = createLanes();
  const pushing = createLanes();
  const folderOf = (source: string) => join(directory, source);

  /** Once a process: makes the folder, and removes what a killed one left half-done. */
  const openFolder = async (source: string): Promise<string> => {
    const folder = folderOf(source);
    const opening = tidied.get(source) ?? tidyFolder(directory, folder);
    tidied.set(source, opening);
    opening.catch(() => tidied.delete(source));
    await opening;
    return folder;
  };

  async function keep(source: SourceDocument, key: string, staged: string): Promise<{ isNew: boolean }> {
    const folder = await openFolder(source.name);
    const id = createHash('sha256').update(key).digest('hex').slice(0, 32);
    const { names, manifest } = await listArchive(folder);
    const known = [...names, ...Object.keys(manifest.replaced)].some((name) => keyOf(name) === id);
    if (known) return { isNew: false };
    const draft = join(folder, `${id}.${randomUUID()}.draft`);
    const erased = await compile(source);
    try {
      if (erased === undefined) await rename(staged, draft);
      else await writer.merge(draft, [staged], erased);
      await makeDurable(draft, join(folder, `${id}.${shapeName(source)}.push.parquet`), folder);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    // Who erased meanwhile did so either after the file was there, or before this look.
    if ((await compile(source)) !== erased) await rewrite(source.name, eraseRows);
    return { isNew: true };
  }

  async function compile({ name, columns }: SourceDocument): Promise<string | undefined> {
    const rows = await readErased(name);
    const last = compiled.get(name);
    if (last?.rows === rows && last.columns === columns) return last.condition;
    const condition = compileErased(
      rows,
      columns.map((column) => column.name),
    );
    compiled.set(name, { rows, columns, condition });
    return condition;
  }

  /** One rewriting of a source's folder at a time. */
  function rewrite<T>(source: string, work: (rewriting: Rewriting) => Promise<T>): Promise<T> {
    return rewriting.run(source, async () => await work({ source, folder: await openFolder(source), writer, readErased }));
  }

  const merge = (source: string) => rewrite(source, (folder) => mergeFiles(folder, mergeAt));

  /** One merge of a source at a time; nobody waits for it. */
  function mergeSoon(source: string): void {
    if (merging.has(source)) return;
    merging.add(source);
    merge(source)
      .catch((error: unknown) => logger.warn({ source, error: String(error) }, 'the archive of a source could not be merged'))
      .finally(() => merging.delete(source));
  }

  const files = async (source: string) => {
    const folder = folderOf(source);
    return (await listArchive(folder)).names.map((name) => join(folder, name));
  };

  return {
    files,
    async state(source) {
      if ((await files(source.name)).length === 0) return { files: [], erased: undefined };
      // Before the files: once an erasure is lifted, files found earlier could still hold what was erased.
      const erased = await compile(source);
      return { files: await files(source.name), erased };
    },
    async keep(source, key, staged) {
      // Two tries of one push at once: the second finds what the first has written.
      const result = await pushing.run(JSON.stringify([source.name, key]), () => keep(source, key, staged));
      if (result.isNew) mergeSoon(source.name);
      return result;
    },
    async stage(source, rows, nowUs, use) {
      if (!isStaged) await removeLeftOvers(directory);
      isStaged = true;
      await mkdir(staging, { recursive: true });
      const file = join(staging, `${randomUUID()}.parquet`);
      try {
        await writer.write(file, source, rows, nowUs);
        return await use(file);
      } finally {
        await rm(file, { force: true });
      }
    },
    merge,
    async erase(source) {
      const isThere = await stat(folderOf(source)).catch(() => undefined);
      return isThere && (await rewrite(source, eraseRows));
    },
    async close() {
      await Promise.all([pushing.idle(), rewriting.idle()]);
      writer.close();
      if (isStaged) await rm(staging, { recursive: true, force: true });
    },
  };
}

/** What was compiled last of a source. */
interface Compiled {
  readonly rows: readonly ErasedRows[];
  readonly columns: SourceDocument['columns'];
  readonly condition: string | undefined;
}

/** Work that is done one after another in each lane. */
function createLanes() {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run<T>(lane: string, work: () => Promise<T>): Promise<T> {
      const run = (last.get(lane) ?? Promise.resolve()).then(work, work);
      last.set(lane, run);
      try {
        return await run;
      } finally {
        if (last.get(lane) === run) last.delete(lane);
      }
    },
    idle: () => Promise.allSettled(last.values()),
  };
}

/** Files of one shape have the same columns of the same types. */
function shapeName({ columns }: SourceDocument): string {
  const shape = JSON.stringify(columns.map(({ name, type }) => [name, type]));
  return createHash('sha256').update(shape).digest('hex').slice(0, 16);
}

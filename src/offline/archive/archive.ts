/** The archive of what was pushed to a source: Parquet files that are part of its table, on the disk before a push is acknowledged. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { Logger } from '../../observe.ts';
import type { SourceDocument } from '../../registry/document.ts';
import { createLanes } from '../lanes.ts';
import { rewriteAlone } from './alone.ts';
import { archivedColumns, shapeName } from './archived-columns.ts';
import { type BatchBegin, createCoverage } from './coverage.ts';
import { compileErased, type ErasedRows, type ReadErasedRows } from './erased.ts';
import { draftName, makeDurable, removeLeftOvers, removeUnlisted, tidyFolder } from './folder.ts';
import { keyOf, listArchive, replacedKeys } from './manifest.ts';
import { readAgain } from './read-again.ts';
import { eraseRows, mergeFiles, type RewriteReport, type Rewriting } from './rewrite.ts';
import { openSetAside, type SetAside } from './set-aside.ts';
import type { StagedEvents } from './write-events.ts';
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
  /** What streams could not count. */
  readonly setAside: SetAside;
  /** Absolute paths of the files of a source now. */
  files(source: string): Promise<readonly string[]>;
  /** The files, and what is not to be read of them; erased rows may be in them until they are rewritten, and with what is copied back. */
  state(source: SourceDocument): Promise<ArchiveState>;
  /**
   * Takes a staged file, without rows that are erased, as part of the source's table, under an idempotency key; where a push of that key
   * is there already it is left. When it resolves, the rows are on the disk. Of a batch of events, `begin` says where it began: events that
   * are there under the key of another one are left out.
   */
  keep(source: SourceDocument, key: string, staged: string, begin?: BatchBegin): Promise<{ readonly isNew: boolean }>;
  /** Writes rows as a file of their own that is no part of anything, for as long as `use` reads it. */
  stage<T>(source: SourceDocument, rows: PushedRows, nowUs: bigint, use: (file: string) => Promise<T>): Promise<T>;
  /** The same of events that were decoded, of an event source: columns by their declared types, `_partition`, `_offset` and `_late`. */
  stageEvents<T>(source: SourceDocument, events: StagedEvents, use: (file: string) => Promise<T>): Promise<T>;
  /** Which events of an event source are there by their ids, null for none: their places. Reads the ids of all files. */
  findIds(source: SourceDocument, ids: readonly LiteralValue[]): Promise<ReadonlySet<number>>;
  /** Merges the small files of a source, if there are many. */
  merge(source: string): Promise<void>;
  /**
   * Rewrites the files of a source without rows that are erased, and removes what was set aside of it; undefined where nothing was ever pushed.
   * Then none is on the disk. Of rows whose event timestamp is named it is told between which times they were.
   */
  erase(source: string, eventTimestamp?: string): Promise<RewriteReport | undefined>;
  /** Resolves when running merges have ended. */
  close(): Promise<void>;
}

export function openArchive(options: ArchiveOptions): Archive {
  const { directory, logger, mergeAt = 64, readErased = async () => [] } = options;
  const writer = openArchiveWriter();
  // What is pushed or streamed does not wait for a merge.
  const rewriter = openArchiveWriter();
  const coverage = createCoverage(writer.greatestOffsets);
  const setAside = openSetAside(join(directory, '.set-aside'));
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

  async function keep(source: SourceDocument, key: string, staged: string, begin: BatchBegin | undefined) {
    const folder = await openFolder(source.name);
    const id = createHash('sha256').update(key).digest('hex').slice(0, 32);
    const { names, manifest } = await listArchive(folder);
    if (replacedKeys(manifest).has(id) || names.some((name) => keyOf(name) === id)) return { isNew: false };
    const draft = join(folder, draftName(id));
    const archived = begin && (await coverage.compileArchived(folder, names, begin));
    if (archived !== undefined) logger.warn({ source: source.name, ...begin }, 'a batch was archived before, under another end');
    const erased = await compile(source);
    const without = [erased, archived].flatMap((condition) => (condition === undefined ? [] : [`(${condition})`]));
    try {
      if (without.length === 0) await rename(staged, draft);
      else await writer.merge(draft, [staged], without.join(' or '));
      await makeDurable(draft, join(folder, `${id}.${shapeName(source)}.push.parquet`), folder);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    // Who erased meanwhile did so either after the file was there, or before this look.
    if ((await compile(source)) !== erased) await rewrite(source.name, (of) => eraseRows(of));
    return { isNew: true };
  }

  async function compile(source: SourceDocument): Promise<string | undefined> {
    const rows = await readErased(source.name);
    const last = compiled.get(source.name);
    if (last?.rows === rows && last.source === source) return last.condition;
    const condition = compileErased(
      rows,
      archivedColumns(source).map((column) => column.name),
    );
    compiled.set(source.name, { rows, source, condition });
    return condition;
  }

  /** One rewriting of a source's folder at a time, also among processes that share it. */
  function rewrite<T>(source: string, work: (rewriting: Rewriting) => Promise<T>): Promise<T> {
    return rewriting.run(source, async () => {
      const folder = await openFolder(source);
      return await rewriteAlone(folder, async () => {
        await removeUnlisted(folder);
        return await work({ source, folder, writer: rewriter, readErased });
      });
    });
  }

  const merge = (source: string) => rewrite(source, (folder) => mergeFiles(folder, mergeAt));

  /** Takes the folder's lock only where there may be something to do. */
  async function mergeIfMany(source: string): Promise<void> {
    const { names, manifest } = await listArchive(folderOf(source));
    if (names.length >= mergeAt || Object.keys(manifest.replaced).length > 0) await merge(source);
  }

  /** One merge of a source at a time; nobody waits for it. */
  function mergeSoon(source: string): void {
    if (merging.has(source)) return;
    merging.add(source);
    mergeIfMany(source)
      .catch((error: unknown) => logger.warn({ source, error: String(error) }, 'the archive of a source could not be merged'))
      .finally(() => merging.delete(source));
  }

  async function stage<T>(write: (file: string) => Promise<void>, use: (file: string) => Promise<T>): Promise<T> {
    if (!isStaged) await removeLeftOvers(directory);
    isStaged = true;
    await mkdir(staging, { recursive: true });
    const file = join(staging, `${randomUUID()}.parquet`);
    try {
      await write(file);
      return await use(file);
    } finally {
      await rm(file, { force: true });
    }
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
    async keep(source, key, staged, begin) {
      // Two tries of one push at once: the second finds what the first has written.
      const result = await pushing.run(JSON.stringify([source.name, key]), () => keep(source, key, staged, begin));
      if (result.isNew) mergeSoon(source.name);
      return result;
    },
    stage: (source, rows, nowUs, use) => stage((file) => writer.write(file, source, rows, nowUs), use),
    stageEvents: (source, events, use) => stage((file) => writer.writeEvents(file, source, events), use),
    async findIds(source, ids) {
      const column = source.events?.eventId;
      if (column === undefined) return new Set();
      const look = async () => ({ files: await files(source.name), erased: undefined });
      return await readAgain(look, async () => await writer.findIds(await files(source.name), column, ids));
    },
    merge,
    setAside,
    async erase(source, eventTimestamp) {
      await setAside.clear(source);
      const isThere = await stat(folderOf(source)).catch(() => undefined);
      return isThere && (await rewrite(source, (of) => eraseRows(of, eventTimestamp)));
    },
    async close() {
      await Promise.all([pushing.idle(), rewriting.idle()]);
      writer.close();
      rewriter.close();
      if (isStaged) await rm(staging, { recursive: true, force: true });
    },
  };
}

/** What was compiled last of a source. */
interface Compiled {
  readonly rows: readonly ErasedRows[];
  readonly source: SourceDocument;
  readonly condition: string | undefined;
}

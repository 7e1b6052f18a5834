/** The archive of what was pushed to a source: Parquet files that are part of its table, on the disk before a push is acknowledged. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../observe.ts';
import type { SourceDocument } from '../../registry/document.ts';
import { isLeftOver } from '../left-over.ts';
import { keyOf, listArchive, type Manifest, manifestName, shapeOf } from './manifest.ts';
import { openArchiveWriter, type PushedRows } from './writer.ts';

export interface ArchiveOptions {
  /** Holds a folder for each source. */
  readonly directory: string;
  readonly logger: Logger;
  /** Files of a source that are merged when there are so many; default 64. */
  readonly mergeAt?: number;
}

export interface Archive {
  /** Absolute paths of the files that are part of a source's table now. */
  files(source: string): Promise<readonly string[]>;
  /**
   * Takes a staged file as part of the source's table, under an idempotency key; where a push of that key is there already it is
   * left. When it resolves, the rows are on the disk.
   */
  keep(source: SourceDocument, key: string, staged: string): Promise<{ readonly isNew: boolean }>;
  /** Writes rows as a file of their own that is no part of anything, for as long as `use` reads it. */
  stage<T>(source: SourceDocument, rows: PushedRows, nowUs: bigint, use: (file: string) => Promise<T>): Promise<T>;
  /** Merges the small files of a source, if there are many. */
  merge(source: string): Promise<void>;
  /** Resolves when running merges have ended. */
  close(): Promise<void>;
}

/** Larger files are merged no more. */
const largestMerged = 32 * 1024 * 1024;
/** A query may still be reading a replaced file that it found before. */
const graceMs = 10 * 60_000;
/** How long a retried push is known after its file was merged into another. */
const keptKeysMs = 25 * 3_600_000;

export function openArchive({ directory, logger, mergeAt = 64 }: ArchiveOptions): Archive {
  const writer = openArchiveWriter();
  const staging = join(directory, `.staging-${process.pid}`);
  let isStaged = false;
  const tidied = new Map<string, Promise<void>>();
  const merging = new Map<string, Promise<void>>();
  const pushing = new Map<string, Promise<unknown>>();
  const folderOf = (source: string) => join(directory, source);

  /** Once a process: makes the folder, and removes what a killed one left half-done. */
  const openFolder = async (source: string): Promise<string> => {
    const folder = folderOf(source);
    const opening = tidied.get(source) ?? tidy(directory, folder);
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
    try {
      await rename(staged, draft);
      await makeDurable(draft, join(folder, `${id}.${shapeName(source)}.push.parquet`), folder);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    return { isNew: true };
  }

  async function merge(source: string): Promise<void> {
    const folder = await openFolder(source);
    const { names, manifest } = await listArchive(folder);
    await removeReplaced(folder, manifest);
    const small = [];
    for (const name of names) if ((await stat(join(folder, name))).size < largestMerged) small.push(name);
    const groups = groupByShape(small);
    for (const [shape, group] of groups) {
      if (group.length < mergeAt) continue;
      const name = `${randomUUID()}.${shape}.merged.parquet`;
      const draft = join(folder, `${name}.draft`);
      await writer.merge(
        draft,
        group.map((one) => join(folder, one)),
      );
      await makeDurable(draft, join(folder, name), folder);
      const { manifest: current } = await listArchive(folder);
      const now = Date.now();
      const kept = Object.entries(current.replaced).filter(([, replacedMs]) => replacedMs > now - keptKeysMs);
      const changed: Manifest = {
        merged: [...current.merged.filter((one) => !group.includes(one)), name],
        replaced: { ...Object.fromEntries(kept), ...Object.fromEntries(group.map((one) => [one, now])) },
      };
      await writeFile(join(folder, `${manifestName}.draft`), JSON.stringify(changed));
      await makeDurable(join(folder, `${manifestName}.draft`), join(folder, manifestName), folder);
    }
  }

  /** One merge of a source at a time; nobody waits for it. */
  function mergeSoon(source: string): void {
    if (merging.has(source)) return;
    const run = merge(source)
      .catch((error: unknown) => logger.warn({ source, error: String(error) }, 'the archive of a source could not be merged'))
      .finally(() => merging.delete(source));
    merging.set(source, run);
  }

  return {
    async files(source) {
      const folder = folderOf(source);
      return (await listArchive(folder)).names.map((name) => join(folder, name));
    },
    async keep(source, key, staged) {
      // Two tries of one push at once: the second finds what the first has written.
      const lane = JSON.stringify([source.name, key]);
      const before = pushing.get(lane) ?? Promise.resolve();
      const run = before.catch(() => {}).then(() => keep(source, key, staged));
      pushing.set(lane, run);
      try {
        const result = await run;
        if (result.isNew) mergeSoon(source.name);
        return result;
      } finally {
        if (pushing.get(lane) === run) pushing.delete(lane);
      }
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
    async merge(source) {
      await merging.get(source);
      await merge(source);
    },
    async close() {
      await Promise.allSettled([...merging.values(), ...pushing.values()]);
      writer.close();
      if (isStaged) await rm(staging, { recursive: true, force: true });
    },
  };
}

function groupByShape(names: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(shapeOf(name), [...(groups.get(shapeOf(name)) ?? []), name]);
  return groups;
}

/** Files of one shape have the same columns of the same types. */
function shapeName({ columns }: SourceDocument): string {
  const shape = JSON.stringify(columns.map(({ name, type }) => [name, type]));
  return createHash('sha256').update(shape).digest('hex').slice(0, 16);
}

/** Under its final name only when it is whole on the disk; when this resolves, so is the name. */
async function makeDurable(draft: string, path: string, folder: string): Promise<void> {
  await sync(draft);
  await rename(draft, path);
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function tidy(directory: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await sync(directory);
  const { manifest } = await listArchive(folder);
  for (const name of await readdir(folder)) {
    const isUnlisted = name.endsWith('.merged.parquet') && !manifest.merged.includes(name) && !(name in manifest.replaced);
    if (isUnlisted || name.endsWith('.draft')) await rm(join(folder, name), { force: true });
  }
}

/** What processes that died were writing. */
async function removeLeftOvers(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const pid = /^\.staging-(\d+)$/.exec(name)?.[1];
    const path = join(directory, name);
    if (pid !== undefined && (await isLeftOver(path, Number(pid)))) await rm(path, { recursive: true, force: true });
  }
}

async function removeReplaced(folder: string, { replaced }: Manifest): Promise<void> {
  for (const [name, replacedMs] of Object.entries(replaced)) {
    if (replacedMs < Date.now() - graceMs) await rm(join(folder, name), { force: true });
  }
}

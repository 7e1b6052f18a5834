/**
 * The results of an SQL source on the disk. A tick that has run is a Parquet file of its own, `TICK.RUN-ID.parquet`, of which the latest run
 * counts, until it is merged with others into `ID.merged.parquet`. Who changes what is there does so alone (see `rewriteAlone`).
 */
import { randomUUID } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rewriteAlone } from '../archive/alone.ts';
import { draftName, makeDurable, tidyFolder } from '../archive/folder.ts';
import { holderOf, readTickManifest, replaceInManifest, type TickManifest } from './tick-manifest.ts';

export interface TickFile {
  /** Microseconds since the epoch; of one tick, or of those that were merged. */
  readonly ticks: ReadonlySet<bigint>;
  readonly name: string;
  readonly isMerged: boolean;
}

/** Writes a Parquet file under a name that is free. */
export type WriteFile = (path: string) => Promise<void>;

/** The files that count, which together have each tick once; none where the folder is not there. */
export async function listTickFiles(folder: string): Promise<readonly TickFile[]> {
  for (;;) {
    const manifest = await readTickManifest(folder);
    const names = await readNames(folder);
    if ((await readTickManifest(folder)) === manifest) return listCounting(manifest, names);
  }
}

function listCounting(manifest: TickManifest, names: readonly string[]): readonly TickFile[] {
  const merged = [...manifest.merged].map(([name, ticks]) => ({ name, ticks, isMerged: true }));
  const latest = new Map<bigint, Run>();
  for (const run of names.flatMap(parseName)) {
    const known = latest.get(run.tickUs);
    if (known === undefined || isLater(run, known)) latest.set(run.tickUs, run);
  }
  const own = [...latest.values()].filter(({ tickUs }) => holderOf(manifest, tickUs) === undefined);
  own.sort((a, b) => (a.tickUs < b.tickUs ? -1 : 1));
  return [...merged, ...own.map(({ name, tickUs }) => ({ name, ticks: new Set([tickUs]), isMerged: false }))];
}

/**
 * Lets what `write` writes be a tick's rows, instead of what was there of the tick; `without` writes a merged file anew without them. Whole
 * and durable when this resolves; a kill at any instant leaves the one or the other.
 */
export async function replaceTick(
  folder: string,
  tickUs: bigint,
  write: WriteFile,
  without: (merged: string, path: string) => Promise<void>,
): Promise<void> {
  const draft = join(folder, draftName(String(tickUs)));
  try {
    await write(draft);
    await rewriteAlone(folder, async () => {
      const runs = await readRuns(folder, tickUs);
      await makeDurable(draft, join(folder, nameRun(tickUs, runs)), folder);
      const holder = holderOf(await readTickManifest(folder), tickUs);
      // Until the merged file is without the tick, the run's own file does not count.
      if (holder !== undefined) await rewriteMerged(folder, holder, tickUs, (path) => without(join(folder, holder), path));
      for (const { name } of runs) await rm(join(folder, name), { force: true });
    });
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** A merged file as `write` writes it, for whoever alone changes the folder: without a tick, or with all that it held. */
export async function rewriteMerged(
  folder: string,
  name: string,
  withoutUs: bigint | undefined,
  write: WriteFile,
): Promise<void> {
  const manifest = await readTickManifest(folder);
  const ticks = [...(manifest.merged.get(name) ?? [])].filter((tickUs) => tickUs !== withoutUs);
  if (ticks.length === 0) return await replaceInManifest(folder, manifest, { gone: [name] });
  await replaceInManifest(folder, manifest, { gone: [name], added: { name: await addMerged(folder, write), ticks } });
}

/** Lets files be one merged file, as `write` writes it, for whoever alone changes the folder. */
export async function mergeInto(folder: string, files: readonly TickFile[], write: WriteFile): Promise<void> {
  const manifest = await readTickManifest(folder);
  const name = await addMerged(folder, write);
  const ticks = files.flatMap((file) => [...file.ticks]);
  await replaceInManifest(folder, manifest, { gone: files.map((file) => file.name), added: { name, ticks } });
}

/** The same of a file of one tick. */
export async function rewriteTick(folder: string, tickUs: bigint, write: WriteFile): Promise<void> {
  const runs = await readRuns(folder, tickUs);
  await addFile(folder, nameRun(tickUs, runs), write);
  for (const { name } of runs) await rm(join(folder, name), { force: true });
}

/** Makes the folder, and removes what killed processes left half-done in it: drafts, and files that count no longer. */
export async function tidyTickFolder(folder: string): Promise<void> {
  await tidyFolder(dirname(folder), folder);
  await rewriteAlone(folder, () => removeUncounted(folder, Date.now() - graceMs));
}

/** A query may still be reading a replaced file that it found before. */
export const graceMs = 10 * 60_000;

/** Whether there are files that were replaced before an instant. */
export async function hasReplaced(folder: string, sinceMs: number): Promise<boolean> {
  const { replaced } = await readTickManifest(folder);
  return (await readNames(folder)).some((name) => (replaced.get(name) ?? Number.POSITIVE_INFINITY) <= sinceMs);
}

/** Removes files that count no longer since an instant, or never did, for whoever alone changes the folder. */
export async function removeUncounted(folder: string, sinceMs: number): Promise<void> {
  const manifest = await readTickManifest(folder);
  const names = await readNames(folder);
  const counting = new Set(listCounting(manifest, names).map(({ name }) => name));
  for (const name of names) {
    const isOurs = parseName(name).length > 0 || /\.merged\.parquet(\.[^/]*\.draft)?$/.test(name);
    if (!isOurs || counting.has(name) || (manifest.replaced.get(name) ?? 0) > sinceMs) continue;
    await rm(join(folder, name), { force: true });
  }
}

/** Removes the folders of a source's former definitions, for good when this resolves. */
export async function removeOtherFolders(directory: string, kept: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const others = names.filter((name) => name !== kept);
  for (const name of others) await rm(join(directory, name), { recursive: true, force: true });
  if (others.length > 0) await syncFolder(directory);
}

async function addMerged(folder: string, write: WriteFile): Promise<string> {
  const name = `${randomUUID()}.merged.parquet`;
  await addFile(folder, name, write);
  return name;
}

async function addFile(folder: string, name: string, write: WriteFile): Promise<void> {
  const draft = join(folder, draftName(name));
  try {
    await write(draft);
    await makeDurable(draft, join(folder, name), folder);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

interface Run {
  readonly tickUs: bigint;
  /** Counts the runs of the tick, from 1. */
  readonly run: number;
  readonly name: string;
}

function parseName(name: string): Run[] {
  const found = /^(-?\d+)\.(\d+)-[0-9a-f-]+\.parquet$/.exec(name);
  return found === null ? [] : [{ tickUs: BigInt(found[1] as string), run: Number(found[2]), name }];
}

function nameRun(tickUs: bigint, before: readonly Run[]): string {
  return `${tickUs}.${Math.max(0, ...before.map(({ run }) => run)) + 1}-${randomUUID()}.parquet`;
}

async function readRuns(folder: string, tickUs: bigint): Promise<readonly Run[]> {
  return (await readNames(folder)).flatMap(parseName).filter((run) => run.tickUs === tickUs);
}

async function readNames(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

/** Two processes may have run a tick at once, and then either counts, but for all readers the same. */
function isLater(a: Run, b: Run): boolean {
  return a.run === b.run ? a.name > b.name : a.run > b.run;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** How files of an archive's folder come and go: a name stands only for what is whole on the disk, and the manifest says what counts. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FeatureStoreError } from '../../errors.ts';
import { isLeftOver } from '../left-over.ts';
import { keepReplaced, listArchive, type Manifest, manifestName } from './manifest.ts';

/** Under its final name only when it is whole on the disk; when this resolves, so is the name. */
export async function makeDurable(draft: string, path: string, folder: string): Promise<void> {
  await sync(draft);
  await rename(draft, path);
  await sync(folder);
}

/**
 * Lets files count, which are whole on the disk, instead of others, all at one instant. The caller sees to it that nobody else does so
 * in this folder meanwhile; ABORTED where somebody has done so all the same, as after a process slept through the end of its lock.
 */
export async function replaceFiles(folder: string, replaced: readonly string[], added: readonly string[]): Promise<void> {
  const { manifest, names } = await listArchive(folder);
  const counting = new Set(names);
  const there = new Set(await readdir(folder));
  if (!replaced.every((name) => counting.has(name)) || !added.every((name) => there.has(name))) {
    throw new FeatureStoreError('ABORTED', `files of ${folder} were replaced by another process meanwhile`);
  }
  const now = Date.now();
  const kept = keepReplaced(manifest.replaced, now);
  const changed: Manifest = {
    merged: [...manifest.merged.filter((name) => !replaced.includes(name)), ...added],
    replaced: { ...kept, ...Object.fromEntries(replaced.map((name) => [name, now])) },
  };
  const draft = join(folder, draftName(manifestName));
  await writeFile(draft, JSON.stringify(changed));
  await makeDurable(draft, join(folder, manifestName), folder);
}

/** Removes the files that count no longer since an instant, in milliseconds since the epoch; when this resolves, for good. */
export async function removeReplaced(folder: string, sinceMs: number): Promise<void> {
  const { manifest } = await listArchive(folder);
  for (const name of await readdir(folder)) {
    const replacedMs = Object.hasOwn(manifest.replaced, name) ? manifest.replaced[name] : undefined;
    if (replacedMs !== undefined && replacedMs <= sinceMs) await rm(join(folder, name), { force: true });
  }
  await sync(folder);
}

/** Makes the folder of a source, and removes what processes that died were writing into it. */
export async function tidyFolder(directory: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await sync(directory);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.draft') && (await isAbandoned(path))) await rm(path, { force: true });
  }
}

/** Removes what was to replace others and never did: for whoever alone replaces files of the folder. */
export async function removeUnlisted(folder: string): Promise<void> {
  const { manifest } = await listArchive(folder);
  for (const name of await readdir(folder)) {
    const isUnlisted = name.endsWith('.merged.parquet') && !manifest.merged.includes(name) && !(name in manifest.replaced);
    if (isUnlisted || name.endsWith('.merged.parquet.draft')) await rm(join(folder, name), { force: true });
  }
}

/** Of a file that this process begins to write: others that share the folder leave it until this process is gone. */
export function draftName(name: string): string {
  return `${name}.${hostId}-${process.pid}.${randomUUID()}.draft`;
}

const hostId = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
/** No write takes so long. */
const draftLifetimeMs = 3_600_000;

async function isAbandoned(path: string): Promise<boolean> {
  const [, host, pid] = /\.([0-9a-f]{8})-(\d+)\.[^.]+\.draft$/.exec(path) ?? [];
  if (host === hostId) return await isLeftOver(path, Number(pid));
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && info.mtimeMs < Date.now() - draftLifetimeMs;
}

/** Removes what processes that died were staging. */
export async function removeLeftOvers(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const pid = /^\.staging-(\d+)$/.exec(name)?.[1];
    const path = join(directory, name);
    if (pid !== undefined && (await isLeftOver(path, Number(pid)))) await rm(path, { recursive: true, force: true });
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** How files of an archive's folder come and go: a name stands only for what is whole on the disk, and the manifest says what counts. */
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeftOver } from '../left-over.ts';
import { listArchive, type Manifest, manifestName } from './manifest.ts';

/** How long a retried push is known after its file was replaced by another. */
const keptKeysMs = 25 * 3_600_000;

/** Under its final name only when it is whole on the disk; when this resolves, so is the name. */
export async function makeDurable(draft: string, path: string, folder: string): Promise<void> {
  await sync(draft);
  await rename(draft, path);
  await sync(folder);
}

/**
 * Lets files count, which are whole on the disk, instead of others, all at one instant. The caller sees to it that nobody else does so
 * in this folder meanwhile.
 */
export async function replaceFiles(folder: string, replaced: readonly string[], added: readonly string[]): Promise<void> {
  const { manifest } = await listArchive(folder);
  const now = Date.now();
  const kept = Object.entries(manifest.replaced).filter(([, replacedMs]) => replacedMs > now - keptKeysMs);
  const changed: Manifest = {
    merged: [...manifest.merged.filter((name) => !replaced.includes(name)), ...added],
    replaced: { ...Object.fromEntries(kept), ...Object.fromEntries(replaced.map((name) => [name, now])) },
  };
  const draft = join(folder, `${manifestName}.draft`);
  await writeFile(draft, JSON.stringify(changed));
  await makeDurable(draft, join(folder, manifestName), folder);
}

/** Removes the files that count no longer since an instant, in milliseconds since the epoch; when this resolves, for good. */
export async function removeReplaced(folder: string, sinceMs: number): Promise<void> {
  const { manifest } = await listArchive(folder);
  for (const [name, replacedMs] of Object.entries(manifest.replaced)) {
    if (replacedMs <= sinceMs) await rm(join(folder, name), { force: true });
  }
  await sync(folder);
}

/** Makes the folder of a source, and removes what a killed process left half-done in it. */
export async function tidyFolder(directory: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await sync(directory);
  const { manifest } = await listArchive(folder);
  for (const name of await readdir(folder)) {
    const isUnlisted = name.endsWith('.merged.parquet') && !manifest.merged.includes(name) && !(name in manifest.replaced);
    if (isUnlisted || name.endsWith('.draft')) await rm(join(folder, name), { force: true });
  }
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

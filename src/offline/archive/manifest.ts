/**
 * What the files of an archive's folder are. `KEY.SHAPE.push.parquet` is one push, named by its idempotency key and the types of its
 * columns; `ID.SHAPE.merged.parquet` holds the rows of several files, and counts only once `manifest.json` says so: from then on the
 * files that it replaces count no longer, whether they are there or not. So a kill at any instant loses no row and doubles none.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Manifest {
  /** Names of merged files. */
  readonly merged: readonly string[];
  /** Name of a replaced file -> milliseconds since the epoch when it was. */
  readonly replaced: Readonly<Record<string, number>>;
}

export const manifestName = 'manifest.json';

/** The files that count, in the order of their names. */
export async function listArchive(folder: string): Promise<{ readonly names: readonly string[]; readonly manifest: Manifest }> {
  // In this order: a file that a merge replaces meanwhile is then still listed, and the merged one not yet.
  const manifest = await readManifest(folder);
  const all = await readdir(folder).catch(absent([]));
  const merged = new Set(manifest.merged);
  const names = all.filter((name) =>
    name.endsWith('.push.parquet') ? !Object.hasOwn(manifest.replaced, name) : merged.has(name),
  );
  return { names: names.sort(), manifest };
}

export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(absent(undefined));
  return text === undefined ? { merged: [], replaced: {} } : (JSON.parse(text) as Manifest);
}

/** The part of a file's name that says the types of its columns. */
export function shapeOf(name: string): string {
  return name.split('.')[1] ?? '';
}

/** The part of a push's name that its idempotency key makes. */
export function keyOf(name: string): string {
  return name.split('.')[0] ?? '';
}

function absent<T>(value: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}

/**
 * What the files of an archive's folder are. `KEY.SHAPE.push.parquet` is one push, named by its idempotency key and the types of its
 * columns; `ID.SHAPE.merged.parquet` holds the rows of several files, and counts only once `manifest.json` says so: from then on the
 * files that it replaces count no longer, whether they are there or not. So a kill at any instant loses no row and doubles none.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createVersionedReader } from '../versioned-file.ts';

export interface Manifest {
  /** Names of merged files. */
  readonly merged: readonly string[];
  /** Name of a replaced file -> milliseconds since the epoch when it was. */
  readonly replaced: Readonly<Record<string, number>>;
}

/** What the names of files that were merged end with. */
export const mergedName = /\.merged\.parquet$/;

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

/** Of a stream one names all files of a day, and each of its batches looks at it. */
const read = createVersionedReader<Manifest>({ merged: [], replaced: {} }, (text) => JSON.parse(text) as Manifest);

export function readManifest(folder: string): Promise<Manifest> {
  return read(join(folder, manifestName));
}

/** How long a retried push is known after its file was replaced by another. */
const keptKeysMs = 25 * 3_600_000;
/** The same of batches of a stream, of which there are many, and one is retried before its partition goes on. */
const keptBatchesMs = 3_600_000;
/** So many of the newest batches are known however long ago they were, as a stream may have stood still in between. */
const keptBatches = 4096;

/** The replaced files whose keys are still to be known. */
export function keepReplaced(replaced: Manifest['replaced'], nowMs: number): Manifest['replaced'] {
  const entries = Object.entries(replaced).toSorted(([, a], [, b]) => b - a);
  let batches = 0;
  const kept = entries.filter(([name, replacedMs]) => {
    if (!isBatch(name)) return replacedMs > nowMs - keptKeysMs;
    batches += 1;
    return batches <= keptBatches || replacedMs > nowMs - keptBatchesMs;
  });
  return Object.fromEntries(kept);
}

/** Shapes of events say so. */
function isBatch(name: string): boolean {
  return shapeOf(name).startsWith(eventsShape);
}

export const eventsShape = 'events-';

const keys = new WeakMap<Manifest, ReadonlySet<string>>();

/** Idempotency keys of the files that were replaced. */
export function replacedKeys(manifest: Manifest): ReadonlySet<string> {
  const known = keys.get(manifest) ?? new Set(Object.keys(manifest.replaced).map(keyOf));
  keys.set(manifest, known);
  return known;
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

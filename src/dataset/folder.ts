/** The folders of datasets: a version is a draft until it is whole, takes its number by being renamed, and is never there in part. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FeatureStoreError } from '../errors.ts';
import { asDiskFull } from './disk-full.ts';
import { type DatasetManifest, decodeManifest } from './manifest.ts';
import { describeOwner, isOwned, keepMarking, unwrittenMs } from './owner.ts';

/** What is being written, until it is published or discarded. */
export interface Draft {
  readonly path: string;
  /** Gives it the next number of its name; `manifest` is written with that number before anything can be read under it. */
  publish(manifest: Omit<DatasetManifest, 'version'>): Promise<DatasetManifest>;
  /** Removes it; harmless after publish. */
  discard(): Promise<void>;
}

const draftPrefix = '.draft-';
const ownerFile = 'owner.json';

/** Begins a draft in the folder of all datasets. */
export async function createDraft(directory: string): Promise<Draft> {
  const path = join(directory, `${draftPrefix}${randomBytes(8).toString('hex')}`);
  const mark = join(path, ownerFile);
  try {
    await mkdir(path, { recursive: true });
    await writeFile(mark, JSON.stringify(describeOwner()));
  } catch (error) {
    await rm(path, { recursive: true, force: true }).catch(() => {});
    throw asDiskFull(error, directory);
  }
  const stopMarking = keepMarking(mark);
  return {
    path,
    async publish(manifest) {
      await syncAll(path);
      const published = await publish(directory, path, manifest);
      stopMarking();
      // It came along, as a draft without one says nothing of who left it; in a version it means nothing.
      await rm(join(versionPath(directory, published.name, published.version), ownerFile), { force: true }).catch(() => {});
      return published;
    },
    async discard() {
      stopMarking();
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function publish(directory: string, draft: string, made: Omit<DatasetManifest, 'version'>): Promise<DatasetManifest> {
  const home = join(directory, made.name);
  await mkdir(home, { recursive: true });
  for (;;) {
    const version = 1 + Math.max(0, ...(await listNumbers(home)));
    const manifest = { ...made, version };
    await writeFile(join(draft, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);
    await sync(join(draft, 'manifest.json'));
    await sync(draft);
    try {
      await rename(draft, join(home, String(version)));
    } catch (error) {
      // Another server was quicker with that number.
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) continue;
      throw error;
    }
    await sync(home);
    await sync(directory);
    return manifest;
  }
}

/** Numbers that were given to versions of a name, those of deleted ones included: none is given twice. */
async function listNumbers(home: string): Promise<number[]> {
  return (await names(home)).flatMap((name) => /^(\d+)(?:\.deleted)?$/.exec(name)?.[1] ?? []).map(Number);
}

/** Names of all datasets that have a version, in order. */
export async function listNames(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await names(directory)).filter((one) => !one.startsWith('.')).sort())
    if ((await listVersions(directory, name)).length > 0) found.push(name);
  return found;
}

/** The versions of a name that can be read, in order. */
export async function listVersions(directory: string, name: string): Promise<number[]> {
  const all = await names(join(directory, name));
  const gone = new Set(all.flatMap((one) => /^(\d+)\.deleted$/.exec(one)?.[1] ?? []));
  const standing = all.filter((one) => /^\d+$/.test(one) && !gone.has(one));
  return standing.map(Number).sort((a, b) => a - b);
}

/** The folder of a version. */
export function versionPath(directory: string, name: string, version: number): string {
  return join(directory, name, String(version));
}

/** The manifest of a version; undefined where there is no such version. */
export async function readManifest(directory: string, name: string, version: number): Promise<DatasetManifest | undefined> {
  if ((await readTombstone(directory, name, version)) !== undefined) return undefined;
  const damaged = (what: string, cause?: unknown) => {
    const path = `datasets/${name}/${version}/manifest.json`;
    const message = `${path} ${what}; restore it, or delete this version and create the dataset again`;
    return new FeatureStoreError('DATA_LOSS', message, { details: { dataset: `${name}@${version}`, path }, cause });
  };
  const path = join(versionPath(directory, name, version), 'manifest.json');
  let cause: NodeJS.ErrnoException | undefined;
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    cause = error;
  });
  if (typeof text === 'string') return decodeManifest(text, { name, version });
  if (!(await exists(versionPath(directory, name, version)))) return undefined;
  // Its files may be going since somebody deleted it just now.
  if ((await readTombstone(directory, name, version)) !== undefined) return undefined;
  const isGone = cause?.code === 'ENOENT' || cause?.code === 'ENOTDIR';
  throw damaged(isGone ? 'is gone' : `cannot be read (${cause?.code})`, cause);
}

/** What is left of a deleted version: its number is not given again, and whoever asks is told when it went. */
export interface Tombstone {
  /** null where nobody knew it any more. */
  readonly id: string | null;
  readonly views: readonly string[] | null;
  readonly deleted_at: string;
  readonly by: string | null;
}

/** Where the tombstone of a version is. */
export function tombstonePath(directory: string, name: string, version: number): string {
  return `${versionPath(directory, name, version)}.deleted`;
}

export async function readTombstone(directory: string, name: string, version: number): Promise<Tombstone | undefined> {
  const path = tombstonePath(directory, name, version);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Tombstone;
  } catch {
    // It says by being there that the version is gone.
    const at = (await stat(path)).mtime.toISOString();
    return { id: null, views: null, deleted_at: at, by: null };
  }
}

/** Removes the files of a version that has a tombstone. */
export async function removeDeleted(directory: string, name: string, version: number): Promise<void> {
  // Another process may be at it too.
  await rm(versionPath(directory, name, version), { recursive: true, force: true, maxRetries: 3 });
}

/** Whether a file of a dataset's folder announces a deletion; `of` which version. */
export function isDeletion(file: string, of?: number): boolean {
  const [, version] = /^(\d+)\.deleting-/.exec(file) ?? [];
  return version !== undefined && (of === undefined || version === String(of));
}

/** What could not be removed, and why. */
export interface Unremoved {
  readonly path: string;
  readonly error: unknown;
}

/** Removes drafts and announcements of processes that died, and what is left of deleted versions: of what it can, what it cannot it tells. */
export async function sweep(directory: string): Promise<readonly Unremoved[]> {
  const unremoved: Unremoved[] = [];
  const attempt = (path: string, work: () => Promise<void>) =>
    work().catch((error: unknown) => {
      unremoved.push({ path, error });
    });

  async function sweepDraft(path: string): Promise<void> {
    if (await isAbandoned(path)) await rm(path, { recursive: true, force: true });
  }

  async function sweepFile(home: string, file: string): Promise<void> {
    const version = /^(\d+)\.deleted$/.exec(file)?.[1];
    if (version !== undefined) await removeDeleted(directory, home, Number(version));
    // Whoever announced it died before it was done.
    else if (isDeletion(file) && !(await isOwned(join(directory, home, file))))
      await rm(join(directory, home, file), { force: true });
  }

  async function sweepHome(home: string): Promise<void> {
    for (const file of await names(join(directory, home)))
      await attempt(join(directory, home, file.replace(/\.deleted$/, '')), () => sweepFile(home, file));
  }

  await attempt(directory, async () => {
    for (const name of await names(directory)) {
      const path = join(directory, name);
      if (name.startsWith(draftPrefix)) await attempt(path, () => sweepDraft(path));
      else if (!name.startsWith('.')) await attempt(path, () => sweepHome(name));
    }
  });
  return unremoved;
}

async function isAbandoned(path: string): Promise<boolean> {
  const mark = join(path, ownerFile);
  if (await isOwned(mark)) return false;
  if ((await stat(mark).catch(() => undefined)) !== undefined) return true;
  // It has no mark yet.
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && info.mtimeMs < Date.now() - unwrittenMs;
}

/** Everything of a folder to the disk, its names included. */
async function syncAll(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncAll(join(path, entry.name));
    else await sync(join(path, entry.name));
  }
  await sync(path);
}

export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function names(path: string): Promise<string[]> {
  return await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

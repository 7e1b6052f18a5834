/**
 * Deleting a version: announced first, so that whoever begins to read it then waits for the outcome, and whoever began before is seen;
 * then done, which is a second name of one file that nobody else may have given, or taken back.
 */
import { randomBytes } from 'node:crypto';
import { link, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FeatureStoreError } from '../errors.ts';
import { asUnmarked } from './disk-full.ts';
import { isDeletion, sync, type Tombstone, tombstonePath, versionPath } from './folder.ts';
import { formatReference } from './name.ts';
import { describeOwner, isOwned, keepMarking } from './owner.ts';

export interface Deletion {
  /** From here on nobody finds the version; false where another deletion of it was done before. */
  commit(): Promise<boolean>;
  /** It stays as it was; harmless after commit. */
  withdraw(): Promise<void>;
}

const lookMs = 20;
const patienceMs = 60_000;

/** Announces that a version is to be deleted; it still stands. */
export async function announceDeletion(
  directory: string,
  name: string,
  version: number,
  tombstone: Tombstone,
): Promise<Deletion> {
  const path = `${versionPath(directory, name, version)}.deleting-${randomBytes(8).toString('hex')}`;
  try {
    await writeFile(path, JSON.stringify({ ...tombstone, ...describeOwner() }));
  } catch (error) {
    // There may be an empty one, at which readers would wait.
    await rm(path, { force: true }).catch(() => {});
    throw asUnmarked(error, `dataset ${formatReference({ name, version })} cannot be deleted`);
  }
  const stopMarking = keepMarking(path);
  return {
    async commit() {
      await sync(path);
      const isFirst = await link(path, tombstonePath(directory, name, version)).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') return false;
          throw error;
        },
      );
      stopMarking();
      await rm(path, { force: true });
      await sync(dirname(path));
      return isFirst;
    },
    async withdraw() {
      stopMarking();
      await rm(path, { force: true });
    },
  };
}

/** Waits while somebody looks whether the version may be deleted; UNAVAILABLE where that takes longer than a minute. */
export async function awaitDeletions(directory: string, name: string, version: number): Promise<void> {
  for (const until = Date.now() + patienceMs; (await listDeletions(directory, name, version)).length > 0; ) {
    if (Date.now() > until) {
      const dataset = formatReference({ name, version });
      throw new FeatureStoreError('UNAVAILABLE', `dataset ${dataset} is about to be deleted by another process; try again`, {
        details: { dataset },
      });
    }
    await pause(lookMs);
  }
}

async function listDeletions(directory: string, name: string, version: number): Promise<string[]> {
  const home = dirname(versionPath(directory, name, version));
  const found: string[] = [];
  for (const one of await readdir(home).catch(() => []))
    if (isDeletion(one, version) && (await isOwned(join(home, one)))) found.push(one);
  return found;
}

/** How much the storage may still take: measured in its folder, and counted while it is written. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface StorageRoom {
  /** Looks into the folder again; to be awaited before something new is written. */
  measure(): Promise<void>;
  /** Counts what is about to be written into a file of the folder; false, and not counted, where there is no room for it. */
  take(bytes: number): boolean;
  /** The same of a file that has no name, and so is not found in the folder: until it is given back. */
  takeUnnamed(bytes: number): boolean;
  giveUnnamed(bytes: number): void;
}

/** Room for `maxBytes` in a folder that replicas may share. */
export function createStorageRoom(directory: string, maxBytes: number): StorageRoom {
  let held = 0;
  let unnamed = 0;

  function take(bytes: number): boolean {
    if (held + bytes > maxBytes) return false;
    held += bytes;
    return true;
  }

  return {
    async measure() {
      const before = held;
      const named = await namedBytes(directory);
      // What others took meanwhile may or may not be on the disk yet: rather twice than not at all.
      held = named + unnamed + Math.max(0, held - before);
    },
    take,
    takeUnnamed(bytes) {
      if (!take(bytes)) return false;
      unnamed += bytes;
      return true;
    },
    giveUnnamed(bytes) {
      held -= bytes;
      unnamed -= bytes;
    },
  };
}

async function namedBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name)).catch(() => ({ size: 0 }))).size;
  return bytes;
}

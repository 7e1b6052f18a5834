/** The bytes of pushes as files of a folder: under its name a payload is whole and on the disk, and the first writer's stays. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface PushPayload {
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly writtenMs: number;
}

export interface PushPayloads {
  /** Writes a payload, unless there is one of that name; it is found after a crash once `sync` has resolved as well. */
  keep(name: string, payload: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  /** undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  remove(names: readonly string[]): Promise<void>;
  /** All there are by name; drafts of processes that died long ago are removed. */
  list(): Promise<ReadonlyMap<string, PushPayload>>;
}

const ending = '.push';
/** No write takes so long. */
const draftLifetimeMs = 3_600_000;

export function openPushPayloads(folder: string): PushPayloads {
  let made: Promise<void> | undefined;
  const make = async () => {
    made ??= makeFolder(folder);
    made.catch(() => {
      made = undefined;
    });
    await made;
  };
  const pathOf = (name: string) => join(folder, name + ending);
  return {
    async keep(name, payload) {
      await make();
      const draft = join(folder, `${name}.${randomUUID()}.draft`);
      try {
        await writeDurably(draft, payload);
        await link(draft, pathOf(name)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
      } finally {
        await rm(draft, { force: true });
      }
    },
    sync: () => syncFolder(folder),
    read: (name) => readFile(pathOf(name)).catch(absent(undefined)),
    async remove(names) {
      await Promise.all(names.map((name) => rm(pathOf(name), { force: true })));
    },
    async list() {
      const found = new Map<string, PushPayload>();
      for (const name of await readdir(folder).catch(absent([]))) {
        const path = join(folder, name);
        const info = await stat(path).catch(absent(undefined));
        if (info === undefined) continue;
        if (name.endsWith(ending)) found.set(name.slice(0, -ending.length), { bytes: info.size, writtenMs: info.mtimeMs });
        else if (name.endsWith('.draft') && info.mtimeMs < Date.now() - draftLifetimeMs) await rm(path, { force: true });
      }
      return found;
    },
  };
}

/** What stands for a file that is not there. */
function absent<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return instead;
    throw error;
  };
}

async function makeFolder(folder: string): Promise<void> {
  // Every folder that was not there must be found after a crash, and so its name in the one above.
  const first = await mkdir(folder, { recursive: true });
  for (let at = folder; first !== undefined && at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
}

async function writeDurably(path: string, payload: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(payload);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const file = await open(folder, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

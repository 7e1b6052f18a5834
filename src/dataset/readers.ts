/** Who reads a dataset now, told by a file of each process that does: those of other servers over the same storage are seen too. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asUnmarked } from './disk-full.ts';
import type { Unremoved } from './folder.ts';
import { describeOwner, isOwned, keepMarking } from './owner.ts';

export interface Readers {
  /** Says that a version is read, until what it gives is called; UNAVAILABLE where the storage is full. */
  hold(reference: string): Promise<() => void>;
  /** How many streams of this process, and how many other processes, read it now. */
  count(reference: string): Promise<{ readonly streams: number; readonly others: number }>;
  /** Removes what processes that died have left; answers what it could not remove. */
  sweep(): Promise<readonly Unremoved[]>;
}

interface Held {
  streams: number;
  readonly path: string;
  stopMarking(): void;
  readonly written: Promise<void>;
}

export function createReaders(directory: string): Readers {
  const folder = join(directory, '.readers');
  const own = randomBytes(8).toString('hex');
  const held = new Map<string, Held>();
  let files = 0;

  async function begin(path: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(path, JSON.stringify(describeOwner()));
  }

  function open(reference: string): Held {
    const path = join(folder, `${reference}.${own}.${files++}`);
    return { streams: 0, path, stopMarking: keepMarking(path), written: begin(path) };
  }

  async function hold(reference: string): Promise<() => void> {
    const entry = held.get(reference) ?? open(reference);
    held.set(reference, entry);
    entry.streams += 1;
    let isOver = false;
    const release = () => {
      if (isOver) return;
      isOver = true;
      entry.streams -= 1;
      if (entry.streams > 0) return;
      held.delete(reference);
      entry.stopMarking();
      void rm(entry.path, { force: true }).catch(() => {});
    };
    await entry.written.catch((error: unknown) => {
      release();
      throw asUnmarked(error, `dataset ${reference} cannot be read`);
    });
    return release;
  }

  async function count(reference: string) {
    const found = await readdir(folder).catch(() => []);
    const others = found.filter((name) => name.startsWith(`${reference}.`) && !name.startsWith(`${reference}.${own}.`));
    const alive = await Promise.all(others.map((name) => isOwned(join(folder, name))));
    return { streams: held.get(reference)?.streams ?? 0, others: alive.filter(Boolean).length };
  }

  async function sweep(): Promise<readonly Unremoved[]> {
    const unremoved: Unremoved[] = [];
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      if (name.includes(`.${own}.`) || (await isOwned(path))) continue;
      await rm(path, { force: true }).catch((error: unknown) => unremoved.push({ path, error }));
    }
    return unremoved;
  }

  return { hold, count, sweep };
}

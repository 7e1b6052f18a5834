/** Who reads a dataset now, told by a file of each process that does: those of other servers over the same storage are seen too. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isLeftOver } from '../offline/left-over.ts';
import { abandonedMs } from './folder.ts';

export interface Readers {
  /** Says that a version is read, until what it gives is called. */
  hold(reference: string): Promise<() => void>;
  /** How many streams of this process, and how many other processes, read it now. */
  count(reference: string): Promise<{ readonly streams: number; readonly others: number }>;
  /** Removes what processes that died have left. */
  sweep(): Promise<void>;
}

interface Held {
  streams: number;
  readonly path: string;
  readonly marking: NodeJS.Timeout;
  readonly written: Promise<void>;
}

const markMs = 10_000;

export function createReaders(directory: string): Readers {
  const folder = join(directory, '.readers');
  const own = randomBytes(8).toString('hex');
  const held = new Map<string, Held>();
  let files = 0;

  async function begin(path: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(path, JSON.stringify({ host: hostname(), pid: process.pid }));
  }

  function open(reference: string): Held {
    const path = join(folder, `${reference}.${own}.${files++}`);
    const marking = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), markMs).unref();
    return { streams: 0, path, marking, written: begin(path) };
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
      clearInterval(entry.marking);
      void rm(entry.path, { force: true }).catch(() => {});
    };
    await entry.written.catch((error: unknown) => {
      release();
      throw error;
    });
    return release;
  }

  async function count(reference: string) {
    const found = await readdir(folder).catch(() => []);
    const others = found.filter((name) => name.startsWith(`${reference}.`) && !name.startsWith(`${reference}.${own}.`));
    const alive = await Promise.all(others.map((name) => isAlive(join(folder, name))));
    return { streams: held.get(reference)?.streams ?? 0, others: alive.filter(Boolean).length };
  }

  async function sweep(): Promise<void> {
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      if (!name.includes(`.${own}.`) && !(await isAlive(path))) await rm(path, { force: true });
    }
  }

  return { hold, count, sweep };
}

async function isAlive(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.mtimeMs < Date.now() - abandonedMs) return false;
  const owner = await readFile(path, 'utf8').then(JSON.parse, () => undefined);
  return owner?.host !== hostname() || !(await isLeftOver(path, owner.pid));
}

/** A folder is rewritten by one process at a time, whichever share it: a lock file in it, renewed as long as the work goes on. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLeftOver } from '../left-over.ts';
import { draftName } from './folder.ts';

interface Holder {
  readonly host: string;
  readonly pid: number;
  readonly id: string;
}

const lockName = 'rewriting.lock';
const pollMs = 50;
const renewMs = 10_000;
/** Silence after which a process of another machine is taken for dead. */
const silenceMs = 120_000;

/** Waits for whoever rewrites the folder; the lock of a process that is no more is taken from it. */
export async function rewriteAlone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, lockName);
  const own = JSON.stringify({ host: hostname(), pid: process.pid, id: randomUUID() } satisfies Holder);
  while (!(await take(path, own))) {
    if (!(await release(path, isAbandoned))) await sleep(pollMs);
  }
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), renewMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await release(path, async (text) => text === own);
  }
}

async function take(path: string, own: string): Promise<boolean> {
  const draft = draftName(path);
  try {
    // Whole from its first moment on, so that nobody reads half of it.
    await writeFile(draft, own);
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the lock if it is that of whom the condition is true, and no other that has come into its place meanwhile. */
async function release(path: string, condition: (text: string, path: string) => Promise<boolean>): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(absent);
  if (text === undefined || !(await condition(text, path))) return false;
  const aside = draftName(path);
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, path);
    return true;
  } catch (error) {
    if (['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function isAbandoned(text: string, path: string): Promise<boolean> {
  const { host, pid } = JSON.parse(text) as Holder;
  if (host === hostname()) return await isLeftOver(path, pid);
  const info = await stat(path).catch(absent);
  return info !== undefined && info.mtimeMs < Date.now() - silenceMs;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

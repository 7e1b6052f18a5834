/** Files by which a process says what it is at: they name it and are touched while it lives, so that what it leaves behind is known. */
import { readFile, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isLeftOver } from '../offline/left-over.ts';

/** A process says so often that it is still at it, and a file is nobody's when it has not for so long. */
const markMs = 10_000;
export const abandonedMs = 300_000;

/** What such a file holds: this process. */
export function describeOwner(): { readonly host: string; readonly pid: number } {
  return { host: hostname(), pid: process.pid };
}

/** Touches a file again and again, until what it gives is called. */
export function keepMarking(path: string): () => void {
  const marking = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), markMs).unref();
  return () => clearInterval(marking);
}

/** Whether the process that a file names is still at it; of another host's by how long it has not been touched. */
export async function isOwned(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.mtimeMs < Date.now() - abandonedMs) return false;
  const owner = await readFile(path, 'utf8')
    .then((text) => JSON.parse(text))
    // It is being written.
    .catch(() => undefined);
  return owner?.host !== hostname() || !(await isLeftOver(path, owner.pid));
}

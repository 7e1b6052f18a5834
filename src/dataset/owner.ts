/** Files by which a process says what it is at: they name it and are touched while it lives, so that what it leaves behind is known. */
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isLeftOver } from '../offline/left-over.ts';

/** A process says so often that it is still at it, and a file is nobody's when it has not for so long. */
const markMs = 10_000;
const abandonedMs = 300_000;
/** A file is written at once: what has not been written for so long will not be. */
export const unwrittenMs = 30_000;

/** Where a process id means the same process: containers may have one name, and each its own processes. */
function readProcesses(): string | null {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

const self = { host: hostname(), processes: readProcesses(), pid: process.pid };

/** What such a file holds: this process. */
export function describeOwner(): { readonly host: string; readonly processes: string | null; readonly pid: number } {
  return self;
}

/** Touches a file again and again, until what it gives is called. */
export function keepMarking(path: string): () => void {
  const marking = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), markMs).unref();
  return () => clearInterval(marking);
}

/** Whether the process that a file names is still at it: where it cannot be looked for, by how long it has been silent. */
export async function isOwned(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return false;
  const silentMs = Date.now() - info.mtimeMs;
  const owner = await readFile(path, 'utf8')
    .then((text) => JSON.parse(text))
    .catch(() => undefined);
  if (owner == null) return silentMs < unwrittenMs;
  if (silentMs > abandonedMs) return false;
  const isNear = owner.host === self.host && owner.processes === self.processes;
  return !isNear || !(await isLeftOver(path, owner.pid));
}

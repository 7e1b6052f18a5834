/** What processes that are no more have left behind, in files or folders that are named by the process that wrote them. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A process id may be given again, in a container even to the same program: what is older than this process is not its own. */
export async function isLeftOver(path: string, pid: number): Promise<boolean> {
  if (pid !== process.pid) return !isRunning(pid);
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && info.mtimeMs < Date.now() - process.uptime() * 1000;
}

/** Removes what is left over in a folder whose names begin with process ids. */
export async function removeLeftOvers(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    if (await isLeftOver(path, Number.parseInt(name, 10))) await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

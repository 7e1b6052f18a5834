/** Whether a file or folder, named by the process that wrote it, was left behind by a process that is no more. */
import { stat } from 'node:fs/promises';

/** A process id may be given again, in a container even to the same program: what is older than this process is not its own. */
export async function isLeftOver(path: string, pid: number): Promise<boolean> {
  if (pid !== process.pid) return !isRunning(pid);
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && info.mtimeMs < Date.now() - process.uptime() * 1000;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

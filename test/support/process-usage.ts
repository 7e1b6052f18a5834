/** What a process takes of the machine, from Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** Memory that is resident now, in MiB. */
  readonly residentMiB: number;
  /** Files, sockets and pipes it holds open. */
  readonly openFiles: number;
}

export function readUsage(pid: number): ProcessUsage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return { residentMiB: kibibytes / 1024, openFiles: readdirSync(`/proc/${pid}/fd`).length };
}

/** The most memory, in MiB, that a process has resident while `work` runs, looked at every 20 ms. */
export async function peakResidentMiB(pid: number, work: () => Promise<unknown>): Promise<number> {
  let peak = readUsage(pid).residentMiB;
  const timer = setInterval(() => {
    peak = Math.max(peak, readUsage(pid).residentMiB);
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

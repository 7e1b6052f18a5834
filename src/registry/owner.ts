/** Who may write the state: one process at a time, known by its id, the time it started and the socket it listens at. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { FeatureStoreError } from '../errors.ts';

export interface OwnerRecord {
  readonly pid: number;
  /** When the process started, in the system's own notation: a number that was given away again does not match it. */
  readonly started: string;
  /** Where it shows that it lives, also to other containers; absent where the file system has no sockets. See OwnerSocket. */
  readonly socket?: string;
  /** Where the owner listens, if it is a server. */
  readonly address?: string;
  /** What it does, for messages, such as `serve`. */
  readonly purpose: string;
}

/** The record of this process. */
export function ownRecord(purpose: string, address?: string, socket?: string): OwnerRecord {
  const started = processStart(process.pid) ?? 'unknown';
  return {
    pid: process.pid,
    started,
    purpose,
    ...(socket === undefined ? {} : { socket }),
    ...(address === undefined ? {} : { address }),
  };
}

/** Whether two records are of the same opening of the state. */
export function isSameOwner(a: OwnerRecord | undefined, b: OwnerRecord | undefined): boolean {
  return a?.pid === b?.pid && a?.started === b?.started && a?.socket === b?.socket;
}

/** Whether the process of a record still runs, as far as this container sees. */
export function isAlive(owner: OwnerRecord): boolean {
  return processStart(owner.pid) === owner.started;
}

/** FAILED_PRECONDITION that names the process holding the state, and its address if it serves. */
export function heldError(path: string, owner: OwnerRecord): FeatureStoreError {
  const where = owner.address === undefined ? '' : ` at ${owner.address}`;
  const fix = owner.purpose === 'serve' ? 'ask that server, or stop it first' : 'wait until it is done';
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `the state in ${path} is held by process ${owner.pid} (featherflight ${owner.purpose}${where}), and only one process may write it; ${fix}`,
    { details: { pid: owner.pid, address: owner.address ?? null, purpose: owner.purpose, state: path } },
  );
}

/** undefined when no such process runs. */
function processStart(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return linuxStart(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/PID/stat, clock ticks since boot; the name in field 2 may hold blanks and brackets. A zombie runs no more. */
function linuxStart(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

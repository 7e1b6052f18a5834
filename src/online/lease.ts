/** A lease in the online store, so that a thing is done by one at a time, whichever processes try. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { FeatureStoreError } from '../errors.ts';
import type { OnlineRecords } from './records.ts';

interface StoredLease {
  readonly host: string;
  readonly pid: number;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
}

/** What is done by one at a time. */
export interface LeaseSubject {
  /** The same for all who might do it. */
  readonly name: string;
  /** What somebody is doing who has the lease, for people: `feature view "x" is being materialized`. */
  readonly work: string;
  /** Of the error for others. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Lease {
  /** Aborts when the lease was lost. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

const kind = 'lease';
const lengthMs = 30_000;
const renewMs = 10_000;

/** Lets a process know its own leases from those of one before it with the same process id. */
const processId = randomUUID();

/** Takes a lease, that of a process of this machine which is no more included; ABORTED, with the holder, while somebody has it. */
export async function takeLease(records: OnlineRecords, what: LeaseSubject, signal?: AbortSignal): Promise<Lease> {
  const id = `${processId}/${randomUUID()}`;
  const own = (): StoredLease => ({ host: hostname(), pid: process.pid, id, expiresMs: Date.now() + lengthMs });
  const take = (current: StoredLease | undefined) => {
    if (current === undefined || current.id === id || isOver(current)) return own();
    throw busy(what, current);
  };
  await records.update<StoredLease>(kind, what.name, take, signal);
  const lost = new AbortController();
  let renewedMs = Date.now();
  const renew = () =>
    records.update<StoredLease>(kind, what.name, take).then(
      () => {
        renewedMs = Date.now();
      },
      (error: unknown) => {
        const isTaken = error instanceof FeatureStoreError && error.details.reason === 'busy';
        if (isTaken || Date.now() - renewedMs > lengthMs) lost.abort(error);
      },
    );
  const timer = setInterval(renew, renewMs);
  timer.unref();
  return {
    signal: lost.signal,
    async release() {
      clearInterval(timer);
      await records.update<StoredLease>(kind, what.name, (current) => (current?.id === id ? undefined : current));
    },
  };
}

/** Whether a run failed because another process, or another call, is at the same thing. */
export function isBusy(error: unknown): boolean {
  return error instanceof FeatureStoreError && error.details.reason === 'busy';
}

function isOver({ host, pid, id, expiresMs }: StoredLease): boolean {
  if (expiresMs <= Date.now()) return true;
  if (host !== hostname()) return false;
  return pid === process.pid ? !id.startsWith(processId) : !isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function busy({ work, details }: LeaseSubject, { host, pid, expiresMs }: StoredLease): FeatureStoreError {
  return new FeatureStoreError(
    'ABORTED',
    `${work} by process ${pid} on ${host}; try again when it is done (its lease ends ${new Date(expiresMs).toISOString()} unless renewed)`,
    { details: { ...details, reason: 'busy', host, pid } },
  );
}

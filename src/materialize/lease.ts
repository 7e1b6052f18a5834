/** A lease in the online store, so that no view is materialized twice at once, whichever processes try. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { FeatureStoreError } from '../errors.ts';
import type { OnlineRecords } from '../online/records.ts';

interface StoredLease {
  readonly host: string;
  readonly pid: number;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
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

/**
 * Takes the lease of a view, that of a process of this machine which is no more included; ABORTED, with the holder, while somebody has it.
 */
export async function takeLease(records: OnlineRecords, view: string, signal?: AbortSignal): Promise<Lease> {
  const id = `${processId}/${randomUUID()}`;
  const own = (): StoredLease => ({ host: hostname(), pid: process.pid, id, expiresMs: Date.now() + lengthMs });
  const take = (current: StoredLease | undefined) => {
    if (current === undefined || current.id === id || isOver(current)) return own();
    throw busy(view, current);
  };
  await records.update<StoredLease>(kind, view, take, signal);
  const lost = new AbortController();
  let renewedMs = Date.now();
  const renew = () =>
    records.update<StoredLease>(kind, view, take).then(
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
      await records.update<StoredLease>(kind, view, (current) => (current?.id === id ? undefined : current));
    },
  };
}

/** Whether a run failed because another process, or another call, is at the same view. */
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

function busy(view: string, { host, pid, expiresMs }: StoredLease): FeatureStoreError {
  return new FeatureStoreError(
    'ABORTED',
    `feature view "${view}" is being materialized by process ${pid} on ${host}; try again when it is done (its lease ends ${new Date(expiresMs).toISOString()} unless renewed)`,
    { details: { view, reason: 'busy', host, pid } },
  );
}

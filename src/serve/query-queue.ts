/** The queue before the engine: few queries run, some wait in turn, the rest are told when to come back. */
import { FeatureStoreError } from '../errors.ts';

export interface QueueLimits {
  readonly maxConcurrentQueries: number;
  readonly maxQueuedQueries: number;
  readonly maxQueriesPerToken: number;
  readonly queryTimeoutSeconds: number;
}

export interface QueryQueue {
  /** Waits for a turn, then runs; `signal` aborts with the call, or with RESOURCE_EXHAUSTED when the query's time is up. */
  enter(owner: string, signal: AbortSignal): Promise<Turn>;
  readonly running: number;
  readonly waiting: number;
}

export interface Turn {
  readonly signal: AbortSignal;
  /**
   * Says that it is for the client now to go on, by reading or sending; the function it gives back must be awaited when it did. A
   * turn that stands still for a second goes to others meanwhile: a notebook left with a half-read answer keeps nobody waiting.
   */
  pause(): () => Promise<void>;
  /** Between steps of long work: lets those go first who wait, if anybody does, and resolves in the next turn. */
  giveWay(): Promise<void>;
  /** Must be called once, whatever happened. */
  leave(): void;
}

const restAfterMs = 1_000;

interface Waiting {
  readonly admit: () => void;
}

/** Makes a queue; `what` is what its messages call those that wait in it. */
export function createQueryQueue(limits: QueueLimits, what: 'query' | 'check' = 'query'): QueryQueue {
  const count = (n: number) => `${n} ${n === 1 ? what : what === 'query' ? 'queries' : 'checks'}`;
  let running = 0;
  const waiting: Waiting[] = [];
  const perOwner = new Map<string, number>();
  const recentSeconds: number[] = [];

  const next = () => {
    while (running < limits.maxConcurrentQueries && waiting.length > 0) {
      running += 1;
      waiting.shift()?.admit();
    }
  };
  const forget = (owner: string) => {
    const left = (perOwner.get(owner) as number) - 1;
    if (left === 0) perOwner.delete(owner);
    else perOwner.set(owner, left);
  };

  async function enter(owner: string, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted();
    const own = perOwner.get(owner) ?? 0;
    if (own >= limits.maxQueriesPerToken)
      throw exhausted(`this caller already has ${count(own)} running or waiting`, retrySeconds());
    const full = running >= limits.maxConcurrentQueries;
    if (full && waiting.length >= limits.maxQueuedQueries) {
      throw exhausted(`${count(running)} running and ${waiting.length} waiting are as many as may be`, retrySeconds());
    }
    perOwner.set(owner, own + 1);
    const timeout = new AbortController();
    const timer = setTimeout(() => {
      timeout.abort(
        exhausted(`the ${what} took longer than the ${limits.queryTimeoutSeconds} s it may`, 60, { reason: 'too_long' }),
      );
    }, limits.queryTimeoutSeconds * 1000);
    const combined = AbortSignal.any([signal, timeout.signal]);
    let started = 0;
    let left = false;
    let holds = false;
    let resting: NodeJS.Timeout | undefined;
    const release = () => {
      if (!holds) return;
      holds = false;
      running -= 1;
      next();
    };
    const pause = () => {
      resting = setTimeout(release, restAfterMs);
      return async () => {
        clearTimeout(resting);
        if (holds) return;
        await turn(combined, 'first');
        holds = true;
      };
    };
    const giveWay = async () => {
      if (waiting.length === 0) return;
      release();
      await turn(combined, 'last');
      holds = true;
    };
    const leave = () => {
      if (left) return;
      left = true;
      clearTimeout(timer);
      clearTimeout(resting);
      forget(owner);
      if (started === 0) return;
      recentSeconds.push((performance.now() - started) / 1000);
      if (recentSeconds.length > 16) recentSeconds.shift();
      release();
    };
    try {
      await turn(combined, 'last');
    } catch (error) {
      leave();
      throw error;
    }
    holds = true;
    started = performance.now();
    return { signal: combined, pause, giveWay, leave };
  }

  /** Those that had a turn already come before those that had none. */
  function turn(signal: AbortSignal, place: 'first' | 'last'): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const entry: Waiting = {
        admit() {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      if (place === 'first') waiting.unshift(entry);
      else waiting.push(entry);
      next();
    });
  }

  /** About how long it takes until those who wait now have had their turn. */
  function retrySeconds(): number {
    const mean = recentSeconds.length === 0 ? 5 : recentSeconds.reduce((sum, seconds) => sum + seconds, 0) / recentSeconds.length;
    return Math.max(1, Math.ceil((mean * (waiting.length + 1)) / limits.maxConcurrentQueries));
  }

  return {
    enter,
    get running() {
      return running;
    },
    get waiting() {
      return waiting.length;
    },
  };
}

function exhausted(why: string, retryAfterSeconds: number, more: { readonly reason?: string } = {}): FeatureStoreError {
  return new FeatureStoreError('RESOURCE_EXHAUSTED', `${why}; try again in ${retryAfterSeconds} s`, {
    details: { retry_after_seconds: retryAfterSeconds, ...more },
  });
}

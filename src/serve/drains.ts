/** What the worker asks the main thread for, and waits: to send what is to be logged of what was served, or to store who read it. */
import type { FromWorker } from './worker-messages.ts';

export interface Drains {
  /** Resolves when the main thread has done it; at once where it is stopping, for then it does so by itself. */
  ask(what: 'drain_log' | 'drain_usage'): Promise<void>;
  answered(request: number): void;
}

export function createDrains(tell: (message: FromWorker) => void): Drains {
  const waiting = new Map<number, () => void>();
  let requests = 0;
  return {
    ask: (what) =>
      new Promise((resolve) => {
        requests += 1;
        waiting.set(requests, resolve);
        tell({ type: what, request: requests });
      }),
    answered(request) {
      waiting.get(request)?.();
      waiting.delete(request);
    },
  };
}

/** How many requests are answered at once: one more is told to come back. */
import { FeatureStoreError } from '../errors.ts';

export interface Gate {
  readonly running: number;
  /** RESOURCE_EXHAUSTED when it is full; what it returns must be called once. */
  enter(): () => void;
}

/** A gate for at most `limit` at once. */
export function createGate(limit: number): Gate {
  let running = 0;
  return {
    get running() {
      return running;
    },
    enter() {
      if (running >= limit) {
        throw new FeatureStoreError(
          'RESOURCE_EXHAUSTED',
          `${running} requests are being answered, which is as many as may be (http.maxConcurrentRequests); try again in 1 s`,
          { details: { retry_after_seconds: 1 } },
        );
      }
      running += 1;
      return () => {
        running -= 1;
      };
    },
  };
}

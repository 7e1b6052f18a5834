/** Rests between fetches of brokers that answer at once when they have nothing, whatever they are asked to wait. */

export interface Naps {
  /** A fetch was answered after so long. */
  onFetch(durationMs: number): void;
  /** Records came. */
  onRecords(): void;
  stop(): void;
}

/** Quick answers without a record after which one rests. */
const patience = 3;

/** `rest` stops fetching until `wake`; the client library then waits by itself for as long as a broker should have. */
export function createNaps(waitMs: number, rest: () => void, wake: () => void): Naps {
  let idle = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    onFetch(durationMs) {
      idle = durationMs < waitMs / 4 ? idle + 1 : 0;
      if (idle <= patience || timer !== undefined) return;
      idle = 0;
      rest();
      timer = setTimeout(() => {
        timer = undefined;
        wake();
      }, waitMs / 2);
    },
    onRecords() {
      idle = 0;
    },
    stop: () => clearTimeout(timer),
  };
}

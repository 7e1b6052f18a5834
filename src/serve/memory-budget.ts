/** Memory that large messages of frames share: whoever reads one waits until there is room, in turn. */

export interface MemoryBudget {
  /** Waits for room; the function it resolves with gives the room back. Rejects with the signal's reason once that is aborted. */
  take(bytes: number, signal: AbortSignal): Promise<() => void>;
  /** Bytes that are taken. */
  readonly used: number;
}

export interface MemoryLimits {
  /** For all together. More than that at once gets its room when it is alone. */
  readonly totalBytes: number;
  /** Up to here nothing is counted: frames in batches of usual size wait for nobody. */
  readonly freeBytes: number;
}

export const frameMemory: MemoryLimits = { totalBytes: 512 * 2 ** 20, freeBytes: 16 * 2 ** 20 };

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

export function createMemoryBudget({ totalBytes, freeBytes }: MemoryLimits): MemoryBudget {
  let used = 0;
  const waiting: Waiting[] = [];

  const next = () => {
    for (let first = waiting[0]; first !== undefined && fits(first.bytes); first = waiting[0]) {
      waiting.shift();
      used += first.bytes;
      first.admit();
    }
  };
  const fits = (bytes: number) => used === 0 || used + bytes <= totalBytes;

  function give(bytes: number): () => void {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      used -= bytes;
      next();
    };
  }

  async function take(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (bytes <= freeBytes) return () => {};
    await new Promise<void>((resolve, reject) => {
      const entry: Waiting = {
        bytes,
        admit() {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason);
        next();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.push(entry);
      next();
    });
    return give(bytes);
  }

  return {
    take,
    get used() {
      return used;
    },
  };
}

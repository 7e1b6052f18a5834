/** Work that several callers wait for: done once, kept, and stopped when the last of them has left. */

export interface SharedWork<T> {
  /** What `work` gives for the key, now or before; fails with the signal's reason once that is aborted. */
  run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

interface Running<T> {
  readonly done: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/** Keeps the last `limit` results; failures are not kept. */
export function createSharedWork<T>(limit: number): SharedWork<T> {
  const known = new Map<string, Running<T>>();

  function start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const entry: Running<T> = { done: work(controller.signal), controller, waiting: 0 };
    entry.done.catch(() => forget(key, entry));
    if (known.size >= limit) known.delete(known.keys().next().value as string);
    known.set(key, entry);
    return entry;
  }

  function forget(key: string, entry: Running<T>): void {
    if (known.get(key) === entry) known.delete(key);
  }

  async function run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const entry = known.get(key) ?? start(key, work);
    entry.waiting += 1;
    let stop = () => {};
    const left = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
    });
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([entry.done, left]);
    } finally {
      signal.removeEventListener('abort', stop);
      entry.waiting -= 1;
      if (signal.aborted && entry.waiting === 0) {
        // Whoever comes next starts anew rather than failing with this one; what is done already stays.
        const isDone = await Promise.race([entry.done.then(() => true), false]);
        if (!isDone) forget(key, entry);
        entry.controller.abort(signal.reason);
      }
    }
  }
  return { run };
}

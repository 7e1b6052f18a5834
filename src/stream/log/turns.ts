/** Work that is carried out one after the other for each key. */

export interface Turns<K> {
  /** Begins when all that was given before for the key has ended, well or not. */
  run<T>(key: K, work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is left. */
  ended(): Promise<void>;
}

export function createTurns<K>(): Turns<K> {
  const last = new Map<K, Promise<unknown>>();
  return {
    run(key, work) {
      const before = last.get(key) ?? Promise.resolve();
      const result = before.then(work);
      const settled = result
        .catch(() => {})
        .then(() => {
          if (last.get(key) === settled) last.delete(key);
        });
      last.set(key, settled);
      return result;
    },
    async ended() {
      while (last.size > 0) await Promise.all(last.values());
    },
  };
}

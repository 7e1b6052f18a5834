/** What was loaded, in memory up to a limit, for all who ask for the same: the least recently used leaves first. */

export interface SizedCache<T extends { readonly bytes: number }> {
  /** What is under this key, loaded once for all who ask meanwhile. What fails is not kept. */
  get(key: string, load: () => Promise<T>): Promise<T>;
}

/** A cache of at most `limit` bytes. */
export function createSizedCache<T extends { readonly bytes: number }>(limit: number): SizedCache<T> {
  const held = new Map<string, { readonly loaded: Promise<T>; bytes: number }>();
  let total = 0;

  function forget(key: string): void {
    total -= held.get(key)?.bytes ?? 0;
    held.delete(key);
  }

  return {
    get(key, load) {
      const known = held.get(key);
      if (known !== undefined) {
        held.delete(key);
        held.set(key, known);
        return known.loaded;
      }
      const entry = { loaded: load(), bytes: 0 };
      held.set(key, entry);
      entry.loaded.then(
        ({ bytes }) => {
          if (held.get(key) !== entry) return;
          entry.bytes = bytes;
          total += bytes;
          for (const oldest of held.keys()) {
            if (total <= limit) break;
            forget(oldest);
          }
        },
        () => {
          if (held.get(key) === entry) forget(key);
        },
      );
      return entry.loaded;
    },
  };
}

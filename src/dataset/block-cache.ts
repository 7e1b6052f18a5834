/** Laid blocks in memory, up to a limit, for readers of the same rows: the ranks and workers of a job read from the same windows. */
import type { LaidBlock } from './layout.ts';

export interface BlockCache {
  /** The block of this key, loaded once for all who ask meanwhile. What fails is not kept. */
  get(key: string, load: () => Promise<LaidBlock>): Promise<LaidBlock>;
}

/** A cache of at most `limit` bytes; the least recently used blocks leave first. */
export function createBlockCache(limit: number): BlockCache {
  const held = new Map<string, { readonly block: Promise<LaidBlock>; bytes: number }>();
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
        return known.block;
      }
      const entry = { block: load(), bytes: 0 };
      held.set(key, entry);
      entry.block.then(
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
      return entry.block;
    },
  };
}

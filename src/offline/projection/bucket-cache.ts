/** Buckets in memory up to a limit: the least recently used leave first. */
import type { Bucket } from './bucket.ts';

export interface BucketCache {
  get(key: string, load: () => Promise<Bucket>): Promise<Bucket>;
  drop(prefix: string): void;
}

/** A bucket that is being loaded is loaded once, and the newest is kept whatever its size. */
export function createBucketCache(limit: number): BucketCache {
  const held = new Map<string, { readonly bucket: Promise<Bucket>; bytes: number }>();
  let total = 0;
  const remove = (key: string) => {
    total -= held.get(key)?.bytes ?? 0;
    held.delete(key);
  };
  return {
    get(key, load) {
      const entry = held.get(key);
      if (entry !== undefined) {
        held.delete(key);
        held.set(key, entry);
        return entry.bucket;
      }
      const fresh = { bucket: load(), bytes: 0 };
      held.set(key, fresh);
      fresh.bucket.then(
        (bucket) => {
          if (held.get(key) !== fresh) return;
          fresh.bytes = bucket.bytes;
          total += bucket.bytes;
          for (const oldest of held.keys()) {
            if (total <= limit || oldest === key) break;
            remove(oldest);
          }
        },
        () => {
          if (held.get(key) === fresh) remove(key);
        },
      );
      return fresh.bucket;
    },
    drop(prefix) {
      for (const key of [...held.keys()]) if (key.startsWith(prefix)) remove(key);
    },
  };
}

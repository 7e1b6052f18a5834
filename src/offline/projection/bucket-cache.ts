/** Buckets in memory up to a limit: what is derived of the least recently used leaves first, then they themselves. */
import type { Bucket } from './bucket.ts';

export interface BucketCache {
  get(key: string, load: () => Promise<Bucket>): Promise<Bucket>;
  drop(prefix: string): void;
}

interface Entry {
  readonly promise: Promise<Bucket>;
  /** Once it is loaded. */
  bucket?: Bucket;
}

/** A bucket that is being loaded is loaded once, and the newest is kept whatever its size. */
export function createBucketCache(limit: number): BucketCache {
  const held = new Map<string, Entry>();
  return {
    get(key, load) {
      const entry = held.get(key);
      if (entry !== undefined) {
        held.delete(key);
        held.set(key, entry);
        return entry.promise;
      }
      const fresh: Entry = { promise: load() };
      held.set(key, fresh);
      fresh.promise.then(
        (bucket) => {
          if (held.get(key) !== fresh) return;
          fresh.bucket = bucket;
          // Nothing is derived at the cost of a bucket, which would have to be read again.
          bucket.derived.limitBy((bytes) => held.get(key) === fresh && sizeOfAll() + bytes <= limit);
          makeRoom(key);
        },
        () => {
          if (held.get(key) === fresh) held.delete(key);
        },
      );
      return fresh.promise;
    },
    drop(prefix) {
      for (const key of [...held.keys()]) if (key.startsWith(prefix)) held.delete(key);
    },
  };

  function makeRoom(newest: string): void {
    let total = sizeOfAll();
    for (const { bucket } of held.values()) {
      if (total <= limit) return;
      total -= bucket?.derived.bytes ?? 0;
      bucket?.derived.forget();
    }
    for (const [oldest, { bucket }] of held) {
      if (total <= limit || oldest === newest) return;
      total -= bucket?.bytes ?? 0;
      held.delete(oldest);
    }
  }

  function sizeOfAll(): number {
    let total = 0;
    for (const { bucket } of held.values()) if (bucket !== undefined) total += bucket.bytes + bucket.derived.bytes;
    return total;
  }
}

/** Buckets in memory: their own size and what is derived of them stay within the limit. */
import { expect, test } from 'vitest';
import type { Bucket } from '../../../src/offline/projection/bucket.ts';
import { createBucketCache } from '../../../src/offline/projection/bucket-cache.ts';
import { createDerived } from '../../../src/offline/projection/derived.ts';

const bucketOf = (bytes: number) => ({ bytes, derived: createDerived() }) as Bucket;
const keep = (bucket: Bucket, name: string, bytes: number) =>
  bucket.derived.keep(
    name,
    () => new Uint8Array(bytes),
    (made) => made.byteLength,
  );

async function load(cache: ReturnType<typeof createBucketCache>, key: string, bytes: number) {
  let loads = 0;
  const bucket = await cache.get(key, async () => {
    loads += 1;
    return bucketOf(bytes);
  });
  return { bucket, loads };
}

test('what is derived is kept once while there is room, and made anew where there is none', async () => {
  const cache = createBucketCache(100);
  const { bucket } = await load(cache, 'a/0', 40);
  const first = keep(bucket, 'sums', 30);
  expect(keep(bucket, 'sums', 30)).toBe(first);
  const tooLarge = keep(bucket, 'codes', 31);
  expect(tooLarge.byteLength).toBe(31);
  expect(keep(bucket, 'codes', 31)).not.toBe(tooLarge);
  expect(bucket.derived.bytes).toBe(30);
});

test('what is derived makes room for another bucket before any bucket leaves', async () => {
  const cache = createBucketCache(100);
  const { bucket } = await load(cache, 'a/0', 40);
  const sums = keep(bucket, 'sums', 50);
  const other = await load(cache, 'a/1', 50);
  expect(bucket.derived.bytes).toBe(0);
  expect(await load(cache, 'a/0', 40)).toEqual({ bucket, loads: 0 });
  expect(await load(cache, 'a/1', 50)).toEqual({ bucket: other.bucket, loads: 0 });
  expect(keep(bucket, 'sums', 50)).not.toBe(sums);
});

test('the least recently used bucket leaves, and keeps nothing from then on', async () => {
  const cache = createBucketCache(100);
  const { bucket } = await load(cache, 'a/0', 60);
  await load(cache, 'b/0', 60);
  keep(bucket, 'sums', 1);
  expect(bucket.derived.bytes).toBe(0);
  expect((await load(cache, 'b/0', 60)).loads).toBe(0);
  expect((await load(cache, 'a/0', 60)).loads).toBe(1);
});

test('a dropped bucket is loaded again', async () => {
  const cache = createBucketCache(100);
  await load(cache, 'a/0', 10);
  await load(cache, 'b/0', 10);
  cache.drop('a/');
  expect((await load(cache, 'a/0', 10)).loads).toBe(1);
  expect((await load(cache, 'b/0', 10)).loads).toBe(0);
});

/** A cache that is bounded by the size of what it holds, and loads each thing once. */
import { describe, expect, test } from 'vitest';
import { createSizedCache } from '../../src/dataset/sized-cache.ts';

describe('a cache of what was loaded', () => {
  const entry = (bytes: number) => ({ bytes });

  test('loads once for all who ask, and lets the oldest go first', async () => {
    const cache = createSizedCache<{ bytes: number }>(25);
    const loaded: string[] = [];
    const get = (key: string) =>
      cache.get(key, async () => {
        loaded.push(key);
        return entry(10);
      });
    await Promise.all([get('a'), get('a'), get('b')]);
    await get('a');
    await get('c');
    await get('a');
    await get('b');
    expect(loaded).toEqual(['a', 'b', 'c', 'b']);
  });

  test('loads again what failed', async () => {
    const cache = createSizedCache<{ bytes: number }>(25);
    await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect((await cache.get('a', async () => entry(1))).bytes).toBe(1);
  });
});

import { describe, expect, it } from 'vitest';
import { createMemoryBudget } from '../../src/serve/memory-budget.ts';

const forever = new AbortController().signal;

describe('the memory that large messages share', () => {
  it('goes to them in turn, and counts nothing of small ones', async () => {
    const memory = createMemoryBudget({ totalBytes: 100, freeBytes: 10 });
    const order: string[] = [];
    const first = await memory.take(60, forever);
    const second = memory.take(60, forever).then((release) => {
      order.push('second');
      return release;
    });
    const third = memory.take(30, forever).then((release) => {
      order.push('third');
      return release;
    });
    await memory.take(10, forever);
    expect(memory.used).toBe(60);
    first();
    first();
    const releases = await Promise.all([second, third]);
    expect(order).toEqual(['second', 'third']);
    expect(memory.used).toBe(90);
    for (const release of releases) release();
    expect(memory.used).toBe(0);
  });

  it('is given whole, and more, to one that is alone', async () => {
    const memory = createMemoryBudget({ totalBytes: 100, freeBytes: 10 });
    const release = await memory.take(500, forever);
    const next = memory.take(20, forever);
    expect(memory.used).toBe(500);
    release();
    (await next)();
    expect(memory.used).toBe(0);
  });

  it('is not waited for by one that has gone, which lets pass who stood behind it', async () => {
    const memory = createMemoryBudget({ totalBytes: 100, freeBytes: 10 });
    const release = await memory.take(60, forever);
    const leaving = new AbortController();
    const large = memory.take(90, leaving.signal);
    const small = memory.take(30, forever);
    leaving.abort(new Error('gone'));
    await expect(large).rejects.toThrow('gone');
    (await small)();
    release();
    expect(memory.used).toBe(0);
    await expect(memory.take(1, leaving.signal)).rejects.toThrow('gone');
  });
});

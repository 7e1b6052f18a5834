import { describe, expect, it } from 'vitest';
import { createBodyPool } from '../../src/serve/body-pool.ts';

describe('memory for bodies', () => {
  it('is used again where it is long enough, and by one at a time', () => {
    const pool = createBodyPool();
    const [one, two] = [pool.take(1000), pool.take(1000)];
    expect(one).not.toBe(two);
    pool.give(one);
    expect(pool.take(900)).toBe(one);
    pool.give(one);
    expect(pool.take(1001)).not.toBe(one);
    expect(pool.take(1)).toBe(one);
    expect(pool.take(1)).not.toBe(two);
  });

  it('is not kept where it is much, or many pieces', () => {
    const pool = createBodyPool();
    const huge = pool.take(100 * 2 ** 20);
    pool.give(huge);
    expect(pool.take(1)).toHaveLength(1);
    const pieces = Array.from({ length: 5 }, () => pool.take(1000));
    for (const piece of pieces) pool.give(piece);
    const again = Array.from({ length: 5 }, () => pool.take(1000));
    expect(again.filter((piece) => pieces.includes(piece))).toEqual(pieces.slice(2));
  });
});

/** The order of an epoch against a naive one, and that it is a permutation whatever its sizes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOrder, type EpochOrder, type OrderOptions } from '../../src/dataset/order.ts';
import { createRandom } from '../../src/dataset/random.ts';

/** The row at each position, as the order's windows say when they are asked from the start. */
function rowsInOrder(order: EpochOrder, blockRows: number): number[] {
  const rows: number[] = [];
  while (rows.length < order.rows) {
    const window = order.windowAt(rows.length);
    expect(window.start).toBe(rows.length);
    for (let at = 0; at < window.rows; at++) {
      rows.push((window.blocks[window.which[at] as number] as number) * blockRows + (window.row[at] as number));
    }
  }
  return rows;
}

/** Cards drawn from a hat: the same choices as Fisher and Yates, without their bookkeeping in place. */
function drawAll<T>(values: readonly T[], key: readonly unknown[]): T[] {
  const random = createRandom(key);
  const hat = [...values];
  const drawn: T[] = [];
  for (let left = hat.length; left > 1; left--) {
    const choices = 2 ** Math.ceil(Math.log2(left));
    let chosen = (random() >>> 0) % choices;
    while (chosen >= left) chosen = (random() >>> 0) % choices;
    drawn.unshift(hat[chosen] as T);
    hat[chosen] = hat[left - 1] as T;
    hat.length = left - 1;
  }
  return [...hat, ...drawn];
}

function naiveOrder({ id, split, rows, blockRows, shuffle }: OrderOptions): number[] {
  const all = Array.from({ length: rows }, (_, row) => row);
  if (shuffle === undefined) return all;
  const { seed, epoch, windowBlocks } = shuffle;
  const blocks: number[][] = [];
  for (let start = 0; start < rows; start += blockRows) blocks.push(all.slice(start, start + blockRows));
  const drawn = drawAll(blocks, ['order', id, split, seed, epoch, 'blocks']);
  const found: number[] = [];
  for (let from = 0; from < drawn.length; from += windowBlocks) {
    const window = drawn.slice(from, from + windowBlocks).flat();
    found.push(...drawAll(window, ['order', id, split, seed, epoch, 'window', from / windowBlocks]));
  }
  return found;
}

const options = fc.record({
  id: fc.constantFrom('a', 'b'),
  split: fc.constantFrom('train', 'test'),
  rows: fc.nat(400),
  blockRows: fc.integer({ min: 1, max: 60 }),
  shuffle: fc.option(fc.record({ seed: fc.integer(), epoch: fc.nat(100), windowBlocks: fc.integer({ min: 1, max: 20 }) }), {
    nil: undefined,
  }),
});

describe('the order of an epoch', () => {
  test('is the naive one, and has each row once', () => {
    fc.assert(
      fc.property(options, (asked) => {
        const rows = rowsInOrder(createOrder(asked), asked.blockRows);
        expect(rows).toEqual(naiveOrder(asked));
        expect([...rows].sort((a, b) => a - b)).toEqual(Array.from({ length: asked.rows }, (_, row) => row));
      }),
      { numRuns: 500 },
    );
  });

  test('is the same wherever one begins to read', () => {
    fc.assert(
      fc.property(options, fc.array(fc.nat(), { maxLength: 8 }), (asked, jumps) => {
        const whole = rowsInOrder(createOrder(asked), asked.blockRows);
        const order = createOrder(asked);
        for (const jump of asked.rows === 0 ? [] : jumps) {
          const position = jump % asked.rows;
          const { start, blocks, which, row } = order.windowAt(position);
          const at = position - start;
          const found = (blocks[which[at] as number] as number) * asked.blockRows + (row[at] as number);
          expect(found).toBe(whole[position]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('differs by seed, epoch, split and dataset, and is that of earlier versions', () => {
    const base = { id: 'a', split: 'train', rows: 20, blockRows: 4, shuffle: { seed: 7, epoch: 0, windowBlocks: 3 } };
    const of = (changed: Partial<OrderOptions>) => rowsInOrder(createOrder({ ...base, ...changed }), 4).join(' ');
    const orders = [
      of({}),
      of({ id: 'b' }),
      of({ split: 'test' }),
      of({ shuffle: { ...base.shuffle, seed: 8 } }),
      of({ shuffle: { ...base.shuffle, epoch: 1 } }),
      of({ shuffle: { ...base.shuffle, windowBlocks: 2 } }),
    ];
    expect(new Set(orders).size).toBe(orders.length);
    expect(orders[0]).toBe('15 7 4 14 6 12 5 19 17 16 13 18 1 9 10 8 2 3 11 0');
  });

  test('refuses a window that it cannot name', () => {
    const asked = { id: 'a', split: 'all', rows: 10, blockRows: 2 };
    for (const windowBlocks of [0, 257, 1.5]) {
      expect(() => createOrder({ ...asked, shuffle: { seed: 1, epoch: 0, windowBlocks } })).toThrow(/window_blocks is 1 to 256/);
    }
    expect(() => createOrder(asked).windowAt(10)).toThrow(/position 10/);
  });
});

describe('random numbers', () => {
  test('are those of xoshiro128** after this state', () => {
    // Of the published algorithm in Python's integers, from the words of sha256('["k"]').
    const random = createRandom(['k']);
    expect([random(), random(), random()].map((bits) => bits >>> 0)).toEqual([3810640403, 2503598897, 4254260861]);
  });

  test('put each value at each place about as often', () => {
    const size = 6;
    const seen = new Float64Array(size * size);
    const runs = 6000;
    for (let seed = 0; seed < runs; seed++) {
      const rows = rowsInOrder(
        createOrder({ id: 'x', split: 'all', rows: size, blockRows: 2, shuffle: { seed, epoch: 0, windowBlocks: 3 } }),
        2,
      );
      for (const [at, row] of rows.entries()) seen[at * size + row] = (seen[at * size + row] as number) + 1;
    }
    const expected = runs / size;
    const chiSquare = seen.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(60); // 25 degrees of freedom; the seeds are fixed
  });
});

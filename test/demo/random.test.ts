/** The demo's random numbers depend on the seed alone and are spread as asked. */
import { describe, expect, it } from 'vitest';
import { accumulate, createRandom } from '../../src/demo/random.ts';

describe('createRandom', () => {
  it('repeats a sequence for a seed and starts another for another', () => {
    const draw = (seed: number): number[] => {
      const random = createRandom(seed);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(1)).not.toEqual(draw(1 + 2 ** 32));
  });

  it('pins its numbers: data made last year can be made again', () => {
    const random = createRandom(7);
    expect(Array.from({ length: 6 }, () => random.below(1000))).toMatchInlineSnapshot(`
      [
        679,
        355,
        893,
        603,
        19,
        632,
      ]
    `);
  });

  it('spreads evenly below a bound and by weight', () => {
    const random = createRandom(1);
    const even = new Int32Array(10);
    const weighted = new Int32Array(3);
    const weights = accumulate([1, 0, 3]);
    for (let draw = 0; draw < 40_000; draw++) {
      const value = random.below(10);
      even[value] = (even[value] as number) + 1;
      const index = random.pick(weights);
      weighted[index] = (weighted[index] as number) + 1;
    }
    for (const count of even) expect(Math.abs(count - 4_000)).toBeLessThan(300);
    expect(weighted[1]).toBe(0);
    expect((weighted[2] as number) / (weighted[0] as number)).toBeCloseTo(3, 0);
  });
});

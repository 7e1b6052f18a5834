/** Which keys are logged: the same in every process and release, whatever the request. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSampler, isRequestSampled } from '../../../src/validate/log/sample.ts';

describe('the sample of keys', () => {
  it('is the one that logs of earlier releases hold', () => {
    const sampled = (entity: string, keys: readonly (bigint | string | boolean)[]) =>
      keys.filter((key) => createSampler(entity, 0.1)([key]));
    const ids = Array.from({ length: 60 }, (_, at) => BigInt(at) - 10n);
    expect(sampled('user', ids)).toMatchInlineSnapshot(`
      [
        -8n,
        -4n,
        5n,
        12n,
        17n,
        26n,
        30n,
        37n,
        42n,
      ]
    `);
    expect(sampled('item', ids)).toMatchInlineSnapshot(`
      [
        7n,
        8n,
        12n,
        19n,
        24n,
      ]
    `);
    expect(
      sampled(
        'item',
        ids.map((id) => `item ${id}`),
      ),
    ).toMatchInlineSnapshot(`
      [
        "item -10",
        "item -6",
        "item 9",
        "item 22",
        "item 47",
      ]
    `);
    expect(sampled('user', [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, true, false, '', 'é'])).toMatchInlineSnapshot(`[]`);
  });

  it('is of about the share that is asked for, and a lower share is of the same keys', () => {
    for (const [entity, keyOf] of [
      ['user', (at: number) => [BigInt(at)]],
      ['item', (at: number) => [`item ${at}`]],
      ['pair', (at: number) => [BigInt(at % 200), `item ${Math.floor(at / 200)}`]],
      ['blob', (at: number) => [Uint8Array.of(at, at >> 8, 7)]],
    ] as const) {
      const samplers = [0.001, 0.05, 0.5].map((share) => createSampler(entity, share));
      const keys = Array.from({ length: 40_000 }, (_, at) => keyOf(at));
      const picked = samplers.map((isSampled) => keys.filter((key) => isSampled(key) === true));
      expect(picked[0]?.length).toBeLessThan(80);
      expect(Math.abs((picked[1]?.length as number) - 2000)).toBeLessThan(200);
      expect(Math.abs((picked[2]?.length as number) - 20_000)).toBeLessThan(500);
      for (const [at, fewer] of picked.slice(0, 2).entries()) {
        const more = new Set(picked[at + 1]);
        expect(fewer.every((key) => more.has(key))).toBe(true);
      }
    }
  });

  it('takes integers by value, and tells them from text (rule 2.2)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (id, share) => {
        const isSampled = createSampler('user', share);
        expect(isSampled([id])).toBe(isSampled([BigInt(id)]));
      }),
    );
    const half = createSampler('user', 0.5);
    const ids = Array.from({ length: 200 }, (_, at) => at);
    expect(ids.some((id) => half([id]) !== half([String(id)]))).toBe(true);
  });

  it('is nobody with a null in the key; requests go by their ids then', () => {
    expect(createSampler('user', 0.5)([null])).toBeUndefined();
    expect(createSampler('pair', 1)([1n, null])).toBeUndefined();
    const ids = Array.from({ length: 10_000 }, (_, at) => `request-${at}`);
    const share = ids.filter((id) => isRequestSampled(id, 0.1)).length;
    expect(Math.abs(share - 1000)).toBeLessThan(150);
  });
});

/** count_distinct, top_k, entropy, min and max over windows that move, by their definitions window by window. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entropyOf } from '../../../src/aggregate/entropy.ts';
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import { compareValues } from '../../../src/definitions/value-order.ts';
import { parseValueType, type ValueType } from '../../../src/definitions/value-type.ts';
import { evaluateExtreme } from '../../../src/offline/windows/evaluate-extreme.ts';
import { evaluateTally } from '../../../src/offline/windows/evaluate-tally.ts';
import type { Evaluated } from '../../../src/offline/windows/evaluated.ts';
import { rankByLooking, rankByTree } from '../../../src/offline/windows/ranking.ts';
import { drawBounds, inputOf } from './open-events.ts';

type Int = (least: number, most: number) => number;

const kinds: readonly (readonly [string, (int: Int) => LiteralValue])[] = [
  ['int64', (int) => BigInt(int(-3, 3)) * 2n ** 40n],
  ['int32', (int) => int(-20, 20)],
  ['float64', (int) => [0, -0, 1.5, -1.5, Number.NaN, Infinity, -Infinity, 1e300][int(0, 7)] as number],
  ['string', (int) => ['', 'a', 'ab', 'é', 'b', 'ﬀ', '😀'][int(0, 6)] as string],
  ['bool', (int) => int(0, 1) === 1],
  ['date', (int) => `2026-03-${10 + int(0, 5)}`],
  ['decimal(10,2)', (int) => `${int(-3, 3)}.50`],
  ['bytes', (int) => new Uint8Array([int(0, 2), int(200, 202)])],
  ['list(int64)', (int) => Array.from({ length: int(0, 2) }, () => BigInt(int(0, 1)))],
];

/** Different values with how often each occurs, in ascending order. */
function countEach(type: ValueType, values: readonly LiteralValue[]): { value: LiteralValue; at: number; count: number }[] {
  const order = [...values.entries()].sort(([, a], [, b]) => compareValues(type, a, b));
  const counted: { value: LiteralValue; at: number; count: number }[] = [];
  for (const [at, value] of order) {
    const last = counted.at(-1);
    if (last !== undefined && compareValues(type, last.value, value) === 0) last.count += 1;
    else counted.push({ value, at, count: 1 });
  }
  return counted;
}

function listAt(evaluated: Evaluated, place: number): Int32Array {
  if (evaluated.kind !== 'lists') throw new Error(`no lists but ${evaluated.kind}`);
  return evaluated.rows.subarray(place === 0 ? 0 : (evaluated.ends[place - 1] as number), evaluated.ends[place] as number);
}

describe.each(kinds)('%s', (text, pool) => {
  const type = parseValueType(text);
  const check =
    (
      size: number,
      compare: (evaluated: Evaluated, place: number, all: readonly LiteralValue[], from: number, to: number) => void,
    ) =>
    (evaluate: (input: ReturnType<typeof inputOf>) => Evaluated) =>
      fc.assert(
        fc.property(fc.gen(), fc.integer({ min: 1, max: 200 }), (g, length) => {
          const int: Int = (min, max) => g(fc.integer, { min, max });
          const values = Array.from({ length }, () => pool(int));
          const bounds = drawBounds(int, length, int(1, 40));
          const evaluated = evaluate(inputOf(type, values, bounds, size));
          for (const place of bounds.to.keys())
            compare(evaluated, place, values, bounds.from[place] as number, bounds.to[place] as number);
        }),
        { numRuns: 40 },
      );

  test('count_distinct', () => {
    check(1, (evaluated, place, values, from, to) => {
      const expected = BigInt(countEach(type, values.slice(from, to)).length);
      expect(evaluated.kind === 'numbers' && evaluated.numbers[place]).toBe(expected);
    })((input) => evaluateTally('count_distinct', input));
  });

  test('entropy', () => {
    check(1, (evaluated, place, values, from, to) => {
      const counts = countEach(type, values.slice(from, to)).map(({ count }) => count);
      const value = evaluated.kind === 'numbers' && evaluated.nulls?.[place] !== 1 ? evaluated.numbers[place] : null;
      expect(value).toBe(counts.length === 0 ? null : counts.length === 1 ? 0 : entropyOf(counts));
    })((input) => evaluateTally('entropy', input));
  });

  test('top_k', () => {
    check(2, (evaluated, place, values, from, to) => {
      const counted = countEach(type, values.slice(from, to)).sort((a, b) => b.count - a.count);
      const found = Array.from(listAt(evaluated, place), (row) => values[row] as LiteralValue);
      expect(found.length).toBe(Math.min(2, counted.length));
      for (const [at, value] of found.entries()) expect(compareValues(type, value, counted[at]?.value)).toBe(0);
    })((input) => evaluateTally('top_k', input));
  });

  test.each(['min', 'max'] as const)('%s', (name) => {
    check(1, (evaluated, place, values, from, to) => {
      if (evaluated.kind !== 'events') throw new Error(`no events but ${evaluated.kind}`);
      const counted = countEach(type, values.slice(from, to));
      const row = evaluated.rows[place] as number;
      if (counted.length === 0) return expect(row).toBe(-1);
      expect(row >= from && row < to).toBe(true);
      expect(compareValues(type, values[row], (name === 'min' ? counted[0] : counted.at(-1))?.value)).toBe(0);
    })((input) => evaluateExtreme(name, input));
  });
});

test('a ranking that looks and one that keeps a tree give the same', () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 5 }),
      (all, size) => {
        const codes = Int32Array.from(all);
        const rankings = [rankByLooking(codes, 13, size), rankByTree(codes, 13, size)];
        for (let end = 0; end < codes.length; end++) {
          for (const { add, drop } of rankings) {
            add(end);
            if (end >= 40) drop(end - 40);
          }
          const [looked, kept] = rankings.map(({ first }) => {
            const taken: number[] = [];
            first((code) => taken.push(code));
            return taken;
          });
          const window = [...codes.subarray(Math.max(0, end - 39), end + 1)];
          const counts = new Map<number, number>();
          for (const code of window) counts.set(code, (counts.get(code) ?? 0) + 1);
          const expected = [...counts].sort(([a, m], [b, n]) => n - m || a - b).map(([code]) => code);
          expect(looked).toEqual(expected.slice(0, size));
          expect(kept).toEqual(looked);
          compared += 1;
        }
      },
    ),
  );
  expect(compared).toBeGreaterThan(0);
});

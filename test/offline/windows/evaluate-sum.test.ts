/** sum, mean and stddev over windows that move: to the last bit what the aggregates give of each window by itself (semantics 6.10). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileAggregate } from '../../../src/aggregate/compile-aggregate.ts';
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import { parseValueType } from '../../../src/definitions/value-type.ts';
import { evaluateSum } from '../../../src/offline/windows/evaluate-sum.ts';
import type { Evaluated } from '../../../src/offline/windows/evaluated.ts';
import { drawBounds, inputOf } from './open-events.ts';

type Pool = (int: (least: number, most: number) => number) => LiteralValue;

const cents: Pool = (int) => int(-100_000, 100_000) / 100;
const wide: Pool = (int) => (int(0, 1) === 0 ? -1 : 1) * (1 + int(0, 2 ** 30) / 2 ** 30) * 2 ** int(-300, 300);
const cancelling: Pool = (int) => [1e16, -1e16, 1, -1, 2 ** -60, 0.1][int(0, 5)] as number;
const extreme: Pool = (int) => [Number.NaN, Infinity, -Infinity, 1e300, -1e300, 5e-324, -0, 0, 3.25][int(0, 8)] as number;
const often =
  (usual: Pool, seldom: Pool): Pool =>
  (int) =>
    int(0, 300) === 0 ? seldom(int) : usual(int);

const kinds: readonly (readonly [string, string, Pool])[] = [
  ['cents', 'float64', cents],
  ['floats of any size', 'float64', wide],
  ['floats that cancel out', 'float64', cancelling],
  ['zeros', 'float64', () => 0],
  ['one value', 'float64', () => 0.1],
  ['floats, some of them extreme', 'float64', often(cents, extreme)],
  ['float32', 'float32', (int) => Math.fround(int(-1000, 1000) / 7)],
  ['small integers', 'int32', (int) => int(-(2 ** 31), 2 ** 31 - 1)],
  ['int64', 'int64', (int) => BigInt(int(-1000, 1000)) * 2n ** BigInt(int(0, 20))],
  ['int64 beyond what doubles hold', 'int64', (int) => BigInt(int(-4, 4)) * 2n ** BigInt(int(0, 60))],
  ['int64 whose sums leave it now and then', 'int64', (int) => BigInt(int(-1, 1)) * 2n ** 62n],
  ['decimals whose sums leave it', 'decimal(38,0)', (int) => `${BigInt(int(-1, 1)) * 6n * 10n ** 37n}`],
  ['decimals', 'decimal(10,2)', (int) => (int(-100_000, 100_000) / 100).toFixed(2)],
];

const exactWindows = (
  name: 'sum' | 'mean' | 'stddev',
  text: string,
  values: readonly LiteralValue[],
  from: number,
  to: number,
) => {
  const aggregate = compileAggregate(name, parseValueType(text));
  const state = aggregate.init();
  for (const value of values.slice(from, to)) aggregate.update(state, 0n, value);
  return aggregate.finalize(state);
};

function valueAt(evaluated: Evaluated, place: number): LiteralValue {
  if (evaluated.kind === 'literals') return evaluated.literals[place] as LiteralValue;
  if (evaluated.kind !== 'numbers') throw new Error(`no numbers but ${evaluated.kind}`);
  return evaluated.nulls?.[place] === 1 ? null : (evaluated.numbers[place] as number | bigint);
}

describe.each(kinds)('%s', (_, type, pool) => {
  test.each(['sum', 'mean', 'stddev'] as const)('%s', (name) => {
    fc.assert(
      fc.property(fc.gen(), fc.integer({ min: 1, max: 600 }), (g, length) => {
        const int = (min: number, max: number) => g(fc.integer, { min, max });
        const values = Array.from({ length }, () => pool(int));
        const bounds = drawBounds(int, length, int(1, 40));
        const evaluated = evaluateSum(name, inputOf(parseValueType(type), values, bounds));
        for (const place of bounds.to.keys()) {
          const [from, to] = [bounds.from[place] as number, bounds.to[place] as number];
          expect({ from, to, value: valueAt(evaluated, place) }).toEqual({
            from,
            to,
            value: exactWindows(name, type, values, from, to),
          });
        }
        const outside = bounds.to.filter((to, place) => {
          const from = bounds.from[place] as number;
          return name === 'sum' && exactWindows(name, type, values, from, to) === null;
        });
        expect(evaluated.outOfRange ?? 0).toBe(outside.length);
      }),
      { numRuns: 25 },
    );
  });
});

test('a value that is none, at the beginning of a long history, costs nothing window by window', () => {
  const length = 100_000;
  const values = Array.from({ length }, (_, at) => (at === 0 ? Number.NaN : at / 3));
  const to = Int32Array.from({ length }, (_, place) => place + 1);
  const from = new Int32Array(length);
  for (const name of ['sum', 'mean', 'stddev'] as const) {
    const evaluated = evaluateSum(name, inputOf({ kind: 'float64' }, values, { from, to }));
    const all = Array.from(to.keys(), (place) => valueAt(evaluated, place)).slice(1);
    expect(all.every((value) => Number.isNaN(value))).toBe(true);
  }
});

test('windows far behind the beginning of their running sums', () => {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const values = Array.from({ length: 20_000 }, () => (random() - 0.5) * 2 ** Math.floor(80 * random() - 40));
  const to = Int32Array.from({ length: 2000 }, (_, place) => 10 * (place + 1));
  const from = to.map((end, place) => Math.max(0, end - 5 - (place % 200)));
  for (const name of ['sum', 'stddev'] as const) {
    const evaluated = evaluateSum(name, inputOf({ kind: 'float64' }, values, { from, to }));
    const expected = Array.from(to, (end, place) => exactWindows(name, 'float64', values, from[place] as number, end));
    expect(Array.from(to.keys(), (place) => valueAt(evaluated, place))).toEqual(expected);
  }
});

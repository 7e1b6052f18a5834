/**
 * stddev: of a sample (n - 1), null below two values, NaN where one is no number. The sums of values and of squares
 * are exact, in units of a power of two that depends on the greatest value alone, so that no square over- or underflows.
 */
import {
  type Aggregate,
  type AggregateFunction,
  float64,
  int64,
  largestUsual,
  listOf,
  smallestUsual,
  type Value,
} from './aggregate.ts';
import { addFloat, addProduct, addSum, type FloatSum, roundRest, roundSum, scaleSum } from './float-sum.ts';

interface Deviation {
  values: number;
  /** The exponent of the unit: -600, 0 or 600. */
  exponent: number;
  readonly sum: FloatSum;
  readonly squares: FloatSum;
}

const init = (): Deviation => ({ values: 0, exponent: -600, sum: { parts: [] }, squares: { parts: [] } });

const aggregate: Aggregate<Deviation> = {
  result: float64,
  stateTypes: [int64, int64, listOf(float64), listOf(float64)],
  init,
  update: (state, _, value) => {
    const number = Number(value as Exclude<Value, readonly unknown[]>);
    useExponent(state, exponentOf(number));
    const scaled = number * 2 ** -state.exponent;
    state.values += 1;
    addFloat(state.sum, scaled);
    addProduct(state.squares, scaled, scaled);
  },
  downdate: (state, _, value) => {
    const scaled = Number(value as Exclude<Value, readonly unknown[]>) * 2 ** -state.exponent;
    state.values -= 1;
    addFloat(state.sum, -scaled);
    addProduct(state.squares, -scaled, scaled);
  },
  merge: (into, from) => {
    useExponent(into, from.exponent);
    const same = { ...from, sum: copyOf(from.sum), squares: copyOf(from.squares) };
    useExponent(same, into.exponent);
    into.values += same.values;
    addSum(into.sum, same.sum);
    addSum(into.squares, same.squares);
  },
  finalize: ({ values, exponent, sum, squares }) => {
    if (values < 2) return null;
    const total = roundSum(sum);
    const ofSquares = roundSum(squares);
    if (!Number.isFinite(total) || !Number.isFinite(ofSquares)) return Number.NaN;
    // The sum of squares less the square of the sum over n, with all their bits, as the two may be nearly equal.
    const square = { parts: [] };
    const low = roundRest(sum, total);
    addProduct(square, total, total);
    addProduct(square, 2 * total, low);
    addProduct(square, low, low);
    const quotient = roundSum(square) / values;
    addProduct(square, -quotient, values);
    const rest = copyOf(squares);
    addFloat(rest, -quotient);
    addFloat(rest, -roundSum(square) / values);
    return Math.sqrt(Math.max(0, roundSum(rest)) / (values - 1)) * 2 ** exponent;
  },
  save: ({ values, exponent, sum, squares }) => [BigInt(values), BigInt(exponent), [...sum.parts], [...squares.parts]],
  load: ([values, exponent, sum, squares]) => ({
    values: Number(values),
    exponent: Number(exponent),
    sum: { parts: [...(sum as number[])] },
    squares: { parts: [...(squares as number[])] },
  }),
};

/** NaN and infinities count as large. */
function exponentOf(value: number): number {
  const size = Math.abs(value);
  return size < smallestUsual ? -600 : size < largestUsual ? 0 : 600;
}

/** Brings the sums to a greater unit. */
function useExponent(state: Deviation, exponent: number): void {
  for (; state.exponent < exponent; state.exponent += 600) {
    scaleSum(state.sum, 2 ** -600);
    scaleSum(state.squares, 2 ** -600);
    scaleSum(state.squares, 2 ** -600);
  }
}

function copyOf({ parts }: FloatSum): FloatSum {
  return { parts: [...parts] };
}

export const stddev: AggregateFunction = {
  takes: 'value',
  compile: ({ kind }) => (kind.startsWith('int') || kind.startsWith('float') || kind === 'decimal' ? aggregate : undefined),
};

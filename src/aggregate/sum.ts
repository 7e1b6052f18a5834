/** sum: exact of integers and decimals, null outside int64 and 38 digits; of floats exact and rounded once; 0 of none. */
import { formatUnscaled, parseUnscaled } from '../definitions/decimal.ts';
import type { ValueType } from '../definitions/value-type.ts';
import { type Aggregate, type AggregateFunction, float64, int64, listOf } from './aggregate.ts';
import { addFloat, addSum, type FloatSum, roundSum } from './float-sum.ts';

export interface WholeSum {
  total: bigint;
}

const largestDecimal = 10n ** 38n;

/** Wide enough for any number of summands. */
export function wholeSumType(scale: number): ValueType {
  return { kind: 'decimal', precision: 76, scale };
}

const sumOfIntegers: Aggregate<WholeSum> = {
  result: int64,
  stateTypes: [wholeSumType(0)],
  init: () => ({ total: 0n }),
  update: (state, _, value) => {
    state.total += BigInt(value as bigint | number);
  },
  downdate: (state, _, value) => {
    state.total -= BigInt(value as bigint | number);
  },
  merge: (into, { total }) => {
    into.total += total;
  },
  finalize: ({ total }) => (isLong(total) ? total : null),
  isOutOfRange: ({ total }) => !isLong(total),
  save: ({ total }) => [String(total)],
  load: ([total]) => ({ total: BigInt(total as string) }),
};

function sumOfDecimals(scale: number): Aggregate<WholeSum> {
  return {
    ...sumOfIntegers,
    result: { kind: 'decimal', precision: 38, scale },
    stateTypes: [wholeSumType(scale)],
    update: (state, _, value) => {
      state.total += parseUnscaled(value as string);
    },
    downdate: (state, _, value) => {
      state.total -= parseUnscaled(value as string);
    },
    finalize: ({ total }) => (isDecimal(total) ? formatUnscaled(total, scale) : null),
    isOutOfRange: ({ total }) => !isDecimal(total),
    save: ({ total }) => [formatUnscaled(total, scale)],
    load: ([total]) => ({ total: parseUnscaled(total as string) }),
  };
}

const sumOfFloats: Aggregate<FloatSum> = {
  result: float64,
  stateTypes: [listOf(float64)],
  init: () => ({ parts: [] }),
  update: (state, _, value) => addFloat(state, value as number),
  downdate: (state, _, value) => addFloat(state, -(value as number)),
  merge: addSum,
  finalize: roundSum,
  save: ({ parts }) => [[...parts]],
  load: ([parts]) => ({ parts: [...(parts as number[])] }),
};

function isLong(total: bigint): boolean {
  return BigInt.asIntN(64, total) === total;
}

function isDecimal(total: bigint): boolean {
  return total < largestDecimal && total > -largestDecimal;
}

export const sum: AggregateFunction = {
  takes: 'value',
  compile(value) {
    if (value.kind === 'int32' || value.kind === 'int64') return sumOfIntegers;
    if (value.kind === 'decimal') return sumOfDecimals(value.scale);
    return value.kind === 'float32' || value.kind === 'float64' ? sumOfFloats : undefined;
  },
};

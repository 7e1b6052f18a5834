/** entropy: of the distribution of the values, in nats; of one value exactly 0. */
import { type Aggregate, type AggregateFunction, float64 } from './aggregate.ts';
import { compileTally, type Tally } from './tally.ts';

/** Of how often each of two values or more occurs. */
export function entropyOf(counts: readonly number[]): number {
  // In ascending order, so that equal counts give equal digits.
  const ascending = [...counts].sort((a, b) => a - b);
  const all = ascending.reduce((sum, count) => sum + count, 0);
  return -ascending.reduce((sum, count) => sum + (count / all) * Math.log(count / all), 0);
}

export const entropy: AggregateFunction = {
  takes: 'value',
  compile: (type): Aggregate<Tally> => ({
    ...compileTally(type),
    result: float64,
    finalize: (state) => {
      if (state.size < 2) return state.size === 0 ? null : 0;
      return entropyOf([...state.values()].map(({ count }) => count));
    },
  }),
};

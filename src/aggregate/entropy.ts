/** entropy: of the distribution of the values, in nats; of one value exactly 0. */
import { type Aggregate, type AggregateFunction, float64 } from './aggregate.ts';
import { compileTally, type Tally } from './tally.ts';

export const entropy: AggregateFunction = {
  takes: 'value',
  compile: (type): Aggregate<Tally> => ({
    ...compileTally(type),
    result: float64,
    finalize: (state) => {
      if (state.size < 2) return state.size === 0 ? null : 0;
      // In ascending order, so that equal counts give equal digits.
      const counts = [...state.values()].map(({ count }) => count).sort((a, b) => a - b);
      const all = counts.reduce((sum, count) => sum + count, 0);
      return -counts.reduce((sum, count) => sum + (count / all) * Math.log(count / all), 0);
    },
  }),
};

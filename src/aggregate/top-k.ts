/** top_k: the most frequent values first, equally frequent ones in ascending order. */
import { type Aggregate, type AggregateFunction, listOf } from './aggregate.ts';
import { compileTally, inOrder, type Tally } from './tally.ts';

export const topK: AggregateFunction = {
  takes: 'value',
  size: 'k',
  compile: (type, size): Aggregate<Tally> => ({
    ...compileTally(type),
    result: listOf(type),
    finalize: (state) => {
      if (state.size === 0) return null;
      const entries = inOrder(type, state).sort((a, b) => b.count - a.count);
      return entries.slice(0, size).map(({ value }) => value);
    },
  }),
};

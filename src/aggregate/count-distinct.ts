/** count_distinct: how many values are different; 0 of none. */
import { type Aggregate, type AggregateFunction, int64, listOf } from './aggregate.ts';
import { compileTally, inOrder, type Tally } from './tally.ts';

export const countDistinct: AggregateFunction = {
  takes: 'value',
  compile(type): Aggregate<Tally> {
    const tally = compileTally(type);
    return {
      ...tally,
      result: int64,
      stateTypes: [listOf(type)],
      finalize: (state) => BigInt(state.size),
      // How often a value occurs does not matter here, and is not kept.
      save: (state) => [inOrder(type, state).map(({ value }) => value)],
      load: ([values]) => tally.load([values as readonly never[], (values as readonly never[]).map(() => 1n)]),
    };
  },
};

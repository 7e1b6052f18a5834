/** rate: events that satisfy `condition` by events that satisfy `over`, each counted by itself; null where the latter are none. */
import { type Aggregate, type AggregateFunction, float64, int64 } from './aggregate.ts';

interface Rate {
  satisfied: number;
  all: number;
}

const aggregate: Aggregate<Rate> = {
  result: float64,
  stateTypes: [int64, int64],
  init: () => ({ satisfied: 0, all: 0 }),
  update: (state, _, condition, over = true) => {
    if (condition === true) state.satisfied += 1;
    if (over) state.all += 1;
  },
  merge: (into, { satisfied, all }) => {
    into.satisfied += satisfied;
    into.all += all;
  },
  finalize: ({ satisfied, all }) => (all === 0 ? null : satisfied / all),
  save: ({ satisfied, all }) => [BigInt(satisfied), BigInt(all)],
  load: ([satisfied, all]) => ({ satisfied: Number(satisfied), all: Number(all) }),
};

export const rate: AggregateFunction = { takes: 'conditions', compile: () => aggregate };

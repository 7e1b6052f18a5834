/** count: how many events; 0 of none. */
import { type Aggregate, type AggregateFunction, int64 } from './aggregate.ts';

interface Count {
  events: number;
}

const aggregate: Aggregate<Count> = {
  result: int64,
  stateTypes: [int64],
  init: () => ({ events: 0 }),
  update: (state) => {
    state.events += 1;
  },
  merge: (into, { events }) => {
    into.events += events;
  },
  finalize: ({ events }) => BigInt(events),
  save: ({ events }) => [BigInt(events)],
  load: ([events]) => ({ events: Number(events) }),
};

export const count: AggregateFunction = { takes: 'nothing', compile: () => aggregate };

/** duration: seconds from the first to the last event of a session, microseconds kept; of one event 0. */
import { type Aggregate, type AggregateFunction, float64, instant } from './aggregate.ts';

interface Span {
  firstUs: bigint | null;
  lastUs: bigint | null;
}

const aggregate: Aggregate<Span> = {
  result: float64,
  stateTypes: [instant, instant],
  init: () => ({ firstUs: null, lastUs: null }),
  update: (state, timeUs) => widen(state, timeUs, timeUs),
  merge: (into, { firstUs, lastUs }) => {
    if (firstUs !== null && lastUs !== null) widen(into, firstUs, lastUs);
  },
  finalize: ({ firstUs, lastUs }) => (firstUs === null || lastUs === null ? null : Number(lastUs - firstUs) / 1e6),
  save: ({ firstUs, lastUs }) => [firstUs, lastUs],
  load: ([firstUs, lastUs]) => ({ firstUs: firstUs as bigint | null, lastUs: lastUs as bigint | null }),
};

function widen(state: Span, firstUs: bigint, lastUs: bigint): void {
  if (state.firstUs === null || firstUs < state.firstUs) state.firstUs = firstUs;
  if (state.lastUs === null || lastUs > state.lastUs) state.lastUs = lastUs;
}

export const duration: AggregateFunction = { takes: 'nothing', isOfSessions: true, compile: () => aggregate };

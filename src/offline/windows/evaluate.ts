/** The values of an aggregate over windows of a bucket's events: each function in the way that looks at the fewest events. */
import type { AggregateDocument } from '../../registry/document.ts';
import type { AggregateInputs } from '../../registry/event-view.ts';
import type { BucketEvents, Chosen } from './bucket-events.ts';
import { evaluateByTime } from './evaluate-by-time.ts';
import { evaluateExtreme } from './evaluate-extreme.ts';
import { evaluateSum } from './evaluate-sum.ts';
import { evaluateTally } from './evaluate-tally.ts';
import type { Evaluated } from './evaluated.ts';
import type { InstantUs } from './event-times.ts';
import type { Bounds, WindowBounds } from './window-bounds.ts';

/** `bounds` are of all events of a key; what a row without a key has is empty. */
export function evaluateAggregate(
  { function: name, size = 1 }: AggregateDocument,
  inputs: AggregateInputs,
  events: BucketEvents,
  bounds: WindowBounds,
): Evaluated {
  switch (name) {
    case 'count':
      return evaluateCount(bounds.among(events.choose([inputs.where])));
    case 'rate': {
      const satisfied = bounds.among(events.choose([inputs.where, inputs.condition]));
      return evaluateRate(satisfied, bounds.among(events.choose([inputs.where, inputs.over])));
    }
    case 'duration': {
      const chosen = events.choose([inputs.where]);
      return evaluateDuration(events, chosen, bounds.among(chosen));
    }
  }
  const value = inputs.value as number;
  const chosen = events.choose([inputs.where], value);
  const input = { events, chosen, bounds: bounds.among(chosen), value, size };
  switch (name) {
    case 'first':
    case 'last':
    case 'last_n':
      return evaluateByTime(name, input);
    case 'min':
    case 'max':
      return evaluateExtreme(name, input);
    case 'sum':
    case 'mean':
    case 'stddev':
      return evaluateSum(name, input);
    case 'count_distinct':
    case 'top_k':
    case 'entropy':
      return evaluateTally(name, input);
  }
}

/** By place the row of the newest event that passes `where`, -1 for none (rule 4.4). */
export function findNewest({ where }: AggregateInputs, events: BucketEvents, bounds: WindowBounds): Int32Array {
  const passing = events.choose([where]);
  const { from, to } = bounds.among(passing);
  const newest = new Int32Array(to.length);
  for (let place = 0; place < newest.length; place++) {
    const end = to[place] as number;
    newest[place] = end > (from[place] as number) ? (passing.rows[end - 1] as number) : -1;
  }
  return newest;
}

function evaluateCount({ from, to }: Bounds): Evaluated {
  const words = new Int32Array(2 * to.length);
  for (let place = 0; place < to.length; place++) words[2 * place] = (to[place] as number) - (from[place] as number);
  return { kind: 'numbers', numbers: new BigInt64Array(words.buffer) };
}

function evaluateRate(satisfied: Bounds, over: Bounds): Evaluated {
  const numbers = new Float64Array(over.to.length);
  const nulls = new Uint8Array(numbers.length);
  for (let place = 0; place < numbers.length; place++) {
    const all = (over.to[place] as number) - (over.from[place] as number);
    if (all === 0) nulls[place] = 1;
    else numbers[place] = ((satisfied.to[place] as number) - (satisfied.from[place] as number)) / all;
  }
  return { kind: 'numbers', numbers, nulls };
}

function evaluateDuration({ times }: BucketEvents, { rows }: Chosen, { from, to }: Bounds): Evaluated {
  const numbers = new Float64Array(to.length);
  const nulls = new Uint8Array(to.length);
  for (let place = 0; place < numbers.length; place++) {
    const [first, end] = [from[place] as number, to[place] as number];
    if (first === end) nulls[place] = 1;
    else numbers[place] = secondsBetween(times[rows[first] as number] as InstantUs, times[rows[end - 1] as number] as InstantUs);
  }
  return { kind: 'numbers', numbers, nulls };
}

function secondsBetween(first: InstantUs, last: InstantUs): number {
  return Number(typeof last === 'bigint' ? last - (first as bigint) : last - (first as number)) / 1e6;
}

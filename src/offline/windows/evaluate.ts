/** The values of an aggregate over windows of a bucket's events: each function in the way that looks at the fewest events. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { compareValues } from '../../definitions/value-order.ts';
import type { AggregateDocument, FeatureDocument } from '../../registry/document.ts';
import type { BucketEvents, Chosen } from './bucket-events.ts';
import { evaluateExtreme } from './evaluate-extreme.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import { evaluateSum } from './evaluate-sum.ts';
import { evaluateTally } from './evaluate-tally.ts';
import type { InstantUs } from './event-times.ts';
import type { AggregateInputs } from './event-view.ts';
import type { Bounds } from './sweep.ts';
import type { WindowBounds } from './window-bounds.ts';

export interface Evaluated {
  /** By row of the frame; null is NULL_VALUE. */
  readonly values: LiteralValue[];
  /** By row of the frame the row of the newest event that passes `where`, -1 for none (rule 4.4). */
  readonly newest: Int32Array;
}

/** `bounds` are of all events of a key; what a row without a key has is empty. */
export function evaluateAggregate(
  feature: FeatureDocument,
  inputs: AggregateInputs,
  events: BucketEvents,
  bounds: WindowBounds,
): Evaluated {
  const passing = events.choose([inputs.where]);
  const among = boundsAmong(bounds, passing);
  const newest = Int32Array.from(among.to, (end, row) =>
    end > (among.from[row] as number) ? (passing.rows[end - 1] as number) : -1,
  );
  return { values: evaluate(feature, inputs, events, bounds, { chosen: passing, bounds: among }), newest };
}

function evaluate(
  { aggregate }: FeatureDocument,
  inputs: AggregateInputs,
  events: BucketEvents,
  bounds: WindowBounds,
  passing: { readonly chosen: Chosen; readonly bounds: Bounds },
): LiteralValue[] {
  const { function: name, size = 1 } = aggregate as AggregateDocument;
  const { from, to } = passing.bounds;
  switch (name) {
    case 'count':
      return Array.from(to, (end, row) => BigInt(end - (from[row] as number)));
    case 'rate': {
      const satisfied = boundsAmong(bounds, events.choose([inputs.where, inputs.condition]));
      const over = boundsAmong(bounds, events.choose([inputs.where, inputs.over]));
      return Array.from(to, (_, row) => divide(lengthAt(satisfied, row), lengthAt(over, row)));
    }
    case 'duration':
      return Array.from(to, (end, row) => secondsBetween(events, passing.chosen, from[row] as number, end));
  }
  const value = inputs.value as number;
  const chosen = events.choose([inputs.where], value);
  const valued = boundsAmong(bounds, chosen);
  const input = { events, chosen, bounds: valued, value, size, order: bounds.order };
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

function boundsAmong({ from, to }: Bounds, { before }: Chosen): Bounds {
  const among = (bound: number) => before[bound] as number;
  return { from: from.map(among), to: to.map(among) };
}

function lengthAt({ from, to }: Bounds, row: number): number {
  return (to[row] as number) - (from[row] as number);
}

function divide(satisfied: number, all: number): number | null {
  return all === 0 ? null : satisfied / all;
}

function secondsBetween({ times }: BucketEvents, { rows }: Chosen, from: number, to: number): number | null {
  if (from === to) return null;
  const first = times[rows[from] as number] as InstantUs;
  const last = times[rows[to - 1] as number] as InstantUs;
  return Number(typeof last === 'bigint' ? last - (first as bigint) : last - (first as number)) / 1e6;
}

/** From the end that is wanted inward; events of one time are ordered by value. */
function evaluateByTime(
  name: 'first' | 'last' | 'last_n',
  { events, chosen, bounds, value, size }: EvaluateInput,
): LiteralValue[] {
  const read = events.reader(value);
  const type = events.type(value);
  const step = name === 'first' ? 1 : -1;
  const wanted = name === 'last_n' ? size : 1;
  const timeAt = (at: number) => events.times[chosen.rows[at] as number];
  return Array.from(bounds.to, (to, row) => {
    const from = bounds.from[row] as number;
    const taken: LiteralValue[] = [];
    for (let at = step > 0 ? from : to - 1; at >= from && at < to && taken.length < wanted; ) {
      const time = timeAt(at);
      const alike: LiteralValue[] = [];
      for (; at >= from && at < to && timeAt(at) === time; at += step) alike.push(read(chosen.rows[at] as number));
      if (alike.length > 1) alike.sort((a, b) => step * compareValues(type, a, b));
      taken.push(...alike);
    }
    if (taken.length === 0) return null;
    return name === 'last_n' ? taken.slice(0, wanted) : (taken[0] as LiteralValue);
  });
}

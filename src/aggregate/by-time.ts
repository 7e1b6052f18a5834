/** first, last and last_n: by event time, of equal times by value, so that the order of arrival does not matter. */
import type { LiteralValue } from '../definitions/literal.ts';
import { compareValues } from '../definitions/value-order.ts';
import type { ValueType } from '../definitions/value-type.ts';
import { type Aggregate, type AggregateFunction, instant, listOf, type Value } from './aggregate.ts';

/** In the order of the result, at most as many as it has. */
interface Timed {
  items: readonly { readonly timeUs: bigint; readonly value: Value }[];
}

type Item = Timed['items'][number];

/** `sign` 1 puts the least first, -1 the greatest. */
function compile(type: ValueType, sign: 1 | -1, size: number): Omit<Aggregate<Timed>, 'result' | 'finalize'> {
  const isBefore = (a: Item, b: Item) => {
    const order = a.timeUs === b.timeUs ? compareValues(type, a.value, b.value) : a.timeUs < b.timeUs ? -1 : 1;
    return sign * order <= 0;
  };
  const merge = (into: Timed, { items }: Timed) => {
    const merged: Item[] = [];
    for (let left = 0, right = 0; merged.length < size; ) {
      const a = into.items[left];
      const b = items[right];
      if (a === undefined && b === undefined) break;
      const takesLeft = b === undefined || (a !== undefined && isBefore(a, b));
      merged.push((takesLeft ? a : b) as Item);
      if (takesLeft) left += 1;
      else right += 1;
    }
    into.items = merged;
  };
  return {
    stateTypes: [listOf(instant), listOf(type)],
    init: () => ({ items: [] }),
    update: (state, timeUs, value) => merge(state, { items: [{ timeUs, value }] }),
    merge,
    save: ({ items }) => [items.map(({ timeUs }) => timeUs), items.map(({ value }) => value)],
    load: ([times, values]) => ({
      items: (times as bigint[]).map((timeUs, at) => ({ timeUs, value: (values as readonly LiteralValue[])[at] as Value })),
    }),
  };
}

function compileOne(type: ValueType, sign: 1 | -1): Aggregate<Timed> {
  return { ...compile(type, sign, 1), result: type, finalize: ({ items }) => items[0]?.value ?? null };
}

export const first: AggregateFunction = { takes: 'value', compile: (type) => compileOne(type, 1) };
export const last: AggregateFunction = { takes: 'value', compile: (type) => compileOne(type, -1) };

export const lastN: AggregateFunction = {
  takes: 'value',
  size: 'n',
  compile: (type, size): Aggregate<Timed> => ({
    ...compile(type, -1, size),
    result: listOf(type),
    finalize: ({ items }) => (items.length === 0 ? null : items.map(({ value }) => value)),
  }),
};

/** How often each value occurs: what count_distinct, top_k and entropy are made of. */
import type { LiteralValue } from '../definitions/literal.ts';
import { compareValues } from '../definitions/value-order.ts';
import type { ValueType } from '../definitions/value-type.ts';
import { type Aggregate, int64, listOf, type Value } from './aggregate.ts';

/** By what makes equal values equal: NaN is itself, and 0 has no sign. */
export type Tally = Map<unknown, { readonly value: Value; count: number }>;

export type TallyEntry = { readonly value: Value; readonly count: number };

export function compileTally(type: ValueType): Omit<Aggregate<Tally>, 'result' | 'finalize'> {
  const identityOf = identity(type);
  const add = (tally: Tally, value: Value, count: number) => {
    const same = identityOf(value);
    const entry = tally.get(same);
    if (entry === undefined) tally.set(same, { value, count });
    else entry.count += count;
  };
  return {
    stateTypes: [listOf(type), listOf(int64)],
    init: () => new Map(),
    update: (state, _, value) => add(state, value, 1),
    merge: (into, from) => {
      for (const { value, count } of from.values()) add(into, value, count);
    },
    save: (state) => {
      const entries = inOrder(type, state);
      return [entries.map(({ value }) => value), entries.map(({ count }) => BigInt(count))];
    },
    load: ([values, counts]) => {
      const tally: Tally = new Map();
      for (const [at, value] of (values as readonly LiteralValue[]).entries()) {
        add(tally, value as Value, Number((counts as bigint[])[at]));
      }
      return tally;
    },
  };
}

/** The values in ascending order. */
export function inOrder(type: ValueType, tally: Tally): TallyEntry[] {
  return [...tally.values()].sort((a, b) => compareValues(type, a.value, b.value));
}

function identity(type: ValueType): (value: Value) => unknown {
  switch (type.kind) {
    case 'bytes':
      return (value) => Buffer.from(value as Uint8Array).toString('latin1');
    case 'list':
    case 'vector': {
      const element = type.kind === 'list' ? identity(type.element) : (value: Value) => value;
      return (value) =>
        JSON.stringify((value as readonly LiteralValue[]).map((item) => (item === null ? null : String(element(item)))));
    }
    default:
      return (value) => value;
  }
}

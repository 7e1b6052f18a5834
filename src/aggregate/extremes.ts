/** min and max, by the order of values (rule 3.1). */
import { compareValues } from '../definitions/value-order.ts';
import type { ValueType } from '../definitions/value-type.ts';
import type { Aggregate, AggregateFunction, Value } from './aggregate.ts';

interface Extreme {
  value: Value | null;
}

function compile(type: ValueType, sign: 1 | -1): Aggregate<Extreme> {
  const take = (state: Extreme, value: Value | null) => {
    if (value === null) return;
    if (state.value === null || sign * compareValues(type, value, state.value) > 0) state.value = value;
  };
  return {
    result: type,
    stateTypes: [type],
    init: () => ({ value: null }),
    update: (state, _, value) => take(state, value),
    merge: (into, { value }) => take(into, value),
    finalize: ({ value }) => value,
    save: ({ value }) => [value],
    load: ([value]) => ({ value: value as Value | null }),
  };
}

export const min: AggregateFunction = { takes: 'value', compile: (type) => compile(type, -1) };
export const max: AggregateFunction = { takes: 'value', compile: (type) => compile(type, 1) };

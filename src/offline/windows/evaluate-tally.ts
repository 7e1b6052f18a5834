/** count_distinct, top_k and entropy over windows: how often each value occurs, by its place in the order of all values. */
import { entropyOf } from '../../aggregate/entropy.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { compareValues } from '../../definitions/value-order.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import { sweep } from './sweep.ts';

interface Coded {
  /** By chosen event the place of its value. */
  readonly codes: Int32Array;
  /** Different values in ascending order. */
  readonly values: readonly LiteralValue[];
}

export function evaluateTally(
  name: 'count_distinct' | 'top_k' | 'entropy',
  { events, chosen, bounds, value, size, order }: EvaluateInput,
): LiteralValue[] {
  const readRow = events.reader(value);
  const { codes, values } = events.keep(`codes of ${chosen.name}`, () =>
    encode(events.type(value), Array.from(chosen.rows, readRow)),
  );
  const counts = new Int32Array(values.length);
  /** Those with a count, in no order; `places` says where each stands. */
  const present: number[] = [];
  const places = new Int32Array(values.length);
  const empty = name === 'count_distinct' ? 0n : null;
  const answers = new Array<LiteralValue>(bounds.to.length).fill(empty);
  sweep(order, bounds, {
    clear: () => {
      for (const code of present) counts[code] = 0;
      present.length = 0;
    },
    add: (at) => {
      const code = codes[at] as number;
      if (counts[code] === 0) places[code] = present.push(code) - 1;
      counts[code] = (counts[code] as number) + 1;
    },
    drop: (at) => {
      const code = codes[at] as number;
      counts[code] = (counts[code] as number) - 1;
      if (counts[code] !== 0) return;
      const last = present.pop() as number;
      if (last === code) return;
      present[places[code] as number] = last;
      places[last] = places[code] as number;
    },
    visit: (row) => {
      answers[row] = finish();
    },
  });
  return answers;

  function finish(): LiteralValue {
    if (name === 'count_distinct') return BigInt(present.length);
    if (name === 'entropy') return present.length === 1 ? 0 : entropyOf(present.map((code) => counts[code] as number));
    const ranked = [...present].sort((a, b) => (counts[b] as number) - (counts[a] as number) || a - b);
    return ranked.slice(0, size).map((code) => values[code] as LiteralValue);
  }
}

function encode(type: ValueType, all: readonly LiteralValue[]): Coded {
  const order = Int32Array.from(all.keys()).sort((a, b) => compareValues(type, all[a], all[b]));
  const codes = new Int32Array(all.length);
  const values: LiteralValue[] = [];
  for (const at of order) {
    const value = all[at] as LiteralValue;
    if (values.length === 0 || compareValues(type, values.at(-1), value) !== 0) values.push(value);
    codes[at] = values.length - 1;
  }
  return { codes, values };
}

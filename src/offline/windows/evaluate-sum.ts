/** sum, mean and stddev over windows: exact sums, from which an event goes as it came, without a trace. */
import { isReversible } from '../../aggregate/aggregate.ts';
import { compileAggregate } from '../../aggregate/compile-aggregate.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import { sweep } from './sweep.ts';

export function evaluateSum(
  name: 'sum' | 'mean' | 'stddev',
  { events, chosen, bounds, value, order }: EvaluateInput,
): LiteralValue[] {
  const aggregate = compileAggregate(name, events.type(value));
  const readRow = events.reader(value);
  const read = (at: number) => readRow(chosen.rows[at] as number);
  const extremes = events.keep(`extremes among ${chosen.name}`, () => countExtremes(chosen.rows.length, read));
  const empty = aggregate.finalize(aggregate.init());
  const values = new Array<LiteralValue>(bounds.to.length).fill(empty);
  let state = aggregate.init();
  sweep(order, bounds, {
    clear: () => {
      state = aggregate.init();
    },
    add: (at) => {
      const added = read(at);
      if (isReversible(added as number)) aggregate.update(state, 0n, added);
    },
    drop: (at) => {
      const dropped = read(at);
      if (isReversible(dropped as number)) aggregate.downdate?.(state, 0n, dropped);
    },
    visit: (row) => {
      const [from, to] = [bounds.from[row] as number, bounds.to[row] as number];
      const isUsual = extremes === undefined || extremes[to] === extremes[from];
      values[row] = aggregate.finalize(isUsual ? state : sumUp(from, to));
    },
  });
  return values;

  /** Of a window with infinities, NaN or floats of extreme size. */
  function sumUp(from: number, to: number): object {
    const whole = aggregate.init();
    for (let at = from; at < to; at++) aggregate.update(whole, 0n, read(at));
    return whole;
  }
}

/** How many values before each cannot be taken back; undefined where all can. */
function countExtremes(length: number, read: (at: number) => LiteralValue): Int32Array | undefined {
  const before = new Int32Array(length + 1);
  for (let at = 0; at < length; at++) before[at + 1] = (before[at] as number) + (isReversible(read(at) as number) ? 0 : 1);
  return before[length] === 0 ? undefined : before;
}

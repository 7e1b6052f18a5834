/** sum and mean of integers and decimals of any size over windows: what comes into a window is added, what leaves it taken away. */
import { compileAggregate } from '../../aggregate/compile-aggregate.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { literalReader } from '../literal-column.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import type { Evaluated } from './evaluated.ts';

export function evaluateStepwise(
  name: 'sum' | 'mean',
  { events, chosen, bounds: { from, to }, value }: EvaluateInput,
): Evaluated {
  const aggregate = compileAggregate(name, events.type(value));
  const read = literalReader(events.column(value), events.type(value));
  const literals = new Array<LiteralValue>(to.length).fill(aggregate.finalize(aggregate.init()));
  let outOfRange = 0;
  let state = aggregate.init();
  let first = 0;
  let end = 0;
  for (let place = 0; place < to.length; place++) {
    const wantedFirst = from[place] as number;
    const wantedEnd = to[place] as number;
    if (wantedFirst >= wantedEnd) continue;
    if (wantedFirst >= end) {
      state = aggregate.init();
      first = wantedFirst;
      end = wantedFirst;
    }
    for (; end < wantedEnd; end++) aggregate.update(state, 0n, read(chosen.rows[end] as number));
    for (; first < wantedFirst; first++) aggregate.downdate?.(state, 0n, read(chosen.rows[first] as number));
    literals[place] = aggregate.finalize(state);
    if (literals[place] === null && aggregate.isOutOfRange?.(state) === true) outOfRange += 1;
  }
  const { kind } = aggregate.result;
  if (kind === 'int64')
    return {
      kind: 'numbers',
      numbers: BigInt64Array.from(literals, (value) => (value ?? 0n) as bigint),
      nulls: nullsOf(literals),
      outOfRange,
    };
  if (kind === 'float64')
    return { kind: 'numbers', numbers: Float64Array.from(literals, (value) => (value ?? 0) as number), nulls: nullsOf(literals) };
  return { kind: 'literals', literals, outOfRange };
}

function nullsOf(literals: readonly LiteralValue[]): Uint8Array {
  return Uint8Array.from(literals, (value) => (value === null ? 1 : 0));
}

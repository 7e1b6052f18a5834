/** mean: the sum, exact before it is divided, by the number of values. */
import { formatUnscaled } from '../definitions/decimal.ts';
import { type Aggregate, type AggregateFunction, float64, int64 } from './aggregate.ts';
import { type FloatSum, roundSum } from './float-sum.ts';
import { sum, type WholeSum } from './sum.ts';

interface Mean<Sum> {
  readonly sum: Sum;
  values: number;
}

export const mean: AggregateFunction = {
  takes: 'value',
  compile(value, size) {
    const total = sum.compile(value, size);
    if (total === undefined) return undefined;
    const scale = value.kind === 'decimal' ? value.scale : 0;
    const aggregate: Aggregate<Mean<object>> = {
      result: float64,
      stateTypes: [...total.stateTypes, int64],
      init: () => ({ sum: total.init(), values: 0 }),
      update: (state, timeUs, value) => {
        total.update(state.sum, timeUs, value);
        state.values += 1;
      },
      downdate: (state, timeUs, value) => {
        total.downdate?.(state.sum, timeUs, value);
        state.values -= 1;
      },
      merge: (into, from) => {
        total.merge(into.sum, from.sum);
        into.values += from.values;
      },
      finalize: ({ sum, values }) => (values === 0 ? null : asNumber(sum) / values + 0),
      save: ({ sum, values }) => [...total.save(sum), BigInt(values)],
      load: (parts) => ({ sum: total.load(parts), values: Number(parts.at(-1)) }),
    };
    return aggregate;

    function asNumber(state: Partial<WholeSum & FloatSum>): number {
      return state.total === undefined ? roundSum(state as FloatSum) : Number(formatUnscaled(state.total, scale));
    }
  },
};

/** min and max over windows: a queue of the events that may still be the answer, each better than all that come after it. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { compareValues } from '../../definitions/value-order.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import { sweep } from './sweep.ts';

export function evaluateExtreme(name: 'min' | 'max', { events, chosen, bounds, value, order }: EvaluateInput): LiteralValue[] {
  const readRow = events.reader(value);
  const type = events.type(value);
  const sign = name === 'max' ? 1 : -1;
  const values = new Array<LiteralValue>(bounds.to.length).fill(null);
  const queue: { readonly at: number; readonly value: LiteralValue }[] = [];
  let head = 0;
  sweep(order, bounds, {
    clear: () => {
      queue.length = 0;
      head = 0;
    },
    add: (at) => {
      const added = readRow(chosen.rows[at] as number);
      while (queue.length > head && sign * compareValues(type, (queue.at(-1) as { value: LiteralValue }).value, added) <= 0)
        queue.pop();
      queue.push({ at, value: added });
    },
    drop: (at) => {
      if (queue[head]?.at === at) head += 1;
    },
    visit: (row) => {
      values[row] = queue[head]?.value as LiteralValue;
    },
  });
  return values;
}

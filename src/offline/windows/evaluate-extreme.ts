/**
 * min and max over windows, by blocks: a window is the best of what is left of its block and of what came after that. A block ends where
 * a window ended when the last one was used up, so that each event is looked at twice at most.
 */
import { codesOf } from './codes.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import type { Evaluated } from './evaluated.ts';
import { numbersOf } from './numbers-of.ts';
import type { Bounds } from './window-bounds.ts';

export function evaluateExtreme(name: 'min' | 'max', input: EvaluateInput): Evaluated {
  const ranks = input.events.keep(`ranks ${input.value} of ${input.chosen.name}`, () => rankValues(input));
  return { kind: 'events', rows: findGreatest(ranks, name === 'max' ? 1 : -1, input.bounds, input.chosen.rows) };
}

/** By chosen event a number that is greater where the value is. */
function rankValues({ events, chosen, value }: EvaluateInput): Float64Array {
  const { kind } = events.type(value);
  if (kind === 'float64' || kind === 'float32' || kind === 'int32') {
    const numbers = numbersOf(events, value);
    const ranks = new Float64Array(chosen.rows.length);
    let areAll = true;
    for (let at = 0; at < ranks.length; at++) {
      const number = numbers[chosen.rows[at] as number] as number;
      ranks[at] = number;
      // NaN is above every number, which no number is.
      areAll = areAll && !Number.isNaN(number);
    }
    if (areAll) return ranks;
  }
  return Float64Array.from(codesOf(events, chosen, value).codes);
}

function findGreatest(ranks: Float64Array, sign: 1 | -1, { from, to }: Bounds, rows: Int32Array): Int32Array {
  const found = new Int32Array(to.length).fill(-1);
  /** Of each event of the block the best from there to the block's end. */
  const best = new Int32Array(ranks.length);
  let blockEnd = 0;
  let end = 0;
  let after = -1;
  let rankAfter = 0;
  for (let place = 0; place < to.length; place++) {
    const first = from[place] as number;
    const wanted = to[place] as number;
    if (first >= wanted) continue;
    if (first >= end) {
      blockEnd = first;
      end = first;
      after = -1;
    }
    for (; end < wanted; end++) {
      const rank = sign * (ranks[end] as number);
      if (after >= 0 && rank < rankAfter) continue;
      after = end;
      rankAfter = rank;
    }
    if (first >= blockEnd) {
      blockEnd = end;
      after = -1;
      let greatest = end - 1;
      for (let at = end - 1; at >= first; at--) {
        if (sign * (ranks[at] as number) > sign * (ranks[greatest] as number)) greatest = at;
        best[at] = greatest;
      }
    }
    const inBlock = best[first] as number;
    const isAfter = after >= 0 && rankAfter >= sign * (ranks[inBlock] as number);
    found[place] = rows[isAfter ? after : inBlock] as number;
  }
  return found;
}

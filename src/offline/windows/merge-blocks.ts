/**
 * Any aggregate over windows that move forward, by merging and never by taking away: a window is what is left of its block and what came
 * after that. A block ends where a window ended when the last one was used up, so that each event is looked at twice at most.
 */
import type { CompiledAggregate } from '../../aggregate/compile-aggregate.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { Bounds } from './window-bounds.ts';

/** Calls with some of the places, whose windows are not empty, in their order. `read` gives the value of a chosen event. */
export function mergeBlocks(
  aggregate: CompiledAggregate,
  read: (at: number) => LiteralValue,
  { from, to }: Bounds,
  places: readonly number[],
  visit: (place: number, value: LiteralValue) => void,
): void {
  /** Of each event of the block what is left of the block from there on. */
  let rests: object[] = [];
  let blockStart = 0;
  let blockEnd = 0;
  let end = 0;
  let after = aggregate.init();
  for (const place of places) {
    const first = from[place] as number;
    const wanted = to[place] as number;
    if (first >= end) {
      blockEnd = first;
      end = first;
      after = aggregate.init();
    }
    for (; end < wanted; end++) aggregate.update(after, 0n, read(end));
    if (first >= blockEnd) {
      rests = restsOf(aggregate, read, first, end);
      blockStart = first;
      blockEnd = end;
      after = aggregate.init();
    }
    const window = aggregate.init();
    aggregate.merge(window, rests[first - blockStart] as object);
    aggregate.merge(window, after);
    visit(place, aggregate.finalize(window));
  }
}

function restsOf(aggregate: CompiledAggregate, read: (at: number) => LiteralValue, first: number, end: number): object[] {
  const rests = new Array<object>(end - first);
  const rest = aggregate.init();
  for (let at = end - 1; at >= first; at--) {
    aggregate.update(rest, 0n, read(at));
    const copy = aggregate.init();
    aggregate.merge(copy, rest);
    rests[at - first] = copy;
  }
  return rests;
}

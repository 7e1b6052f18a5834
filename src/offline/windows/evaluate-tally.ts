/** count_distinct, top_k and entropy over windows: how often each value occurs, by its place in the order of all values. */
import { codesOf } from './codes.ts';
import type { EvaluateInput } from './evaluate-input.ts';
import type { Evaluated } from './evaluated.ts';
import { createRanking } from './ranking.ts';
import { createTally, type SlidingTally } from './sliding-tally.ts';
import type { Bounds } from './window-bounds.ts';

export function evaluateTally(name: 'count_distinct' | 'top_k' | 'entropy', input: EvaluateInput): Evaluated {
  const { events, chosen, value, bounds } = input;
  const { codes, samples } = codesOf(events, chosen, value);
  switch (name) {
    case 'count_distinct':
      return countDistinct(codes, samples.length, bounds);
    case 'entropy':
      return measureEntropy(codes, samples.length, bounds);
    case 'top_k':
      return findFrequent(codes, samples, bounds, input.size);
  }
}

function countDistinct(codes: Int32Array, values: number, { from, to }: Bounds): Evaluated {
  const words = new Int32Array(2 * to.length);
  const counts = new Int32Array(values);
  let distinct = 0;
  let first = 0;
  let end = 0;
  for (let place = 0; place < to.length; place++) {
    const wantedFirst = from[place] as number;
    const wantedEnd = to[place] as number;
    if (wantedFirst >= wantedEnd) continue;
    for (const stop = Math.min(wantedFirst, end); first < stop; first++) {
      const code = codes[first] as number;
      const left = (counts[code] as number) - 1;
      counts[code] = left;
      if (left === 0) distinct -= 1;
    }
    if (first < wantedFirst) {
      first = wantedFirst;
      end = wantedFirst;
    }
    for (; end < wantedEnd; end++) {
      const code = codes[end] as number;
      const before = counts[code] as number;
      counts[code] = before + 1;
      if (before === 0) distinct += 1;
    }
    words[2 * place] = distinct;
  }
  return { kind: 'numbers', numbers: new BigInt64Array(words.buffer) };
}

function measureEntropy(codes: Int32Array, values: number, bounds: Bounds): Evaluated {
  const numbers = new Float64Array(bounds.to.length);
  const nulls = new Uint8Array(numbers.length);
  const tally = createTally(codes, values);
  slide(tally, bounds, (place) => {
    if (place < 0) nulls[~place] = 1;
    else numbers[place] = tally.entropy();
  });
  return { kind: 'numbers', numbers, nulls };
}

function findFrequent(codes: Int32Array, samples: Int32Array, bounds: Bounds, size: number): Evaluated {
  const ends = new Int32Array(bounds.to.length);
  let most = 0;
  for (let place = 0; place < ends.length; place++) {
    most += Math.min(size, samples.length, (bounds.to[place] as number) - (bounds.from[place] as number));
  }
  const items = new Int32Array(most);
  let count = 0;
  const ranking = createRanking(codes, samples.length, size, bounds);
  const push = (code: number) => {
    items[count++] = samples[code] as number;
  };
  slide(ranking, bounds, (place) => {
    if (place >= 0) ranking.first(push);
    ends[place < 0 ? ~place : place] = count;
  });
  return { kind: 'lists', ends, rows: items.subarray(0, count) };
}

/** Calls with each place once the window there is complete, and with the complement of a place whose window is empty. */
function slide({ add, drop }: Pick<SlidingTally, 'add' | 'drop'>, { from, to }: Bounds, visit: (place: number) => void): void {
  let first = 0;
  let end = 0;
  for (let place = 0; place < to.length; place++) {
    const wantedFirst = from[place] as number;
    const wantedEnd = to[place] as number;
    if (wantedFirst >= wantedEnd) {
      visit(~place);
      continue;
    }
    for (const stop = Math.min(wantedFirst, end); first < stop; first++) drop(first);
    if (first < wantedFirst) {
      first = wantedFirst;
      end = wantedFirst;
    }
    for (; end < wantedEnd; end++) add(end);
    visit(place);
  }
}

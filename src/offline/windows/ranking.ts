/** The most frequent values of a window that moves forward, equally frequent ones in ascending order. */
import type { Bounds } from './window-bounds.ts';

export interface Ranking {
  add(at: number): void;
  drop(at: number): void;
  /** Gives the codes of the most frequent values, the most frequent first. */
  first(take: (code: number) => void): void;
}

/** Looks at all values of a window for each row, or, where windows are so wide that this takes more, keeps a tree up to date. */
export function createRanking(codes: Int32Array, values: number, size: number, bounds: Bounds): Ranking {
  let looked = 0;
  for (let place = 0; place < bounds.to.length; place++) {
    looked += Math.min(values, (bounds.to[place] as number) - (bounds.from[place] as number));
  }
  const depth = Math.ceil(Math.log2(values + 1));
  const kept = depth * (2 * codes.length + size * bounds.to.length);
  return looked <= 2 * kept ? rankByLooking(codes, values, size) : rankByTree(codes, values, size);
}

export function rankByLooking(codes: Int32Array, values: number, size: number): Ranking {
  const counts = new Int32Array(values);
  const present = new Int32Array(values);
  const places = new Int32Array(values);
  let distinct = 0;
  const best = new Int32Array(size);
  return {
    add(at) {
      const code = codes[at] as number;
      const before = counts[code] as number;
      counts[code] = before + 1;
      if (before !== 0) return;
      places[code] = distinct;
      present[distinct++] = code;
    },
    drop(at) {
      const code = codes[at] as number;
      const left = (counts[code] as number) - 1;
      counts[code] = left;
      if (left !== 0) return;
      const last = present[--distinct] as number;
      present[places[code] as number] = last;
      places[last] = places[code] as number;
    },
    first(take) {
      let taken = 0;
      for (let at = 0; at < distinct; at++) {
        const code = present[at] as number;
        const count = counts[code] as number;
        let place = taken;
        for (; place > 0; place--) {
          const other = best[place - 1] as number;
          const otherCount = counts[other] as number;
          if (otherCount > count || (otherCount === count && other < code)) break;
          if (place < size) best[place] = other;
        }
        if (place === size) continue;
        best[place] = code;
        if (taken < size) taken += 1;
      }
      for (let place = 0; place < taken; place++) take(best[place] as number);
    },
  };
}

/** A tree over the codes, each node the greatest count below it. */
export function rankByTree(codes: Int32Array, values: number, size: number): Ranking {
  const width = 2 ** Math.ceil(Math.log2(Math.max(1, values)));
  const tree = new Int32Array(2 * width);
  const set = (code: number, change: number) => {
    let node = width + code;
    tree[node] = (tree[node] as number) + change;
    for (node >>= 1; node > 0; node >>= 1) {
      const greater = Math.max(tree[2 * node] as number, tree[2 * node + 1] as number);
      if (tree[node] === greater) return;
      tree[node] = greater;
    }
  };
  return {
    add: (at) => set(codes[at] as number, 1),
    drop: (at) => set(codes[at] as number, -1),
    first(take) {
      // What was taken leaves the tree until all are.
      const taken: number[] = [];
      while (taken.length < 2 * size && (tree[1] as number) > 0) {
        const count = tree[1] as number;
        let node = 1;
        while (node < width) node = tree[2 * node] === count ? 2 * node : 2 * node + 1;
        take(node - width);
        taken.push(node - width, count);
        set(node - width, -count);
      }
      for (let at = 0; at < taken.length; at += 2) set(taken[at] as number, taken[at + 1] as number);
    },
  };
}

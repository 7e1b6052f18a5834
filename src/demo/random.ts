/** Numbers that look random and depend on nothing but a seed: 32-bit integer arithmetic (sfc32), the same on every machine. */

export interface Random {
  /** A float64 in [0, 1). */
  next(): number;
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** True with probability `share`. */
  chance(share: number): boolean;
  /** An index, each as likely as its weight; `cumulative` are running sums of the weights. */
  pick(cumulative: Float64Array): number;
}

/** A generator for `seed`, any integer; equal seeds give equal sequences. */
export function createRandom(seed: number): Random {
  let [a, b, c, d] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1];
  const next32 = (): number => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let warmUp = 0; warmUp < 16; warmUp++) next32();
  const next = (): number => next32() / 2 ** 32;
  return {
    next,
    below: (bound) => Math.floor(next() * bound),
    chance: (share) => next() < share,
    pick: (cumulative) => firstAbove(cumulative, next() * (cumulative[cumulative.length - 1] as number)),
  };
}

/** Running sums of weights, for `pick`. */
export function accumulate(weights: Iterable<number>): Float64Array {
  const sums = Float64Array.from(weights);
  for (let index = 1; index < sums.length; index++) sums[index] = (sums[index] as number) + (sums[index - 1] as number);
  return sums;
}

function firstAbove(cumulative: Float64Array, value: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

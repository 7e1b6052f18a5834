/**
 * Sums of the first numbers of a stretch, each as two doubles that together are it: what lies between two of them is their difference.
 * What even two doubles cannot hold is counted, so that a difference knows whether it decides the sum's nearest double; where it does
 * not, the caller adds up the window by itself. So the result is the exactly rounded one, whatever came before the window.
 */
export interface RunningSums {
  /** Forgets what was added; sums are counted from the number at `first` on. */
  begin(first: number): void;
  /** Adds the next number. */
  add(value: number): void;
  /** Adds to the last one what rounding took from it. */
  addRest(value: number): void;
  /** Where the sums are counted from. */
  readonly begun: number;
  /** The first number after those that were added. */
  readonly end: number;
  /** Finds the sum of the numbers from `first` up to `end`. */
  find(first: number, end: number): void;
  /** The sum that was found: its first double, its second one, how far the two may be from it; 0 where they are it. */
  readonly found: Float64Array;
  /** What the sum that was found is made of; together they are it where nothing was lost. */
  readonly parts: Float64Array;
  /** Whether anything was lost on the way. */
  readonly isExact: boolean;
}

/** The greatest distance of a sum of a few doubles from what they are, as a share of the small ones. */
const roundingShare = 2 ** -50;

export function createRunningSums(): RunningSums {
  let base = 0;
  let length = 0;
  let highs = new Float64Array(1024);
  let lows = new Float64Array(1024);
  let losses = new Float64Array(1024);
  const found = new Float64Array(3);
  const parts = new Float64Array(4);
  let isExact = true;
  const addAt = (from: number, value: number, to: number) => {
    const high = highs[from] as number;
    const low = lows[from] as number;
    // Knuth's sum of two, three times: each is followed by what its rounding took.
    const sum = high + value;
    const shadow = sum - high;
    const rest = high - (sum - shadow) + (value - shadow);
    const lowSum = low + rest;
    const lowShadow = lowSum - low;
    const lost = low - (lowSum - lowShadow) + (rest - lowShadow);
    const both = sum + lowSum;
    const bothShadow = both - sum;
    highs[to] = both;
    lows[to] = sum - (both - bothShadow) + (lowSum - bothShadow);
    losses[to] = (losses[from] as number) + Math.abs(lost);
  };
  return {
    found,
    parts,
    get begun() {
      return base;
    },
    get end() {
      return base + length;
    },
    get isExact() {
      return isExact;
    },
    begin(first) {
      base = first;
      length = 0;
    },
    add(value) {
      if (length + 1 >= highs.length) {
        highs = widen(highs);
        lows = widen(lows);
        losses = widen(losses);
      }
      addAt(length, value, length + 1);
      length += 1;
    },
    addRest(value) {
      addAt(length, value, length);
    },
    find(first, end) {
      const [from, to] = [first - base, end - base];
      const a = highs[to] as number;
      const b = -(highs[from] as number);
      const high = a + b;
      const highShadow = high - a;
      const highRest = a - (high - highShadow) + (b - highShadow);
      const c = lows[to] as number;
      const d = -(lows[from] as number);
      const low = c + d;
      const lowShadow = low - c;
      const lowRest = c - (low - lowShadow) + (d - lowShadow);
      parts[0] = lowRest;
      parts[1] = low;
      parts[2] = highRest;
      parts[3] = high;
      const middle = highRest + low;
      const middleShadow = middle - highRest;
      const middleRest = highRest - (middle - middleShadow) + (low - middleShadow);
      const sum = high + middle;
      const sumShadow = sum - high;
      const sumRest = high - (sum - sumShadow) + (middle - sumShadow);
      const small = middleRest + lowRest;
      const second = sumRest + small;
      found[0] = sum;
      found[1] = second;
      isExact = losses[to] === 0;
      // Losses are counted by adding, which loses some of them again.
      const lost = isExact ? 0 : (losses[to] as number) - (losses[from] as number) + (losses[to] as number) * 2 ** -30;
      found[2] = small === 0 ? lost : lost + (Math.abs(second) + Math.abs(small)) * roundingShare;
    },
  };
}

/** The double nearest to what was found, undefined where that is not certain. */
export function roundFound(found: Float64Array): number | undefined {
  const [sum, second, away] = found as unknown as readonly [number, number, number];
  if (away === 0) return sum + second + 0;
  const least = sum + (second - away * 1.001 - Math.abs(second) * roundingShare);
  const greatest = sum + (second + away * 1.001 + Math.abs(second) * roundingShare);
  return least === greatest ? least + 0 : undefined;
}

function widen(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(2 * numbers.length);
  wider.set(numbers);
  return wider;
}

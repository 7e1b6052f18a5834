/** How often each value occurs in a window that moves forward, and how many values occur equally often: few counts, however many values. */

export interface SlidingTally {
  /** Takes in an event, by its place among the chosen. */
  add(at: number): void;
  /** Lets one go. */
  drop(at: number): void;
  /** Of a window that is not empty; of few values to the last digit what src/aggregate/entropy.ts gives. */
  entropy(): number;
}

/** Up to so many equal parts are added one by one, as entropyOf does, so that the digits are the same. */
const addedSingly = 64;

export function createTally(codes: Int32Array, values: number): SlidingTally {
  const counts = new Int32Array(values);
  /** How many codes have each count, and which counts there are: a ring in ascending order that begins and ends at 0. */
  const alike: number[] = [0];
  const next: number[] = [0];
  const previous: number[] = [0];
  let distinct = 0;
  let all = 0;
  /** One code more has a count; where it is the first, the count stands behind `before`. */
  const enter = (count: number, before: number) => {
    alike[count] = (alike[count] ?? 0) + 1;
    if (alike[count] !== 1) return;
    const after = next[before] as number;
    next[before] = count;
    next[count] = after;
    previous[count] = before;
    previous[after] = count;
  };
  const leave = (count: number) => {
    alike[count] = (alike[count] as number) - 1;
    if (alike[count] !== 0) return;
    const [before, after] = [previous[count] as number, next[count] as number];
    next[before] = after;
    previous[after] = before;
  };
  return {
    add(at) {
      const code = codes[at] as number;
      const before = counts[code] as number;
      counts[code] = before + 1;
      all += 1;
      enter(before + 1, before);
      if (before > 0) leave(before);
      else distinct += 1;
    },
    drop(at) {
      const code = codes[at] as number;
      const left = (counts[code] as number) - 1;
      counts[code] = left;
      all -= 1;
      if (left > 0) enter(left, previous[left + 1] as number);
      else distinct -= 1;
      leave(left + 1);
    },
    entropy() {
      if (distinct === 1) return 0;
      let sum = 0;
      for (let count = next[0] as number; count !== 0; count = next[count] as number) {
        const times = alike[count] as number;
        const part = (count / all) * Math.log(count / all);
        if (times > addedSingly) sum += times * part;
        else for (let time = 0; time < times; time++) sum += part;
      }
      return -sum;
    },
  };
}

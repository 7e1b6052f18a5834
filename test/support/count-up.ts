/** A load of counters that each go up by compare-and-set: every increment that was acknowledged must be there, now and afterwards. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FeatureStoreError } from '../../src/errors.ts';
import type { OnlineStore } from '../../src/online/store.ts';

export interface CountingLoad {
  /** Increments acknowledged so far. */
  acknowledged(): number;
  /** Increments of which nobody knows, since their write ended in an error. */
  doubtful(): number;
  readonly errors: readonly FeatureStoreError[];
  /** Resolves when `count` more increments are acknowledged. */
  progress(count: number): Promise<void>;
  stop(): Promise<void>;
  /** What is wrong with the counters as they stand in the store: nothing, if none is below its acknowledged count or above all tried. */
  audit(store: OnlineStore): Promise<string[]>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const batch = 20;
const workers = 4;

/** Counters `<name>0` to `<name><keys-1>`, which nobody has used before. */
export function countUp(store: OnlineStore, keys: number, name = 'c'): CountingLoad {
  const counterKey = (key: number) => encoder.encode(`${name}${key}`);
  const sure = new Array<number>(keys).fill(0);
  const doubt = new Array<number>(keys).fill(0);
  const errors: FeatureStoreError[] = [];
  const wrong: string[] = [];
  let stopped = false;

  async function step(picked: readonly number[]): Promise<void> {
    const atLeast = picked.map((key) => sure[key] as number);
    const present = await store.read(picked.map(counterKey));
    const counts = present.map((value) => (value === undefined ? 0 : Number(decoder.decode(value))));
    for (const [index, count] of counts.entries()) {
      if (count < (atLeast[index] as number))
        wrong.push(`${name}${picked[index]} was read as ${count} after ${atLeast[index]} was acknowledged`);
    }
    const replacements = picked.map((key, index) => ({
      key: counterKey(key),
      expected: present[index],
      value: encoder.encode(String((counts[index] as number) + 1)),
    }));
    let lost: number[];
    try {
      lost = await store.replace(replacements);
    } catch (error) {
      for (const key of picked) doubt[key] = (doubt[key] as number) + 1;
      throw error;
    }
    for (const [index, key] of picked.entries()) if (!lost.includes(index)) sure[key] = (sure[key] as number) + 1;
  }

  async function work(seed: number): Promise<void> {
    for (let round = seed; !stopped; round++) {
      const picked = Array.from({ length: batch }, (_, index) => (round * batch + index) % keys);
      await step(picked).catch(async (error: FeatureStoreError) => {
        errors.push(error);
        await pause(20);
      });
    }
  }

  const running = Promise.all(Array.from({ length: workers }, (_, index) => work(index * 7)));
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  return {
    acknowledged: () => total(sure),
    doubtful: () => total(doubt),
    errors,
    async progress(count) {
      const goal = total(sure) + count;
      while (total(sure) < goal) await pause(10);
    },
    async stop() {
      stopped = true;
      await running;
    },
    async audit(other) {
      const values = await other.read(sure.map((_, key) => counterKey(key)));
      const counts = values.map((value) => (value === undefined ? 0 : Number(decoder.decode(value))));
      const bad = counts.flatMap((count, key) => {
        const [least, most] = [sure[key] as number, (sure[key] as number) + (doubt[key] as number)];
        return count < least || count > most ? [`${name}${key} is ${count}, not between ${least} and ${most}`] : [];
      });
      return [...wrong, ...bad];
    },
  };
}

/**
 * Values that stand still for each key while the feature moves on: what an aggregate over the whole history of a key is, from whatever
 * data it was computed. No state of a feature tells that a table's own aggregate leaks; that it knows no time does.
 */
import { identify } from '../same-value.ts';

const leastKeys = 10;
const leastShare = 0.9;

/** 1 for rows of keys with one value over several truths; none at all where few keys are like that. Of rows that have a time. */
export function findConstant(
  keys: readonly (string | undefined)[],
  values: readonly unknown[],
  truths: readonly unknown[],
): Uint8Array {
  const seen = new Map<string, { readonly values: Set<string>; readonly truths: Set<string> }>();
  for (const [row, key] of keys.entries()) {
    if (key === undefined) continue;
    const of = seen.get(key) ?? { values: new Set(), truths: new Set() };
    seen.set(key, of);
    of.values.add(identify(values[row]));
    of.truths.add(identify(truths[row]));
  }
  const moving = [...seen.values()].filter((of) => of.truths.size > 1);
  const still = moving.filter((of) => of.values.size === 1);
  const isPattern = still.length >= leastKeys && still.length >= leastShare * moving.length;
  return Uint8Array.from(keys, (key) => {
    const of = key === undefined ? undefined : seen.get(key);
    return isPattern && of !== undefined && of.values.size === 1 && of.truths.size > 1 ? 1 : 0;
  });
}

/** From a key to the run of rows that hold it: an open-addressing table over the runs of sorted keys. */
import { hashKeys, type Keys, sameKey, takeKeys } from './keys.ts';

export interface KeyIndex {
  /** One key a run: few enough to stay in the processor's cache where the rows would not. */
  readonly keys: Keys;
  /** First row of each run, and the number of rows at the end. */
  readonly starts: Int32Array;
  /** Run + 1 by slot, 0 where the slot is empty. */
  readonly slots: Int32Array;
}

/** Indexes rows whose equal keys stand together. */
export function buildKeyIndex(keys: Keys): KeyIndex {
  const starts = findRuns(keys);
  const runs = starts.length - 1;
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2 * runs, 2))));
  const mask = slots.length - 1;
  const hashes = hashKeys(keys);
  for (let run = 0; run < runs; run++) {
    let slot = (hashes[starts[run] as number] as number) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = run + 1;
  }
  return { keys: takeKeys(keys, starts.subarray(0, runs)), starts, slots };
}

/** The run of each row's key, -1 where the key is null or has no run. Both sides hold keys of the same kind. */
export function lookUpKeys(index: KeyIndex, keys: Keys, hashes: Int32Array): Int32Array {
  const found = new Int32Array(keys.length);
  if (index.starts.length === 1) return found.fill(-1);
  if (keys.kind === 'none') return found;
  if (keys.kind === 'int' && index.keys.kind === 'int') lookUpInts(index, index.keys.words, keys.words, hashes, found);
  else lookUpBytes(index, keys, hashes, found);
  const { nulls } = keys;
  if (nulls !== undefined) for (let row = 0; row < found.length; row++) if (nulls[row] === 1) found[row] = -1;
  return found;
}

function lookUpInts(index: KeyIndex, held: Int32Array, wanted: Int32Array, hashes: Int32Array, found: Int32Array): void {
  const { slots } = index;
  const mask = slots.length - 1;
  for (let row = 0; row < found.length; row++) {
    const low = wanted[2 * row] as number;
    const high = wanted[2 * row + 1] as number;
    let slot = (hashes[row] as number) & mask;
    let run = (slots[slot] as number) - 1;
    while (run >= 0) {
      if (held[2 * run] === low && held[2 * run + 1] === high) break;
      slot = (slot + 1) & mask;
      run = (slots[slot] as number) - 1;
    }
    found[row] = run;
  }
}

function lookUpBytes(index: KeyIndex, keys: Keys, hashes: Int32Array, found: Int32Array): void {
  const { slots } = index;
  const mask = slots.length - 1;
  for (let row = 0; row < found.length; row++) {
    let slot = (hashes[row] as number) & mask;
    let run = (slots[slot] as number) - 1;
    while (run >= 0 && !sameKey(index.keys, run, keys, row)) {
      slot = (slot + 1) & mask;
      run = (slots[slot] as number) - 1;
    }
    found[row] = run;
  }
}

function findRuns(keys: Keys): Int32Array {
  const starts: number[] = [];
  if (keys.kind === 'int') {
    const { words } = keys;
    for (let row = 0; row < keys.length; row++) {
      if (row === 0 || words[2 * row] !== words[2 * row - 2] || words[2 * row + 1] !== words[2 * row - 1]) starts.push(row);
    }
  } else {
    for (let row = 0; row < keys.length; row++) if (row === 0 || !sameKey(keys, row - 1, keys, row)) starts.push(row);
  }
  starts.push(keys.length);
  return Int32Array.from(starts);
}

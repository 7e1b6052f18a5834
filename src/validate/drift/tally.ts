/** What is kept of one feature's values in one period: counts of all of them, and an even sample of the numbers. */
import type { Measure } from './measure.ts';

/** Rows by key, or rows that are all of different keys: rows of one key tell of one draw. */
export type Units = ReadonlyMap<unknown, number> | number;

export interface Observation {
  /** null where there is no value. */
  readonly value: unknown;
  /** null where that is not known. */
  readonly isDefault: boolean | null;
  /** When it was asked for, in microseconds; null where that is not known. */
  readonly atUs: bigint | null;
  /** When it came about; null where that is not known. */
  readonly eventUs: bigint | null;
}

export interface Profile {
  readonly n: number;
  readonly units: number;
  readonly nulls: number;
  /** null where it is not known of each value. */
  readonly defaults: number | null;
  /** Counted apart from other numbers. */
  readonly nan: number;
  readonly infinite: number;
  /** Finite numbers, sorted: all of them, or an even sample. */
  readonly numbers: Float64Array;
  /** Of all finite numbers. */
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly least: number | null;
  readonly greatest: number | null;
  /** By category, also those that came beyond the bound as one; empty for numbers. */
  readonly categories: ReadonlyMap<string, number>;
  /** There are more categories than are counted one by one. */
  readonly isOpen: boolean;
  /** Newest event of the values, and the first and last time they were asked for; null where unknown. */
  readonly newestUs: bigint | null;
  readonly firstUs: bigint | null;
  readonly lastUs: bigint | null;
  /** The period in parts of one length, those in which nothing was asked for left out; empty where times are not known. */
  readonly parts: readonly Part[];
}

export interface Part {
  n: number;
  nulls: number;
  defaults: number;
  /** What all values are that are there; undefined where they differ, or there is none. */
  only: number | string | undefined;
  newestUs: bigint | null;
  lastUs: bigint;
}

export interface Tally {
  add(observation: Observation): void;
  /** Rows that follow are of these units, beside those of before. */
  draw(units: Units): void;
  finish(): Profile;
}

const defaultSampled = 10_000;
export const mostCategories = 10_000;

export interface TallyOptions {
  readonly measure: Measure;
  /** Length of the parts of a period; null where its times are not known. */
  readonly partUs: bigint | null;
  /** Numbers that are kept; default 10,000. */
  readonly sampled?: number;
}

export function createTally({ measure, partUs, sampled = defaultSampled }: TallyOptions): Tally {
  const drawn = new Set<Units>();
  const sample: number[] = [];
  const categories = new Map<string, number>();
  const parts = new Map<bigint, Part>();
  const pick = createPicker();
  const counts = { n: 0, nulls: 0, defaults: 0, nan: 0, infinite: 0, finite: 0 };
  let [mean, squares, least, greatest] = [0, 0, Infinity, -Infinity];
  let isOpen = false;
  let areDefaultsKnown = true;
  let firstUs: bigint | null = null;
  let lastUs: bigint | null = null;

  function addNumber(value: number): void {
    if (Number.isNaN(value)) counts.nan += 1;
    else if (!Number.isFinite(value)) counts.infinite += 1;
    else {
      counts.finite += 1;
      const before = value - mean;
      mean += before / counts.finite;
      squares += before * (value - mean);
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
      if (sample.length < sampled) sample.push(value);
      else {
        const at = pick(counts.finite);
        if (at < sampled) sample[at] = value;
      }
    }
  }

  function addCategory(value: string): void {
    const known = categories.get(value);
    if (known === undefined && categories.size >= mostCategories) isOpen = true;
    else categories.set(value, (known ?? 0) + 1);
  }

  function addToPart({ isDefault, eventUs }: Observation, atUs: bigint, measured: number | string | undefined): void {
    if (partUs === null) return;
    const at = atUs / partUs;
    const part = parts.get(at) ?? { n: 0, nulls: 0, defaults: 0, only: measured, newestUs: null, lastUs: atUs };
    if (part.n === 0) parts.set(at, part);
    else if (part.nulls === part.n) part.only = measured;
    else if (measured !== undefined && measured !== part.only) part.only = undefined;
    part.n += 1;
    if (measured === undefined) part.nulls += 1;
    if (isDefault) part.defaults += 1;
    if (atUs > part.lastUs) part.lastUs = atUs;
    if (eventUs !== null && (part.newestUs === null || eventUs > part.newestUs)) part.newestUs = eventUs;
  }

  return {
    draw: (units) => void drawn.add(units),
    add(observation) {
      const { value, isDefault, atUs } = observation;
      counts.n += 1;
      if (isDefault) counts.defaults += 1;
      if (isDefault === null) areDefaultsKnown = false;
      if (atUs !== null && (lastUs === null || atUs > lastUs)) lastUs = atUs;
      if (atUs !== null && (firstUs === null || atUs < firstUs)) firstUs = atUs;
      const measured = value === null || value === undefined ? undefined : measure.of(value, atUs);
      if (atUs !== null) addToPart(observation, atUs, measured);
      if (measured === undefined) counts.nulls += 1;
      else if (typeof measured === 'number') addNumber(measured);
      else addCategory(measured);
    },
    finish() {
      const { finite, ...rest } = counts;
      return {
        ...rest,
        defaults: areDefaultsKnown ? counts.defaults : null,
        // Shapes may share keys: the most that one of them has is safe.
        units: Math.min(counts.n, Math.max(0, ...[...drawn].map(countDraws))),
        numbers: Float64Array.from(sample).sort(),
        mean: finite === 0 ? null : mean,
        deviation: finite === 0 ? null : Math.sqrt(Math.max(0, squares / finite)),
        least: finite === 0 ? null : least,
        greatest: finite === 0 ? null : greatest,
        categories,
        isOpen,
        newestUs: greatestOf([...parts.values()].map(({ newestUs }) => newestUs)),
        ...{ firstUs, lastUs, parts: [...parts.values()] },
      };
    },
  };
}

/** How many independent draws weigh as much (Kish): as many as there are keys where each has the same number of rows, fewer otherwise. */
function countDraws(units: Units): number {
  if (typeof units === 'number') return units;
  let [rows, squares] = [0, 0];
  for (const count of units.values()) {
    rows += count;
    squares += count * count;
  }
  return squares === 0 ? 0 : (rows * rows) / squares;
}

/** Whole numbers below a bound, the same in every run. */
function createPicker(): (below: number) => number {
  let state = 0x9e37_79b9;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

function greatestOf(values: readonly (bigint | null)[]): bigint | null {
  return values.reduce((most, value) => (most === null || (value !== null && value > most) ? value : most), null);
}

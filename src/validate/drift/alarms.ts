/** What is wrong with a feature whatever its distribution is: its values stand still, or are not those that it had. */
import { isShareNoise } from './statistics.ts';
import type { Part, Profile } from './tally.ts';

export const alarmNames = ['constant', 'all_default', 'frozen', 'unseen_category', 'null_rate'] as const;

export type AlarmName = (typeof alarmNames)[number];

export interface Alarm {
  readonly alarm: AlarmName | 'psi' | 'js' | 'ks' | 'mean' | 'default_rate' | 'not_finite_rate';
  /** For people: what was seen, beside what it was before. */
  readonly text: string;
}

/** An alarm is raised where chance would bring it about less often. */
const rarity = 1e-6;
/** Rows of a part that its rate is told by. */
const leastRows = 30;
/** Clocks of different machines, and time in between. */
const slackUs = 10_000_000n;

export interface KnownOfFeature {
  /** The newest event of its source; undefined where that is not known. */
  readonly sourceUs: bigint | undefined;
  /** The values that it may have; undefined where nothing is declared. */
  readonly declared: ReadonlySet<string> | undefined;
}

/** Alarms of values that stand still, or are not those that they were. */
export function findAlarms(reference: Profile, current: Profile, { sourceUs, declared }: KnownOfFeature): readonly Alarm[] {
  const frozen = findFrozen(reference, current, sourceUs);
  const allDefault = findAllDefault(reference, current);
  // The default is one value, and need not be among those that were seen: that is no fault besides.
  if (allDefault.length > 0) return [...allDefault, ...frozen];
  const unseen = declared === undefined ? findUnseen(reference, current) : findUndeclared(reference, current, declared);
  return [...findConstant(reference, current), ...frozen, ...unseen];
}

/** All values are one, which the reference's share of its most frequent value does not explain. */
function findConstant(reference: Profile, current: Profile): readonly Alarm[] {
  const value = onlyValue(current);
  const present = presentOf(current);
  if (value === undefined || present < 2 || presentOf(reference) < 2) return [];
  const share = greatestShare(reference);
  if (!isRare(share, unitsOf(current, present)) || reference.parts.some((part) => isOfItsTime(part, share, current))) return [];
  return [{ alarm: 'constant', text: `all ${present} values are ${value}; before, the most frequent was ${percent(share)}` }];
}

/** Everybody had another value for a while: what all share changes with time, and not from key to key. */
function isOfItsTime({ n, nulls, only }: Part, share: number, { parts }: Profile): boolean {
  return only !== undefined && isRare(share, n - nulls) && parts.every((now) => now.only !== only);
}

function findAllDefault(reference: Profile, current: Profile): readonly Alarm[] {
  if (current.n === 0 || current.defaults !== current.n || reference.defaults === null) return [];
  const share = reference.n === 0 ? 1 : reference.defaults / reference.n;
  if (!isRare(share, current.units) || wasAllDefault(reference, share)) return [];
  return [{ alarm: 'all_default', text: `all ${current.n} values are the default; before, ${percent(share)} were` }];
}

/** For a while, and no more after that: what goes on until now is the fault itself. */
function wasAllDefault({ parts }: Profile, share: number): boolean {
  const sorted = parts.toSorted((a, b) => (a.lastUs < b.lastUs ? -1 : 1));
  const end = sorted.findLastIndex(({ n, defaults }) => defaults < n);
  return sorted.slice(0, end + 1).some(({ n, defaults }) => n === defaults && isRare(share, n));
}

/** The newest event of any key lies back further than it ever did, though the source has newer ones. */
function findFrozen(reference: Profile, current: Profile, sourceUs: bigint | undefined): readonly Alarm[] {
  const { newestUs, lastUs } = current;
  if (newestUs === null || lastUs === null || sourceUs === undefined) return [];
  const usualUs = lagOf(reference);
  if (usualUs === undefined) return [];
  const allowedUs = 2n * usualUs + slackUs;
  const lagUs = lastUs - newestUs;
  if (lagUs <= allowedUs || sourceUs - newestUs <= allowedUs) return [];
  // What comes once a day is not frozen to who has looked for an hour.
  const { firstUs, lastUs: endUs } = reference;
  if (firstUs === null || endUs === null || endUs - firstUs < lagUs) return [];
  const text = `the newest event of any value is ${seconds(lagUs)} old, and the source has one ${seconds(sourceUs - newestUs)} newer; before, it was at most ${seconds(usualUs)} old`;
  return [{ alarm: 'frozen', text }];
}

/** The most that the newest event of any key lay back, over parts of the period. */
function lagOf({ parts }: Profile): bigint | undefined {
  let most: bigint | undefined;
  for (const { lastUs, newestUs } of parts) {
    if (newestUs !== null && (most === undefined || lastUs - newestUs > most)) most = lastUs - newestUs;
  }
  return most !== undefined && most < 0n ? 0n : most;
}

/** Standard deviations from what chance lets expect. */
const deviations = 4.5;

/** More values that were never seen than the values that were seen once let expect (Good and Turing). */
function findUnseen(reference: Profile, current: Profile): readonly Alarm[] {
  const known = totalOf(reference);
  const total = totalOf(current);
  if (known === 0 || total === 0 || reference.isOpen) return [];
  const unseen = [...current.categories].filter(([category]) => !reference.categories.has(category));
  const rows = unseen.reduce((sum, [, count]) => sum + count, 0);
  // Rows of one key tell of one draw alone.
  const draws = unitsOf(reference, known);
  const counted = [...reference.categories.values()];
  const [once, twice] = [1, 2].map((times) => counted.filter((count) => count === times).length) as [number, number];
  const expected = Math.min(1, (once + 1) / draws);
  const units = unitsOf(current, total);
  // Few that were seen once may be so by chance: the upper bound of a small count lies as if there were a quarter of the square more.
  const variance = (once + 2 * twice + 1 + deviations ** 2 / 4) / draws ** 2 + (expected * (1 - expected)) / units;
  const share = rows / total;
  const allowed = expected + deviations * Math.sqrt(variance) + 3 / units;
  if (share <= allowed) return [];
  return [{ alarm: 'unseen_category', text: `${percent(share)} of the values were never seen before: ${show(unseen)}` }];
}

/** Values that were neither declared nor seen: none is expected, and what is declared was only rare. */
function findUndeclared(reference: Profile, current: Profile, declared: ReadonlySet<string>): readonly Alarm[] {
  const unseen = [...current.categories].filter(([category]) => !declared.has(category) && !reference.categories.has(category));
  if (unseen.length === 0) return [];
  const share = unseen.reduce((sum, [, count]) => sum + count, 0) / totalOf(current);
  return [
    { alarm: 'unseen_category', text: `${percent(share)} of the values are not declared, and were never seen: ${show(unseen)}` },
  ];
}

/** The most frequent ones. */
function show(categories: readonly (readonly [string, number])[]): string {
  const names = categories.toSorted(([, a], [, b]) => b - a).slice(0, 5);
  return names.map(([name]) => JSON.stringify(name.slice(0, 40))).join(', ');
}

/** The one value on both sides, `null` where none is there: no alarm, as it may be meant. */
export function neverVaried(reference: Profile, current: Profile): string | undefined {
  const [before, now] = [singleValue(reference), singleValue(current)];
  return before === now ? now : undefined;
}

function singleValue(profile: Profile): string | undefined {
  const { n, nulls } = profile;
  if (n < 2) return undefined;
  return nulls === n ? 'null' : nulls > 0 ? undefined : onlyValue(profile);
}

/** Values are missing, of more rows than ever in a part of the reference. */
export function findMissing(reference: Profile, current: Profile, threshold: number): readonly Alarm[] {
  if (current.n === 0 || reference.n === 0) return [];
  const now = current.nulls / current.n;
  const parts = reference.parts.filter(({ n }) => n >= leastRows);
  const before = Math.max(reference.nulls / reference.n, ...parts.map(({ n, nulls }) => nulls / n));
  if (now - before <= threshold || isShareNoise(before, reference.units, now, current.units)) return [];
  return [{ alarm: 'null_rate', text: `${percent(now)} of the values are null; before, at most ${percent(before)}` }];
}

/** Whether so many draws that all fall into such a share are rarer than an alarm may be wrong. */
function isRare(share: number, draws: number): boolean {
  return share < 1 && draws * Math.log(Math.max(share, 1e-3)) < Math.log(rarity);
}

function onlyValue(profile: Profile): string | undefined {
  if (profile.nan + profile.infinite > 0 || profile.isOpen) return undefined;
  if (profile.categories.size === 1) return JSON.stringify([...profile.categories.keys()][0]);
  return profile.least !== null && profile.least === profile.greatest ? String(profile.least) : undefined;
}

/** Of the values that are there. */
function greatestShare({ numbers, categories, isOpen }: Profile): number {
  if (isOpen) return 0;
  if (categories.size > 0) return Math.max(...categories.values()) / totalOf({ categories });
  let [most, run] = [0, 0];
  for (let at = 0; at < numbers.length; at++) {
    run = at > 0 && numbers[at] === numbers[at - 1] ? run + 1 : 1;
    most = Math.max(most, run);
  }
  return numbers.length === 0 ? 1 : most / numbers.length;
}

function totalOf({ categories }: Pick<Profile, 'categories'>): number {
  return [...categories.values()].reduce((sum, count) => sum + count, 0);
}

function presentOf({ n, nulls }: Profile): number {
  return n - nulls;
}

/** Independent draws among so many of the rows. */
function unitsOf({ n, units }: Profile, rows: number): number {
  return n === 0 ? 0 : Math.max(1, (units * rows) / n);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`;
}

function seconds(us: bigint): string {
  return `${Number(us / 1_000_000n).toLocaleString('en')} s`;
}

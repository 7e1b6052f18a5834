/** How a value of one version differs from that of another, in words. */
import type { Change, Split } from '../api/datasets.ts';
import { describeSplit, formatBound } from './dataset-text.ts';
import { formatNumber, formatShare, words } from './format.ts';

/** Such as `12 more (+3 %)`, `added` or `changed`. */
export function tellChange({ what, from, to }: Change): string {
  if (JSON.stringify(from) === JSON.stringify(to)) return 'same';
  if (isNone(from)) return 'added';
  if (isNone(to)) return 'removed';
  if (Array.isArray(from) && Array.isArray(to)) return tellLists(from, to);
  const [before, after] = [numberOf(from), numberOf(to)];
  if (before === undefined || after === undefined || what === 'registry_version') return 'changed';
  const moved = after - before;
  const share = before === 0 ? '' : ` (${moved > 0 ? '+' : '−'}${formatShare(Math.abs(moved / before))})`;
  return `${formatNumber(Math.abs(moved))} ${moved > 0 ? 'more' : 'less'}${share}`;
}

/** A value of a recipe or of statistics as it stands in a cell. */
export function showValue(what: string, value: unknown): string {
  if (isNone(value)) return what === 'as_known' ? 'as each view says' : 'none';
  if (what === 'split') return describeSplit(value as Split);
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(String).join(', ');
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : formatBound(value);
}

const names: Readonly<Record<string, string>> = {
  nulls: 'nulls',
  present: 'PRESENT',
  null_value: 'NULL_VALUE',
  not_found: 'NOT_FOUND',
  outside_max_age: 'OUTSIDE_MAX_AGE',
  distinct: 'different values',
  min: 'least',
  max: 'greatest',
  stddev: 'deviation',
  registry_version: 'version of the definitions',
  at: 'as of',
  versions: 'made by',
};

export function nameChange(what: string): string {
  // Names of columns and views, which stand behind words, are as they are.
  return names[what] ?? (what.includes(' ') ? what : words(what));
}

function isNone(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function tellLists(from: readonly unknown[], to: readonly unknown[]): string {
  const [before, after] = [from.map(String), to.map(String)];
  const added = after.filter((one) => !before.includes(one));
  const removed = before.filter((one) => !after.includes(one));
  const told = [
    ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`removed ${removed.join(', ')}`] : []),
  ];
  return told.join('; ') || 'in another order';
}

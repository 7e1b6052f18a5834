/** Datasets in words: how they are split, what their columns hold, how much room they take. */
import type { ColumnStatistics, Dataset, DatasetColumn, Split } from '../api/datasets.ts';
import { formatInstant, formatNumber, formatShare } from './format.ts';

export function describeSplit(split: Split | null): string {
  if (split === null) return 'one part with all rows';
  const { time, entity, random } = split;
  if (time !== undefined) {
    const parts = time.boundaries.map(({ name, until }) =>
      until === undefined ? `${name} the rest` : `${name} before ${formatInstant(until)}`,
    );
    return `by ${time.column ?? 'the time of each row'}: ${parts.join(', ')}`;
  }
  const { parts, seed } = (entity ?? random) as NonNullable<Split['random']>;
  const shares = Object.entries(parts).map(([name, share]) => `${name} ${formatShare(share)}`);
  return `${entity === undefined ? 'rows at random' : `by ${entity.keys.join(', ')}`}: ${shares.join(', ')}, seed ${seed}`;
}

export const roles: Readonly<Record<DatasetColumn['role'], string>> = {
  key: 'key',
  timestamp: 'timestamp',
  label: 'label',
  frame: 'of the frame',
  feature: 'feature',
  status: 'status',
  row: 'place in the frame',
};

/** A least or greatest value as it is stored: a number, an instant, or whatever it is. */
export function formatBound(text: string | null | undefined): string {
  if (text === null || text === undefined) return '–';
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return formatInstant(text);
  const number = Number(text);
  return text.trim() === '' || !Number.isFinite(number) || Math.abs(number) > Number.MAX_SAFE_INTEGER
    ? text
    : formatNumber(number);
}

/** Of lists these are lengths. */
export function formatRange({ min, max }: ColumnStatistics, type: string): string {
  if (min == null && max == null) return '';
  const range = min === max ? formatBound(min) : `${formatBound(min)} to ${formatBound(max)}`;
  return /list/i.test(type) ? `${range} long` : range;
}

/** `~` where it is an estimate. */
export function formatDistinct({ distinct, distinct_exact: isExact }: ColumnStatistics): string {
  return distinct === undefined ? '' : `${isExact ? '' : '~'}${formatNumber(distinct)}`;
}

export const statusNames = {
  present: 'PRESENT',
  null_value: 'NULL_VALUE',
  not_found: 'NOT_FOUND',
  outside_max_age: 'OUTSIDE_MAX_AGE',
} as const;

/** Rows by status; undefined of what has none. */
export function statusesOf(
  statistics: ColumnStatistics,
): readonly { readonly name: string; readonly count: number }[] | undefined {
  if (statistics.present === undefined) return undefined;
  return Object.entries(statusNames).map(([of, name]) => ({ name, count: statistics[of as keyof typeof statusNames] ?? 0 }));
}

export interface DatasetSize {
  /** Parquet, for whoever reads files. */
  readonly rows: number;
  /** The same rows once more, for training. */
  readonly blocks: number;
  readonly others: number;
}

/** Bytes of its files. */
export function sizeOf({ splits, columns, recipe }: Dataset): DatasetSize {
  const sum = (bytes: readonly number[]) => bytes.reduce((total, one) => total + one, 0);
  return {
    rows: sum(splits.flatMap(({ files }) => files.map((file) => file.bytes))),
    blocks: sum(splits.map(({ blocks }) => blocks.bytes + blocks.checksums.bytes)),
    others: recipe.frame.bytes + sum(columns.map(({ vocabulary }) => vocabulary?.bytes ?? 0)),
  };
}

/** Compares the two sides of a feature row by row, and judges them by the rule of section 9. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { type Comparison, compileComparison, numbersOf } from './compare.ts';
import { describeErrors, type ErrorStatistics } from './statistics.ts';
import type { Tolerance } from './tolerance.ts';

/** A feature's values as one path gave them, row by row. */
export interface Side {
  readonly values: readonly LiteralValue[];
  /** Places in `statusNames`. */
  readonly statuses: Uint8Array;
  /** 1 where a default stands in the value's place. */
  readonly isDefault: Uint8Array;
  readonly eventUs: readonly (bigint | null)[];
}

export type Result = 'PASS' | 'FAIL' | 'NO DATA';

export interface FeatureCounts {
  readonly n: number;
  readonly exact: number;
  readonly within: number;
  readonly onlyOnlineNull: number;
  readonly onlyOfflineNull: number;
  readonly statusMismatch: number;
  readonly defaultMismatch: number;
  readonly eventMismatch: number;
  /** Of pairs of numbers; undefined where there are none. */
  readonly errors: ErrorStatistics | undefined;
  readonly shareWithin: number | undefined;
  readonly result: Result;
}

export interface FeatureComparison {
  /**
   * Compares all rows and gives those that do not agree. `scales` says by row what a relative tolerance is of, NaN where the values say
   * it themselves.
   */
  add(online: Side, offline: Side, scales?: Float64Array): readonly number[];
  /** Counts rows that cannot agree, as they are of another type, and gives them. */
  addOthers(rows: number): readonly number[];
  /** Takes back one row that was found not to agree. */
  agree(): void;
  finish(): FeatureCounts;
}

export interface ComparisonOptions {
  /** Of two features, one of which is served by events and the other by rows, only the values are comparable; default everything. */
  readonly only?: 'values';
}

/** Agreement is that of value, status, event timestamp and is_default together. */
export function openComparison(type: ValueType, tolerance: Tolerance, { only }: ComparisonOptions = {}): FeatureComparison {
  const compare = compileComparison(type, tolerance);
  const numbers = numbersOf(type);
  const a: number[] = [];
  const b: number[] = [];
  const differences: number[] = [];
  const counts = { n: 0, exact: 0, within: 0, onlyOnlineNull: 0, onlyOfflineNull: 0 };
  const others = { statusMismatch: 0, defaultMismatch: 0, eventMismatch: 0 };

  function note(x: LiteralValue, y: LiteralValue, { difference }: Comparison): void {
    if (x === null || y === null) {
      if (x !== y) counts[x === null ? 'onlyOnlineNull' : 'onlyOfflineNull'] += 1;
    } else if (numbers !== undefined) {
      a.push(numbers.read(x));
      b.push(numbers.read(y));
      differences.push(difference as number);
    }
  }

  return {
    add(online, offline, scales) {
      const rows: number[] = [];
      for (let row = 0; row < online.values.length; row++) {
        const x = online.values[row] as LiteralValue;
        const y = offline.values[row] as LiteralValue;
        const scale = scales?.[row];
        const compared = compare(x, y, scale === undefined || Number.isNaN(scale) ? undefined : scale);
        note(x, y, compared);
        const differs = only === 'values' ? noDifference : differencesOf(online, offline, row);
        counts.n += 1;
        if (differs.status) others.statusMismatch += 1;
        if (differs.isDefault) others.defaultMismatch += 1;
        if (differs.event) others.eventMismatch += 1;
        const isSame = !differs.status && !differs.isDefault && !differs.event;
        if (isSame && compared.isExact) counts.exact += 1;
        if (isSame && compared.isWithin) counts.within += 1;
        else rows.push(row);
      }
      return rows;
    },
    addOthers(rows) {
      counts.n += rows;
      return Array.from({ length: rows }, (_, row) => row);
    },
    agree() {
      counts.within += 1;
    },
    finish() {
      const errors = describeErrors(a, b, differences);
      const shareWithin = counts.n === 0 ? undefined : counts.within / counts.n;
      return { ...counts, ...others, errors, shareWithin, result: judge(shareWithin, errors?.pearson) };
    },
  };
}

/** PASS: at least 99 % agree, and where both sides are numbers that vary they correlate (section 9). */
export function judge(shareWithin: number | undefined, pearson: number | undefined): Result {
  if (shareWithin === undefined) return 'NO DATA';
  return shareWithin >= 0.99 && (pearson === undefined || pearson >= 0.999) ? 'PASS' : 'FAIL';
}

const noDifference = { status: false, isDefault: false, event: false };

function differencesOf(online: Side, offline: Side, row: number) {
  return {
    status: online.statuses[row] !== offline.statuses[row],
    isDefault: online.isDefault[row] !== offline.isDefault[row],
    event: online.eventUs[row] !== offline.eventUs[row],
  };
}

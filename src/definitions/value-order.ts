/** The order of values (rule 3.1) over values as JavaScript holds them. */
import { parseDay } from './day.ts';
import { parseUnscaled } from './decimal.ts';
import type { ValueType } from './value-type.ts';

/** Negative, zero or positive as `a` stands before, with or after `b`; null is least. */
export function compareValues(type: ValueType, a: unknown, b: unknown): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  switch (type.kind) {
    case 'string':
      return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
    case 'bytes':
      return Buffer.compare(a as Uint8Array, b as Uint8Array);
    case 'float32':
    case 'float64':
      return compareFloats(a as number, b as number);
    case 'decimal':
      return compareDecimals(a as string, b as string);
    case 'date':
      return compareSame(dayOf(a as string | number), dayOf(b as string | number));
    case 'list':
      return compareLists(type.element, a as readonly unknown[], b as readonly unknown[]);
    case 'vector':
      return compareLists({ kind: type.element }, a as readonly unknown[], b as readonly unknown[]);
    default:
      return compareSame(a as bigint, b as bigint);
  }
}

function compareFloats(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) === Number.isNaN(b) ? 0 : Number.isNaN(a) ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text, or days already. */
function dayOf(date: string | number): number {
  return typeof date === 'number' ? date : (parseDay(date) ?? Number.NaN);
}

/** Decimals of one scale, as text with all their digits. */
function compareDecimals(a: string, b: string): number {
  return compareSame(parseUnscaled(a), parseUnscaled(b));
}

function compareLists(element: ValueType, a: readonly unknown[], b: readonly unknown[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const order = compareValues(element, a[at] ?? null, b[at] ?? null);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareSame<T extends bigint | number | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

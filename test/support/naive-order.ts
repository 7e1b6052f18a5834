/** Rule 3.1 as plain loops: the order of values of one type, as readValue gives them. */
import type { NaiveType } from './naive-join.ts';

/** Negative where `a` comes before `b`, 0 where they are equal by value (so are 0 and -0, and NaN and itself). */
export function compareNaively(type: NaiveType, a: unknown, b: unknown): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  switch (type.kind) {
    case 'string':
      return Buffer.compare(Buffer.from(a as string, 'utf8'), Buffer.from(b as string, 'utf8'));
    case 'bytes':
      return Buffer.compare(Buffer.from(a as Uint8Array), Buffer.from(b as Uint8Array));
    case 'decimal':
      return compareScalars(unscaled(a as string), unscaled(b as string));
    case 'list':
      return compareLists(type.element, a as unknown[], b as unknown[]);
    case 'vector':
      return compareLists({ kind: type.element }, a as unknown[], b as unknown[]);
    case 'float32':
    case 'float64':
      return compareFloats(a as number, b as number);
    default:
      return compareScalars(a as bigint | number | boolean, b as bigint | number | boolean);
  }
}

/** Where values are equal but not the same (0 and -0): -0 first, so that even then the answer does not depend on file order. */
export function compareSignsNaively(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < a.length && i < b.length; i++) {
      const order = compareSignsNaively(a[i], b[i]);
      if (order !== 0) return order;
    }
    return 0;
  }
  return (Object.is(b, -0) ? 1 : 0) - (Object.is(a, -0) ? 1 : 0);
}

/** Unscaled at 38 digits after the point, so that decimals of any scale compare. */
function unscaled(text: string): bigint {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const digits = BigInt(whole + fraction.padEnd(38, '0'));
  return negative ? -digits : digits;
}

function compareLists(element: NaiveType, a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareNaively(element, a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareFloats(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0);
  return compareScalars(a, b);
}

function compareScalars<T extends bigint | number | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

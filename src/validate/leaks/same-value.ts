/** Whether two values are one: numbers within what float32 or text may have lost of them, everything else exactly. */

/** Relative and absolute difference up to which two numbers are the same. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

export const handMadeTolerance: Tolerance = { relative: 1e-6, absolute: 1e-9 };

/** Values as readValue gives them; null is equal to null alone, NaN to NaN and, as pandas writes nulls, to null. */
export function isSameValue(a: unknown, b: unknown, tolerance: Tolerance): boolean {
  const left = asPlain(a);
  const right = asPlain(b);
  if (left === null || right === null) return left === right;
  if (typeof left === 'number' && typeof right === 'number') return isClose(left, right, tolerance);
  if (typeof left === 'bigint' && typeof right === 'bigint') return left === right;
  if (typeof left === 'bigint' && typeof right === 'number') return isSameInteger(left, right, tolerance);
  if (typeof left === 'number' && typeof right === 'bigint') return isSameInteger(right, left, tolerance);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, at) => isSameValue(item, right[at], tolerance));
  }
  // Decimals are text; a table may hold them as numbers.
  if (typeof left === 'string' && (typeof right === 'number' || typeof right === 'bigint'))
    return isNumberText(left, right, tolerance);
  if (typeof right === 'string' && (typeof left === 'number' || typeof left === 'bigint'))
    return isNumberText(right, left, tolerance);
  return left === right;
}

/** A value as a person reads it, shortened. */
export function showValue(value: unknown): string | null {
  const plain = asPlain(value);
  if (plain === null) return null;
  if (plain instanceof Uint8Array) return `0x${Buffer.from(plain.subarray(0, 32)).toString('hex')}`;
  if (Array.isArray(plain))
    return `[${plain
      .slice(0, 10)
      .map((item) => showValue(item) ?? 'null')
      .join(', ')}${plain.length > 10 ? ', …' : ''}]`;
  return String(plain).slice(0, 80);
}

/** A value as a key of a map: equal for what is the same without any tolerance. */
export function identify(value: unknown): string {
  const plain = asPlain(value);
  if (typeof plain === 'bigint') return `number ${plain}`;
  if (plain instanceof Uint8Array) return `bytes ${Buffer.from(plain).toString('hex')}`;
  if (Array.isArray(plain)) return `[${plain.map(identify).join(',')}]`;
  return `${typeof plain} ${Object.is(plain, -0) ? 0 : plain}`;
}

function asPlain(value: unknown): unknown {
  if (value === undefined || (typeof value === 'number' && Number.isNaN(value))) return null;
  return typeof value === 'boolean' ? Number(value) : value;
}

function isClose(a: number, b: number, { relative, absolute }: Tolerance): boolean {
  if (a === b) return true;
  return Math.abs(a - b) <= Math.max(absolute, relative * Math.max(Math.abs(a), Math.abs(b)));
}

/** A float column of integers holds them exactly up to 2^53. */
function isSameInteger(integer: bigint, float: number, tolerance: Tolerance): boolean {
  return Number.isInteger(float) && Number.isSafeInteger(float)
    ? integer === BigInt(float)
    : isClose(Number(integer), float, tolerance);
}

function isNumberText(text: string, number: number | bigint, tolerance: Tolerance): boolean {
  return /^-?\d+(\.\d+)?$/.test(text) && isClose(Number(text), Number(number), tolerance);
}

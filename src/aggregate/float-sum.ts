/**
 * Exact sums of floats: parts that do not overlap, from the least to the greatest (Shewchuk 1997), rounded once at the end. So the order
 * in which values arrive and tiles merge shows in no digit. Where a sum overflows, and with NaN or infinities, it is by IEEE.
 */

export interface FloatSum {
  parts: number[];
}

export function addFloat(sum: FloatSum, value: number): void {
  const { parts } = sum;
  let total = value;
  let kept = 0;
  for (const part of parts) {
    const [large, small] = Math.abs(total) < Math.abs(part) ? [part, total] : [total, part];
    total = large + small;
    const rest = small - (total - large);
    if (!Number.isFinite(total)) {
      sum.parts = [isFiniteSum(parts) ? total : (parts[0] as number) + value];
      return;
    }
    if (rest !== 0) parts[kept++] = rest;
  }
  parts.length = kept;
  if (total !== 0) parts.push(total);
}

export function addSum(into: FloatSum, { parts }: FloatSum): void {
  for (const part of parts) addFloat(into, part);
}

/** Adds a product, exactly where it neither overflows nor has bits below 2^-1074 (Dekker). */
export function addProduct(sum: FloatSum, a: number, b: number): void {
  const product = a * b;
  addFloat(sum, product);
  if (!Number.isFinite(product)) return;
  const [headA, tailA] = split(a);
  const [headB, tailB] = split(b);
  addFloat(sum, tailA * tailB - (product - headA * headB - tailA * headB - headA * tailB));
}

export function scaleSum(sum: FloatSum, powerOfTwo: number): void {
  sum.parts = sum.parts.map((part) => part * powerOfTwo).filter((part) => part !== 0);
}

/** The double nearest to the sum; of two, the even one. */
export function roundSum({ parts }: FloatSum): number {
  let at = parts.length - 1;
  let total = parts[at] ?? 0;
  while (at > 0) {
    at -= 1;
    const part = parts[at] as number;
    const next = total + part;
    const rest = part - (next - total);
    total = next;
    if (rest === 0) continue;
    // Half-way to the next double: the sign of what is left decides.
    const left = at > 0 ? (parts[at - 1] as number) : 0;
    if (rest < 0 === left < 0 && left !== 0) {
      const rounded = total + rest * 2;
      if (rounded - total === rest * 2) total = rounded;
    }
    break;
  }
  return total + 0;
}

/** The sum less its double, as a double. */
export function roundRest({ parts }: FloatSum, rounded: number): number {
  const rest = { parts: [...parts] };
  addFloat(rest, -rounded);
  return roundSum(rest);
}

function isFiniteSum(parts: readonly number[]): boolean {
  return parts.length !== 1 || Number.isFinite(parts[0]);
}

/** Two halves of 26 bits. */
function split(value: number): readonly [number, number] {
  const shifted = value * 134_217_729;
  const head = shifted - (shifted - value);
  return [head, value - head];
}

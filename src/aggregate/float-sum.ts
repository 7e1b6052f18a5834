/**
 * Exact sums of floats: parts that do not overlap, from the least to the greatest (Shewchuk 1997), rounded once at the end. So the order
 * in which values arrive and tiles merge shows in no digit. Where a sum overflows, and with NaN or infinities, it is by IEEE.
 */

export interface FloatSum {
  parts: number[];
}

export function addFloat(sum: FloatSum, value: number): void {
  const { parts } = sum;
  const count = parts.length;
  const least = parts[0];
  let total = value;
  let kept = 0;
  for (let at = 0; at < count; at++) {
    // Knuth's sum of two: `next` is rounded, and `rest` is what the rounding took.
    const part = parts[at] as number;
    const next = total + part;
    const shadow = next - total;
    const rest = total - (next - shadow) + (part - shadow);
    total = next;
    if (rest !== 0) parts[kept++] = rest;
  }
  if (!Number.isFinite(total)) {
    sum.parts = [count === 1 && !Number.isFinite(least) ? (least as number) + value : total];
    return;
  }
  if (total !== 0) parts[kept++] = total;
  if (kept < count) parts.length = kept;
}

export function addSum(into: FloatSum, { parts }: FloatSum): void {
  for (const part of parts) addFloat(into, part);
}

/** Adds a product, exactly where it neither overflows nor has bits below 2^-1074 (Dekker). */
export function addProduct(sum: FloatSum, a: number, b: number): void {
  const product = a * b;
  addFloat(sum, product);
  if (!Number.isFinite(product)) return;
  // Each factor in two halves of 26 bits.
  const headA = headOf(a);
  const tailA = a - headA;
  const headB = headOf(b);
  const tailB = b - headB;
  addFloat(sum, tailA * tailB - (product - headA * headB - tailA * headB - headA * tailB));
}

function headOf(value: number): number {
  const shifted = value * 134_217_729;
  return shifted - (shifted - value);
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

/** Decimals as text with all digits of their scale, and as whole numbers of their last digit. */

/** `12.50` is 1250n. */
export function parseUnscaled(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

/** All digits of the scale, and no sign before zero. */
export function formatUnscaled(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Views of strings or bytes without the data that none of them points at, so that a slice does not carry its whole origin. */
import { getBit } from './bitmap.ts';
import { bytesOf, int32View } from './typed-view.ts';

/**
 * Answers the buffers of a views column: the views, 16 bytes each, pointing into the used part of each used data buffer.
 * Views of null rows are emptied.
 */
export function compactViews(views: Uint8Array, data: readonly Uint8Array[], validity: Uint8Array | undefined): Uint8Array[] {
  const words = int32View(views).slice();
  const from = new Float64Array(data.length).fill(Number.POSITIVE_INFINITY);
  const to = new Float64Array(data.length);
  for (let row = 0; 4 * row < words.length; row++) {
    if (validity !== undefined && !getBit(validity, row)) words.fill(0, 4 * row, 4 * row + 4);
    const length = words[4 * row] as number;
    if (length <= 12) continue;
    const buffer = words[4 * row + 2] as number;
    const offset = words[4 * row + 3] as number;
    from[buffer] = Math.min(from[buffer] as number, offset);
    to[buffer] = Math.max(to[buffer] as number, offset + length);
  }
  const used = data.map((_, buffer) => buffer).filter((buffer) => (to[buffer] as number) > 0);
  const newNumber = new Int32Array(data.length);
  for (const [number, buffer] of used.entries()) newNumber[buffer] = number;
  for (let at = 0; at < words.length; at += 4) {
    if ((words[at] as number) <= 12) continue;
    const buffer = words[at + 2] as number;
    words[at + 2] = newNumber[buffer] as number;
    words[at + 3] = (words[at + 3] as number) - (from[buffer] as number);
  }
  return [bytesOf(words), ...used.map((buffer) => (data[buffer] as Uint8Array).subarray(from[buffer], to[buffer]))];
}

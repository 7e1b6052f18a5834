/** Typed arrays over a column's bytes, without copying: the offset must be aligned to the element, as decoding ensures. */

export function int8View(bytes: Uint8Array): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function int16View(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
}

export function int32View(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
}

export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The bytes of any typed array. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/**
 * Offsets as 32-bit numbers, whatever their width: 64-bit ones are narrowed into a copy. Decoding has checked that every offset
 * of a column is below 2^31, so nothing is lost.
 */
export function readOffsets(bytes: Uint8Array, width: 4 | 8): Int32Array {
  const words = int32View(bytes);
  if (width === 4) return words;
  const narrow = new Int32Array(words.length >> 1);
  for (let i = 0; i < narrow.length; i++) narrow[i] = words[2 * i] as number;
  return narrow;
}

/** The inverse of readOffsets: offsets that are not negative, in the width that the type wants. */
export function writeOffsets(offsets: Int32Array, width: 4 | 8): Uint8Array {
  if (width === 4) return bytesOf(offsets);
  const words = new Int32Array(2 * offsets.length);
  for (let i = 0; i < offsets.length; i++) words[2 * i] = offsets[i] as number;
  return bytesOf(words);
}

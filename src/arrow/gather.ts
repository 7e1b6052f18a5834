/** The inner loops of take: rows of one buffer picked by index, a negative index leaving zeros. Hot: no branch on type inside. */
import { bitmapBytes } from './bitmap.ts';
import { bytesOf, int16View, int32View } from './typed-view.ts';

/** Picks values of `width` bytes; bits are moved as integers, so that no NaN loses its payload. */
export function gatherFixed(source: Uint8Array, width: number, indices: Int32Array): Uint8Array {
  const aligned = source.byteOffset % Math.min(width, 4) === 0;
  if (width === 8 && aligned) return gather8(int32View(source), indices);
  if (width === 4 && aligned) return gather4(int32View(source), indices);
  if (width === 16 && aligned) return gather16(int32View(source), indices);
  if (width === 2 && aligned) return gather2(int16View(source), indices);
  if (width === 1) return gather1(source, indices);
  return gatherBytes(source, width, indices);
}

function gather1(source: Uint8Array, indices: Int32Array): Uint8Array {
  const target = new Uint8Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (from >= 0) target[i] = source[from] as number;
  }
  return target;
}

function gather2(source: Int16Array, indices: Int32Array): Uint8Array {
  const target = new Int16Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (from >= 0) target[i] = source[from] as number;
  }
  return bytesOf(target);
}

function gather4(source: Int32Array, indices: Int32Array): Uint8Array {
  const target = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (from >= 0) target[i] = source[from] as number;
  }
  return bytesOf(target);
}

function gather8(source: Int32Array, indices: Int32Array): Uint8Array {
  const target = new Int32Array(2 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (from < 0) continue;
    target[2 * i] = source[2 * from] as number;
    target[2 * i + 1] = source[2 * from + 1] as number;
  }
  return bytesOf(target);
}

function gather16(source: Int32Array, indices: Int32Array): Uint8Array {
  const target = new Int32Array(4 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (from < 0) continue;
    target[4 * i] = source[4 * from] as number;
    target[4 * i + 1] = source[4 * from + 1] as number;
    target[4 * i + 2] = source[4 * from + 2] as number;
    target[4 * i + 3] = source[4 * from + 3] as number;
  }
  return bytesOf(target);
}

function gatherBytes(source: Uint8Array, width: number, indices: Int32Array): Uint8Array {
  const target = new Uint8Array(width * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (from >= 0) target.set(source.subarray(width * from, width * (from + 1)), width * i);
  }
  return target;
}

/** Picks bits. */
export function gatherBits(source: Uint8Array, indices: Int32Array): Uint8Array {
  const target = new Uint8Array(bitmapBytes(indices.length));
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (from >= 0 && ((source[from >> 3] as number) >> (from & 7)) & 1)
      target[i >> 3] = (target[i >> 3] as number) | (1 << (i & 7));
  }
  return target;
}

/** Bytes up to which a loop copies faster than `set` does: that costs about 100 ns however short the run. */
export const shortRun = 32;

/** Copies a run of bytes; a loop beats `set` where the run is short. */
export function copyBytes(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): void {
  if (to - from > shortRun) target.set(source.subarray(from, to), at);
  else for (let i = from, j = at; i < to; i++, j++) target[j] = source[i] as number;
}

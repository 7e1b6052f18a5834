/** Bitmaps, least significant bit first: reading, counting and copying runs of bits at any offset. */

/** The bytes that hold `bits` bits. */
export function bitmapBytes(bits: number): number {
  return Math.ceil(bits / 8);
}

export function getBit(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] as number) >> (index & 7)) & 1) === 1;
}

export function setBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >> 3] = (bitmap[index >> 3] as number) | (1 << (index & 7));
}

function clearBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >> 3] = (bitmap[index >> 3] as number) & ~(1 << (index & 7));
}

/** How many of `length` bits from bit `start` on are zero: the null count of that run. */
export function countZeroBits(bitmap: Uint8Array, start: number, length: number): number {
  let ones = 0;
  let bit = start;
  const end = start + length;
  while (bit < end && (bit & 7) !== 0) ones += getBit(bitmap, bit++) ? 1 : 0;
  for (; bit + 8 <= end; bit += 8) ones += onesOfByte[bitmap[bit >> 3] as number] as number;
  while (bit < end) ones += getBit(bitmap, bit++) ? 1 : 0;
  return length - ones;
}

/** Copies `length` bits; bits of the target outside the run stay as they are, so runs may be appended one after the other. */
export function copyBits(target: Uint8Array, targetStart: number, source: Uint8Array, sourceStart: number, length: number): void {
  let done = 0;
  while (done < length && ((targetStart + done) & 7) !== 0) copyBit(target, targetStart + done, source, sourceStart + done++);
  const whole = (length - done) >> 3;
  if (whole > 0) {
    const to = (targetStart + done) >> 3;
    const from = (sourceStart + done) >> 3;
    const shift = (sourceStart + done) & 7;
    if (shift === 0) target.set(source.subarray(from, from + whole), to);
    else {
      for (let i = 0; i < whole; i++) {
        target[to + i] = ((source[from + i] as number) >> shift) | ((source[from + i + 1] as number) << (8 - shift));
      }
    }
    done += whole * 8;
  }
  while (done < length) copyBit(target, targetStart + done, source, sourceStart + done++);
}

/** Sets `length` bits from `start` on to one. */
export function fillBits(target: Uint8Array, start: number, length: number): void {
  let bit = start;
  const end = start + length;
  while (bit < end && (bit & 7) !== 0) setBit(target, bit++);
  const whole = (end - bit) >> 3;
  if (whole > 0) {
    target.fill(0xff, bit >> 3, (bit >> 3) + whole);
    bit += whole * 8;
  }
  while (bit < end) setBit(target, bit++);
}

/** `length` bits from bit `start` on as a bitmap of its own: shares the bytes where `start` is at a byte's edge. */
export function sliceBits(bitmap: Uint8Array, start: number, length: number): Uint8Array {
  if ((start & 7) === 0) return bitmap.subarray(start >> 3, (start >> 3) + bitmapBytes(length));
  const slice = new Uint8Array(bitmapBytes(length));
  copyBits(slice, 0, bitmap, start, length);
  return slice;
}

function copyBit(target: Uint8Array, targetBit: number, source: Uint8Array, sourceBit: number): void {
  if (getBit(source, sourceBit)) setBit(target, targetBit);
  else clearBit(target, targetBit);
}

const onesOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest >>= 1) ones += rest & 1;
  return ones;
});

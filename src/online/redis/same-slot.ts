/** Bytes that bring a key into the slot of another, so that one command, and one script, may touch both. */
import { asBuffer } from './commands.ts';
import { crc16, slotOfKey } from './slot.ts';

const closeBrace = 0x7d;

/**
 * The key with two bytes behind it, by which it has the slot of `other`; without them where it has that slot already, as where both
 * have the same part in braces. None of the bytes is a closing brace: which part of the key counts stays as it is.
 */
export function intoSlotOf(other: Uint8Array, key: Uint8Array): Buffer {
  const slot = slotOfKey(other);
  if (slotOfKey(key) === slot) return asBuffer(key);
  const crc = crc16(key);
  // A slot is 14 bits of the 16: four pairs of bytes lead to it.
  for (let wanted = slot; ; wanted += 1 << 14) {
    // Bytes are added to a CRC by the bits in which they differ from it.
    const pair = crc ^ (pairOfCrc()[wanted] as number);
    const bytes = [pair >> 8, pair & 0xff];
    if (!bytes.includes(closeBrace)) return Buffer.concat([key, Buffer.from(bytes)]);
  }
}

let pairs: Uint16Array | undefined;

/** CRC -> the two bytes, as one number, that have it: each CRC is that of one pair. */
function pairOfCrc(): Uint16Array {
  if (pairs !== undefined) return pairs;
  pairs = new Uint16Array(1 << 16);
  const bytes = new Uint8Array(2);
  for (let pair = 0; pair < 1 << 16; pair++) {
    bytes[0] = pair >> 8;
    bytes[1] = pair & 0xff;
    pairs[crc16(bytes)] = pair;
  }
  return pairs;
}

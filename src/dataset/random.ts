/** Random numbers that are a pure function of their key, on every machine and in every version: xoshiro128**, seeded by SHA-256. */
import { createHash } from 'node:crypto';

/** The next 32 bits, as a signed integer. */
export type Random = () => number;

/** The key is hashed as JSON text in UTF-8; the digest's first 16 bytes are the state, as four little-endian words. */
export function createRandom(key: readonly unknown[]): Random {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let d = digest.readInt32LE(12);
  return () => {
    const scaled = Math.imul(b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) | 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}

/** Permutes in place, each order equally likely (Fisher and Yates, from the end). */
export function shuffle(values: Uint32Array, random: Random): void {
  for (let left = values.length; left > 1; left--) {
    // As many bits as the greatest choice has, drawn again where they are more than that: a remainder would favour small ones.
    const mask = (1 << (32 - Math.clz32(left - 1))) - 1;
    let chosen = random() & mask;
    while (chosen >= left) chosen = random() & mask;
    const value = values[left - 1] as number;
    values[left - 1] = values[chosen] as number;
    values[chosen] = value;
  }
}

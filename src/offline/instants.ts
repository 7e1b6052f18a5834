/** Instants in microseconds as pairs of 32-bit words, so that loops over them neither allocate nor round. */

/** Two words a row, little endian: the low one unsigned, the high one signed. `nulls[row]` is 1 where there is no instant. */
export interface Instants {
  readonly length: number;
  readonly words: Int32Array;
  readonly nulls?: Uint8Array;
}

const wordSize = 4_294_967_296;

/** A count of microseconds split into a low word (0 to 2^32 - 1) and a high word, both exact as numbers. */
export function splitUs(us: bigint): { low: number; high: number } {
  return { low: Number(us & 0xffff_ffffn), high: Number(us >> 32n) };
}

/** The instant of one row. */
export function instantAt(instants: { readonly words: Int32Array }, row: number): bigint {
  return joinWords(instants.words[2 * row] as number, instants.words[2 * row + 1] as number);
}

/** A low and a high word as one integer. */
export function joinWords(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** The greatest of many instants, as they come. */
export function createNewest(): { add(words: Int32Array): void; eventUs(): bigint | undefined } {
  let low = 0;
  let high = -Infinity;
  return {
    add(words) {
      for (let at = 0; at < words.length; at += 2) {
        const [one, other] = [(words[at] as number) >>> 0, words[at + 1] as number];
        if (other < high || (other === high && one <= low)) continue;
        [low, high] = [one, other];
      }
    },
    eventUs: () => (high === -Infinity ? undefined : joinWords(low, high)),
  };
}

/** The same instant for every row. */
export function repeatInstant(us: bigint, length: number): Instants {
  const words = new Int32Array(2 * length);
  const { low, high } = splitUs(us);
  for (let row = 0; row < length; row++) {
    words[2 * row] = low | 0;
    words[2 * row + 1] = high;
  }
  return { length, words };
}

/** Divides every 64-bit count, rounding toward minus infinity (rule 1.1: nanoseconds to microseconds). */
export function floorDivideWords(words: Int32Array, divisor: number): Int32Array {
  const result = new Int32Array(words.length);
  for (let at = 0; at < words.length; at += 2) {
    const high = words[at + 1] as number;
    const quotient = Math.floor(high / divisor);
    const rest = (high - quotient * divisor) * wordSize + ((words[at] as number) >>> 0);
    result[at] = Math.floor(rest / divisor) | 0;
    result[at + 1] = quotient;
  }
  return result;
}

/** Multiplies every 64-bit count by up to 10^6; rows whose product leaves 64 bits are named by `overflow`. */
export function multiplyWords(words: Int32Array, factor: number, overflow: (row: number) => void): Int32Array {
  const result = new Int32Array(words.length);
  for (let at = 0; at < words.length; at += 2) {
    const product = ((words[at] as number) >>> 0) * factor;
    const carry = Math.floor(product / wordSize);
    const high = (words[at + 1] as number) * factor + carry;
    if (high > 2_147_483_647 || high < -2_147_483_648) overflow(at / 2);
    result[at] = (product - carry * wordSize) | 0;
    result[at + 1] = high;
  }
  return result;
}

/** The instants of some rows, in the order given. */
export function takeInstants(instants: Instants, rows: Int32Array): Instants {
  const words = new Int32Array(2 * rows.length);
  for (let at = 0; at < rows.length; at++) {
    words[2 * at] = instants.words[2 * (rows[at] as number)] as number;
    words[2 * at + 1] = instants.words[2 * (rows[at] as number) + 1] as number;
  }
  const nulls = instants.nulls && Uint8Array.from(rows, (row) => (instants.nulls as Uint8Array)[row] as number);
  return { length: rows.length, words, nulls };
}

/** Instants one after another. */
export function concatInstants(parts: readonly Instants[]): Instants {
  if (parts.length === 1) return parts[0] as Instants;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const words = new Int32Array(2 * length);
  const nulls = parts.some((part) => part.nulls !== undefined) ? new Uint8Array(length) : undefined;
  let at = 0;
  for (const part of parts) {
    words.set(part.words, 2 * at);
    if (part.nulls !== undefined) nulls?.set(part.nulls, at);
    at += part.length;
  }
  return { length, words, nulls };
}

/** The day since the epoch of each row, floored, before 1970 too (rule 1.4). */
export function daysOf(words: Int32Array, shiftUs = 0n): Int32Array {
  const days = new Int32Array(words.length / 2);
  const shift = splitUs(shiftUs);
  for (let row = 0; row < days.length; row++) {
    const low = ((words[2 * row] as number) >>> 0) + shift.low;
    const high = (words[2 * row + 1] as number) + shift.high + (low >= wordSize ? 1 : 0);
    const quotient = Math.floor(high / 1_000_000);
    const rest = (high - quotient * 1_000_000) * wordSize + (low % wordSize);
    days[row] = Math.floor((quotient * wordSize + Math.floor(rest / 1_000_000)) / 86_400);
  }
  return days;
}

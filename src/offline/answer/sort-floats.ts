/** Sorts floats together with a number each, in turns and without comparing. */
import type { Pace } from '../pace.ts';

export interface MarkedFloats {
  readonly values: Float64Array;
  readonly marks: Int32Array;
}

const turnRows = 65_536;

/**
 * The pairs by value, NaN last (of one kind, and zeros without a sign), equal ones as they came. Takes the arrays given, which are
 * spoilt, and as much memory again. A radix sort, byte by byte from the lowest: a double's bits are in its order once those of
 * negative ones are all flipped and the sign of the others.
 */
export async function sortFloats({ values, marks }: MarkedFloats, pace: Pace): Promise<MarkedFloats> {
  const { length } = values;
  let from = { words: wordsOf(values), values, marks };
  let to = createPairs(length);
  const counts = new Int32Array(8 * 256);
  for (let row = 0; row < length; row++) {
    if (row % turnRows === 0) await pace();
    encodeOrder(from.words, row);
    for (let digit = 0; digit < 8; digit++) {
      const at = 256 * digit + digitOf(from.words, row, digit);
      counts[at] = (counts[at] as number) + 1;
    }
  }
  for (let digit = 0; digit < 8; digit++) {
    const places = counts.subarray(256 * digit, 256 * (digit + 1));
    if (places.includes(length)) continue;
    let next = 0;
    for (let value = 0; value < 256; value++) {
      const count = places[value] as number;
      places[value] = next;
      next += count;
    }
    for (let start = 0; start < length; start += turnRows) {
      await pace();
      deal(from, to, digit, places, start, Math.min(length, start + turnRows));
    }
    [from, to] = [to, from];
  }
  for (let row = 0; row < length; row++) {
    if (row % turnRows === 0) await pace();
    decodeOrder(from.words, row);
  }
  return from;
}

interface Pairs extends MarkedFloats {
  readonly words: Int32Array;
}

function createPairs(length: number): Pairs {
  const values = new Float64Array(length);
  return { values, words: wordsOf(values), marks: new Int32Array(length) };
}

function wordsOf(values: Float64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
}

function digitOf(words: Int32Array, row: number, digit: number): number {
  return ((words[2 * row + (digit >> 2)] as number) >>> (8 * (digit & 3))) & 255;
}

function deal(from: Pairs, to: Pairs, digit: number, places: Int32Array, start: number, end: number): void {
  for (let row = start; row < end; row++) {
    const value = digitOf(from.words, row, digit);
    const place = places[value] as number;
    places[value] = place + 1;
    to.words[2 * place] = from.words[2 * row] as number;
    to.words[2 * place + 1] = from.words[2 * row + 1] as number;
    to.marks[place] = from.marks[row] as number;
  }
}

const sign = 0x8000_0000 | 0;

function encodeOrder(words: Int32Array, row: number): void {
  let low = words[2 * row] as number;
  let high = words[2 * row + 1] as number;
  const magnitude = high & 0x7fff_ffff;
  if (magnitude === 0 && low === 0) high = 0;
  else if (magnitude > 0x7ff0_0000 || (magnitude === 0x7ff0_0000 && low !== 0)) [low, high] = [0, 0x7ff8_0000];
  words[2 * row] = high < 0 ? ~low : low;
  words[2 * row + 1] = high < 0 ? ~high : high ^ sign;
}

function decodeOrder(words: Int32Array, row: number): void {
  const high = words[2 * row + 1] as number;
  if (high < 0) {
    words[2 * row + 1] = high ^ sign;
    return;
  }
  words[2 * row] = ~(words[2 * row] as number);
  words[2 * row + 1] = ~high;
}

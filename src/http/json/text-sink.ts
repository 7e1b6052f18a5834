/** JSON text written as bytes into one buffer, number by number and run by run, without a string in between. */
import { createSink, reserve, type Sink, takeSink, writeByte } from '../../online/encoding/bytes.ts';

export { reserve, type Sink, writeByte };

/** What is kept from one text to the next; a longer text is given away with its memory. */
const keptBytes = 1 << 20;
/** Of longer text a call of V8 costs less than its characters one by one. */
const shortLength = 12;
/** Longer strings are rarely plain to their end. */
const plainLength = 64;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const minus = 0x2d;
const zero = 0x30;
const kept = createSink(keptBytes);

/** The bytes of what `write` writes. */
export function encodeText(write: (sink: Sink) => void): Buffer {
  kept.at = 0;
  write(kept);
  if (kept.at < keptBytes) return takeSink(kept);
  const whole = kept.buffer.subarray(0, kept.at);
  kept.buffer = Buffer.allocUnsafe(keptBytes);
  return whole;
}

/** Text of ASCII alone, as it is. */
export function writeAscii(sink: Sink, text: string): void {
  const { length } = text;
  reserve(sink, length);
  const { buffer, at } = sink;
  if (length > shortLength) buffer.write(text, at, 'latin1');
  else for (let place = 0; place < length; place++) buffer[at + place] = text.charCodeAt(place);
  sink.at = at + length;
}

/** A few bytes that were made once. */
export function writeShort(sink: Sink, bytes: Uint8Array): void {
  const { length } = bytes;
  reserve(sink, length);
  const { buffer, at } = sink;
  for (let place = 0; place < length; place++) buffer[at + place] = bytes[place] as number;
  sink.at = at + length;
}

/** Any text as a JSON string; half a surrogate pair, which is no text, as an escape. */
export function writeQuoted(sink: Sink, text: string): void {
  if (!writePlainly(sink, text)) writeUtf8(sink, JSON.stringify(text));
}

/** Text of any characters, as it is. */
export function writeUtf8(sink: Sink, text: string): void {
  reserve(sink, 3 * text.length);
  sink.at += sink.buffer.write(text, sink.at);
}

/** False, and nothing written, where a character is not ASCII or needs an escape, or the text is long. */
function writePlainly(sink: Sink, text: string): boolean {
  const { length } = text;
  if (length > plainLength) return false;
  reserve(sink, length + 2);
  const { buffer } = sink;
  let { at } = sink;
  buffer[at++] = quote;
  for (let place = 0; place < length; place++) {
    const character = text.charCodeAt(place);
    if (character < 0x20 || character > 0x7e || character === quote || character === backslash) return false;
    buffer[at++] = character;
  }
  buffer[at++] = quote;
  sink.at = at;
  return true;
}

/** An integer; its digits are divided off where a double holds it exactly. */
export function writeInteger(sink: Sink, value: number | bigint): void {
  const whole = Number(value);
  if (Number.isSafeInteger(whole)) writeDigits(sink, whole);
  else writeAscii(sink, String(value));
}

function writeDigits(sink: Sink, whole: number): void {
  reserve(sink, 17);
  const { buffer } = sink;
  if (whole < 0) buffer[sink.at++] = minus;
  let rest = Math.abs(whole);
  let place = sink.at + countDigits(rest);
  sink.at = place;
  while (rest > 0x7fff_ffff) {
    const tenth = Math.floor(rest / 10);
    buffer[--place] = zero + (rest - tenth * 10);
    rest = tenth;
  }
  let small = rest | 0;
  do {
    const tenth = (small / 10) | 0;
    buffer[--place] = zero + (small - tenth * 10);
    small = tenth;
  } while (small > 0);
}

function countDigits(rest: number): number {
  let digits = 1;
  for (let bound = 10; rest >= bound; bound *= 10) digits += 1;
  return digits;
}

/** `[a,b,…]`, each by one writer; of equal neighbours the first is written and the others are copied. */
export function writeAll<T>(sink: Sink, values: ArrayLike<T>, write: (sink: Sink, value: T) => void): void {
  const { length } = values;
  writeByte(sink, 0x5b);
  for (let at = 0; at < length; ) {
    const value = values[at] as T;
    let next = at + 1;
    while (next < length && Object.is(values[next], value)) next += 1;
    const start = sink.at;
    write(sink, value);
    writeByte(sink, comma);
    if (next - at > 1) repeat(sink, start, next - at);
    at = next;
  }
  if (length > 0) sink.at -= 1;
  writeByte(sink, 0x5d);
}

/** Makes what stands from `start` on stand there so many times. */
function repeat(sink: Sink, start: number, times: number): void {
  const once = sink.at - start;
  const total = once * times;
  reserve(sink, total - once);
  for (let done = once; done < total; done *= 2) {
    sink.buffer.copyWithin(start + done, start, start + Math.min(done, total - done));
  }
  sink.at = start + total;
}

/** Writes what stands between two places once more. */
export function writeAgain(sink: Sink, start: number, end: number): void {
  reserve(sink, end - start);
  sink.buffer.copyWithin(sink.at, start, end);
  sink.at += end - start;
}

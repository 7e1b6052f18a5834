/** The wire format of protocol buffers, as far as Flight uses it: fields in, fields out. */
import { FeatureStoreError } from '../errors.ts';

/**
 * One field of a message. A varint (wire type 0) is in `varint` as the unsigned 64 bits read; length-delimited and fixed-width values
 * are in `bytes`, a view of the message.
 */
export interface WireField {
  readonly number: number;
  readonly varint: bigint;
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The fields of a message in the order they stand in. Throws INVALID_ARGUMENT where the bytes are no message. */
export function* readFields(message: Uint8Array): Generator<WireField> {
  const cursor = { at: 0 };
  while (cursor.at < message.length) {
    const tag = readVarint(message, cursor);
    const number = Number(tag >> 3n);
    if (number < 1 || number > 0x1fffffff) throw malformed(`field number ${number}`);
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, varint: readVarint(message, cursor), bytes: none };
        break;
      case 1:
        yield { number, varint: 0n, bytes: readBytes(message, cursor, 8n) };
        break;
      case 2:
        yield { number, varint: 0n, bytes: readBytes(message, cursor, readVarint(message, cursor)) };
        break;
      case 5:
        yield { number, varint: 0n, bytes: readBytes(message, cursor, 4n) };
        break;
      default:
        throw malformed(`wire type ${tag & 7n}`);
    }
  }
}

/** The text of a string field. Throws INVALID_ARGUMENT where the bytes are not UTF-8. */
export function readText(field: WireField): string {
  try {
    return utf8.decode(field.bytes);
  } catch (cause) {
    throw new FeatureStoreError('INVALID_ARGUMENT', 'malformed Flight message: a string is not UTF-8', { cause });
  }
}

/** A varint field; nothing for zero, which is what an absent field means. `value` may be negative (int64). */
export function varintField(number: number, value: bigint | number): Uint8Array {
  const bits = BigInt.asUintN(64, BigInt(value));
  return bits === 0n ? none : concatBytes([encodeVarint(BigInt(number) << 3n), encodeVarint(bits)]);
}

/** A bytes or string field; nothing for an empty or absent one. */
export function bytesField(number: number, value: Uint8Array | string | undefined): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : (value ?? none);
  return bytes.length === 0 ? none : messageField(number, [bytes]);
}

/** A length-delimited field made of parts, written even when it is empty: presence of a message means something. */
export function messageField(number: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concatBytes([lengthPrefix(number, length), ...parts]);
}

/** The tag and length that stand before the `length` bytes of a length-delimited field. */
export function lengthPrefix(number: number, length: number): Uint8Array {
  return concatBytes([encodeVarint((BigInt(number) << 3n) | 2n), encodeVarint(BigInt(length))]);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function readVarint(message: Uint8Array, cursor: { at: number }): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = message[cursor.at++];
    if (byte === undefined) throw malformed('it ends inside a number');
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asUintN(64, value);
  }
  throw malformed('a number is longer than 64 bits');
}

function readBytes(message: Uint8Array, cursor: { at: number }, length: bigint): Uint8Array {
  if (length > BigInt(message.length - cursor.at)) throw malformed('a field is longer than the message');
  const bytes = message.subarray(cursor.at, cursor.at + Number(length));
  cursor.at += bytes.length;
  return bytes;
}

function malformed(reason: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `malformed Flight message: ${reason}`);
}

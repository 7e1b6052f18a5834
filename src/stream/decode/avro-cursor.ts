/** Reads Avro's primitive values from bytes, never beyond their end. */
import { isUtf8 } from 'node:buffer';
import { FeatureStoreError } from '../../errors.ts';

export class AvroCursor {
  private readonly bytes: Buffer;
  private at: number;
  /** Records within records; a schema may name itself. */
  depth = 0;

  constructor(value: Uint8Array, start: number) {
    this.bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.at = start;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** The bytes of the next value; a copy, so that the record may go. */
  take(length: number): Uint8Array {
    const start = this.skip(length);
    return new Uint8Array(this.bytes.subarray(start, start + length));
  }

  text(): string {
    const length = this.length();
    const start = this.skip(length);
    const part = this.bytes.subarray(start, start + length);
    if (!isUtf8(part)) throw malformed('a text in it is not UTF-8');
    return part.toString('utf8');
  }

  boolean(): boolean {
    const byte = this.bytes[this.skip(1)] as number;
    if (byte > 1) throw malformed(`a boolean in it is ${byte}`);
    return byte === 1;
  }

  float(): number {
    return this.bytes.readFloatLE(this.skip(4));
  }

  double(): number {
    return this.bytes.readDoubleLE(this.skip(8));
  }

  /** int, and what counts: indices and lengths. */
  int(): number {
    const value = this.long();
    if (value < -2_147_483_648 || value > 2_147_483_647) throw malformed(`an int in it is ${value}`);
    return Number(value);
  }

  /** Zigzag, seven bits a byte, the lowest first; a bigint where a number might not do. */
  long(): number | bigint {
    let low = 0;
    for (let bits = 0; bits < 28; bits += 7) {
      const byte = this.bytes[this.skip(1)] as number;
      low |= (byte & 0x7f) << bits;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    let value = BigInt(low);
    for (let bits = 28n; bits < 70n; bits += 7n) {
      const byte = this.bytes[this.skip(1)] as number;
      value |= BigInt(byte & 0x7f) << bits;
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw malformed('a number in it has more than 64 bits');
  }

  length(): number {
    const length = this.int();
    if (length < 0) throw malformed(`a length in it is ${length}`);
    return length;
  }

  private skip(length: number): number {
    if (length > this.left) throw malformed('it is cut short');
    const start = this.at;
    this.at += length;
    return start;
  }
}

export function malformed(why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `the record is no Avro of this schema: ${why}`);
}

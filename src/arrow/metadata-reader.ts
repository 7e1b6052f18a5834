/** Flatbuffer metadata that others wrote, read with every offset checked: the generated readers trust what they read. */
import { ByteBuffer, Encoding } from 'flatbuffers';
import { FeatureStoreError } from '../errors.ts';

/** Fields may nest this deep; deeper metadata is refused rather than recursed into. */
export const maxNesting = 64;

/** Opens a flatbuffer for the generated readers; any read outside it is an INVALID_ARGUMENT error. */
export function openMetadata(bytes: Uint8Array): ByteBuffer {
  return new CheckedByteBuffer(bytes);
}

/** An error about an Arrow message that cannot be what its writer meant. */
export function malformed(what: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `The Arrow message is malformed: ${what}`);
}

/** A table that the format demands: the generated readers answer null where it is absent. */
export function required<T>(value: T | null, what: string): T {
  if (value === null) throw malformed(`${what} is missing`);
  return value;
}

/** A 64-bit length or offset as a number, refused unless it is within [0, max]. */
export function checkedNumber(value: bigint, max: number, what: string): number {
  if (value < 0n || value > BigInt(max)) throw malformed(`${what} is ${value}, outside 0 to ${max}`);
  return Number(value);
}

/** The text of bytes, or undefined where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class CheckedByteBuffer extends ByteBuffer {
  override readUint8(offset: number): number {
    this.#check(offset, 1);
    return super.readUint8(offset);
  }

  override readUint16(offset: number): number {
    this.#check(offset, 2);
    return super.readUint16(offset);
  }

  override readInt32(offset: number): number {
    this.#check(offset, 4);
    return super.readInt32(offset);
  }

  override __vector_len(offset: number): number {
    const length = super.__vector_len(offset);
    // Every element takes at least one byte, so a longer vector cannot be in these bytes: no loop runs away.
    if (length < 0 || length > this.capacity()) throw malformed(`a vector claims ${length} elements`);
    return length;
  }

  override __string(offset: number, encoding?: Encoding): string | Uint8Array {
    const start = offset + this.readInt32(offset) + 4;
    const length = this.readInt32(start - 4);
    if (length < 0 || start + length > this.capacity()) throw malformed(`a string claims ${length} bytes`);
    const bytes = this.bytes().subarray(start, start + length);
    if (encoding === Encoding.UTF8_BYTES) return bytes;
    const text = decodeUtf8(bytes);
    if (text === undefined) throw malformed('a name is not UTF-8');
    return text;
  }

  #check(offset: number, width: number): void {
    if (offset < 0 || offset + width > this.capacity()) throw malformed('its metadata points outside itself');
  }
}

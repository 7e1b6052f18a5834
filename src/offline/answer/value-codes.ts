/** A dictionary that gives equal values equal codes: 0, 1, … in the order in which they come. */
import { createGrowingBytes, grow } from '../../arrow/growing-bytes.ts';
import { checkTotal } from '../../arrow/take.ts';

export interface ValueCodes {
  /** How many different values there are. */
  readonly count: number;
  /** The code of a value, by its canonical bytes. */
  codeOf(value: Uint8Array, length: number): number;
  /** The bytes of a code's value. */
  bytesOf(code: number): Uint8Array;
}

/** Holds every value once, and 16 bytes or less beside it; RESOURCE_EXHAUSTED beyond 2 GiB of them. `name` is what holds them. */
export function createValueCodes(name: string): ValueCodes {
  const data = createGrowingBytes();
  let ends = new Int32Array(1024);
  let hashes = new Int32Array(1024);
  /** Code + 1 at a hash's place or behind it; 0 is free. */
  let slots = new Int32Array(4096);
  let count = 0;

  const startOf = (code: number) => (code === 0 ? 0 : (ends[code - 1] as number));
  const isAt = (code: number, value: Uint8Array, length: number) => {
    const start = startOf(code);
    if ((ends[code] as number) - start !== length) return false;
    for (let byte = 0; byte < length; byte++) if (data.bytes[start + byte] !== value[byte]) return false;
    return true;
  };
  const enlarge = () => {
    ends = enlarged(ends);
    hashes = enlarged(hashes);
    slots = new Int32Array(4 * ends.length);
    for (let code = 0; code < count; code++) {
      let slot = (hashes[code] as number) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = code + 1;
    }
  };
  return {
    get count() {
      return count;
    },
    codeOf(value, length) {
      const hash = hashBytes(value, length);
      let slot = hash & (slots.length - 1);
      for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
        const code = (slots[slot] as number) - 1;
        if (hashes[code] === hash && isAt(code, value, length)) return code;
      }
      checkTotal(name, data.length + length);
      const at = grow(data, length);
      data.bytes.set(value.subarray(0, length), at);
      ends[count] = data.length;
      hashes[count] = hash;
      slots[slot] = ++count;
      if (count === ends.length) enlarge();
      return count - 1;
    },
    bytesOf: (code) => data.bytes.subarray(startOf(code), ends[code]),
  };
}

function enlarged(values: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * values.length);
  larger.set(values);
  return larger;
}

function hashBytes(bytes: Uint8Array, length: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

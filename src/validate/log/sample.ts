/**
 * Which keys are logged: a pure function of an entity's name and the values of its join keys, the same in every process and release, so that
 * all that was ever served of a key is in the log or none of it. The hash is MurmurHash3 (32 bits) over the name and then each value:
 * a word that says what it is (1 integer, 2 boolean, 3 text, 4 bytes), its length in bytes where it may vary, and its little-endian words;
 * integers are 64 bits wide, so that a key is the same whatever its type's width (rule 2.2).
 */
import type { LiteralValue } from '../../definitions/literal.ts';

/** Whether one of `share` of all keys: a lower share is of the same keys, and not all of them. A null among the values is undefined: nobody's key. */
export type Sampler = (values: readonly LiteralValue[]) => boolean | undefined;

export function createSampler(entity: string, share: number): Sampler {
  const start = hashText(0, entity);
  const limit = share * 2 ** 32;
  return (values) => {
    let hash = start;
    for (const value of values) {
      if (value === null || value === undefined) return undefined;
      hash = hashValue(hash, value);
    }
    return finish(hash) < limit;
  };
}

/** The same of requests without a key, by their ids. */
export function isRequestSampled(requestId: string, share: number): boolean {
  return finish(hashText(0, requestId)) < share * 2 ** 32;
}

function hashValue(hash: number, value: NonNullable<LiteralValue>): number {
  switch (typeof value) {
    case 'number':
      return mix(mix(mix(hash, 1), value | 0), Math.floor(value / 2 ** 32) | 0);
    case 'bigint':
      integer[0] = value;
      return mix(mix(mix(hash, 1), words[0] as number), words[1] as number);
    case 'boolean':
      return mix(mix(hash, 2), value ? 1 : 0);
    case 'string':
      return hashText(mix(hash, 3), value);
    default:
      return hashBytes(mix(hash, 4), value as Uint8Array);
  }
}

const integer = new BigInt64Array(1);
const words = new Int32Array(integer.buffer);

/** ASCII without its bytes. */
function hashText(hash: number, text: string): number {
  const { length } = text;
  let mixed = mix(hash, length);
  let word = 0;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return hashBytes(hash, Buffer.from(text));
    word |= code << (8 * (at & 3));
    if ((at & 3) < 3 && at < length - 1) continue;
    mixed = mix(mixed, word);
    word = 0;
  }
  return mixed;
}

function hashBytes(hash: number, bytes: Uint8Array): number {
  let mixed = mix(hash, bytes.length);
  for (let at = 0; at < bytes.length; at += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    mixed = mix(mixed, a | (b << 8) | (c << 16) | (d << 24));
  }
  return mixed;
}

function mix(hash: number, word: number): number {
  const scaled = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((scaled << 15) | (scaled >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

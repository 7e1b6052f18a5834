/** The key of an entity read back: its join keys' values, long text and bytes by their digest alone. */
import { FeatureStoreError } from '../../errors.ts';
import { asBuffer, readText, readVarint, readZigzag } from './bytes.ts';
import { keyTags, splitEntityKey } from './keys.ts';

export type KeyPart =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  /** The sha256 in hexadecimal digits. */
  | { readonly kind: 'stringDigest' | 'bytesDigest'; readonly value: string };

export interface DecodedKey {
  readonly joinKeys: readonly string[];
  readonly parts: readonly KeyPart[];
}

/** DATA_LOSS where it is no key of an entity of the project. */
export function decodeEntityKey(project: string, key: Uint8Array): DecodedKey {
  const split = splitEntityKey(project, key);
  if (split === undefined) throw new FeatureStoreError('DATA_LOSS', 'the online store names an entity by what is no key of one');
  return { joinKeys: split.joinKeys, parts: split.parts.map((part) => decodePart(asBuffer(part))) };
}

function decodePart(part: Buffer): KeyPart {
  const cursor = { buffer: part, at: 1, end: part.length };
  switch (part[0]) {
    case keyTags.integer:
      return { kind: 'integer', value: readZigzag(cursor) };
    case keyTags.bool:
      return { kind: 'bool', value: part[1] === 1 };
    case keyTags.string:
      return { kind: 'string', value: readText(cursor) };
    case keyTags.bytes: {
      const length = readVarint(cursor);
      return { kind: 'bytes', value: part.subarray(cursor.at, cursor.at + length) };
    }
    default:
      return { kind: part[0] === keyTags.stringDigest ? 'stringDigest' : 'bytesDigest', value: part.toString('hex', 1) };
  }
}

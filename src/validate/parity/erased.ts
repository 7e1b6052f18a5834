/** Whether a key of a view is, or holds, an erased entity (rule 8.4). */
import { createHash } from 'node:crypto';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { LookupPlan } from '../../offline/plan.ts';
import type { KeyPart } from '../../online/encoding/decode-key.ts';
import type { Erasure } from '../../online/write/erasure-index.ts';

/** The first instant at which an entity of the key was erased; undefined where none is. */
export function whenErased(
  erasures: readonly Erasure[],
  { keys }: Pick<LookupPlan, 'keys'>,
  key: readonly LiteralValue[],
): bigint | undefined {
  const found = erasures.filter(
    ({ joinKeys, parts }) =>
      joinKeys.length > 0 &&
      joinKeys.every((name, at) => {
        const place = keys.findIndex(({ joinKey }) => joinKey === name);
        return place >= 0 && isSame(parts[at] as KeyPart, key[place] as LiteralValue);
      }),
  );
  return found.map(({ atUs }) => atUs).toSorted((a, b) => (a < b ? -1 : 1))[0];
}

function isSame({ kind, value }: KeyPart, given: LiteralValue): boolean {
  switch (kind) {
    case 'integer':
      return (typeof given === 'bigint' || typeof given === 'number') && BigInt(given) === value;
    case 'bytes':
      return given instanceof Uint8Array && Buffer.compare(given, value) === 0;
    case 'stringDigest':
      return typeof given === 'string' && createHash('sha256').update(given).digest('hex') === value;
    case 'bytesDigest':
      return given instanceof Uint8Array && createHash('sha256').update(given).digest('hex') === value;
    default:
      return given === value;
  }
}

/** Whether a key of a view is, or holds, an erased entity, and whether its source has lost rows of others (rule 8.4). */
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

/** What rows a served value may have been made of that went from the archive since. */
export interface Reach {
  /** A key that holds an erased entity itself is made of no others, but for defaults that are fitted to all keys. */
  readonly isFitted: boolean;
  /** Between which event times the rows were, both included; undefined: without that end. */
  readonly fromUs: bigint | undefined;
  readonly toUs: bigint;
  /** What was erased earlier was not in it any more. */
  readonly erasedSinceUs?: bigint;
}

/** Rows in reach of a value that went from the archive of its view's source with entities that were erased; undefined where none did. */
export function findLostRows(
  erasures: readonly Erasure[],
  { source, keys }: Pick<LookupPlan, 'source' | 'keys'>,
  { isFitted, fromUs, toUs, erasedSinceUs }: Reach,
): LostRows | undefined {
  const isOfKey = ({ joinKeys }: Erasure) => joinKeys.every((name) => keys.some(({ joinKey }) => joinKey === name));
  const lost = erasures.flatMap((erasure) => {
    const { rows, timesUs } = erasure.removed[source.name] ?? { rows: 0 };
    if (rows === 0 || (!isFitted && isOfKey(erasure))) return [];
    if (erasedSinceUs !== undefined && erasure.atUs < erasedSinceUs) return [];
    if (timesUs !== undefined && (timesUs[0] > toUs || (fromUs !== undefined && timesUs[1] < fromUs))) return [];
    return [{ rows, atUs: erasure.atUs }];
  });
  if (lost.length === 0) return undefined;
  const [sinceUs] = lost.map(({ atUs }) => atUs).toSorted((a, b) => (a < b ? -1 : 1)) as [bigint];
  return { source: source.name, sinceUs, rows: lost.reduce((sum, { rows }) => sum + rows, 0) };
}

export interface LostRows {
  readonly source: string;
  readonly sinceUs: bigint;
  readonly rows: number;
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

/** Offsets as people know them: a number, or of Redis Streams the id of an entry, `ms-seq`. */
import { FeatureStoreError } from '../errors.ts';
import type { SourceDocument } from '../registry/document.ts';
import { splitEpochName } from '../stream/progress.ts';

const sequenceBits = 64n;

/** An id of Redis is the bigint `(ms << 64) | seq`. */
export function formatOffset({ stream }: Pick<SourceDocument, 'stream'>, partition: string, offset: bigint): string {
  if (stream?.kind !== 'redisStream' || !stream.keys.includes(splitEpochName(partition).partition)) return String(offset);
  return `${offset >> sequenceBits}-${BigInt.asUintN(Number(sequenceBits), offset)}`;
}

/** INVALID_ARGUMENT for text that is no offset. */
export function parseOffset(text: string): bigint {
  const [, first, sequence] = /^(\d{1,38})(?:-(\d{1,20}))?$/.exec(text) ?? [];
  if (first === undefined)
    throw new FeatureStoreError('INVALID_ARGUMENT', `"${text}" is no offset: write a whole number, or of a Redis stream ms-seq`);
  return sequence === undefined ? BigInt(first) : (BigInt(first) << sequenceBits) | BigInt(sequence);
}

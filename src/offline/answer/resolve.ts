/** Looks up one view for many rows of a frame, bucket by bucket of its projection. */
import type { Column } from '../../arrow/column.ts';
import { interleaveColumns } from '../../arrow/interleave.ts';
import { type Instants, takeInstants } from '../instants.ts';
import type { LookupPlan } from '../plan.ts';
import type { Bucket } from '../projection/bucket.ts';
import { lookUpKeys } from '../projection/key-index.ts';
import { hashKeys, type Keys, takeKeys } from '../projection/keys.ts';
import { found, lookUp, notFound } from '../projection/look-up.ts';
import { bucketOf } from '../projection/manifest.ts';
import type { Projection } from '../projection/store.ts';

export interface Resolved {
  /** `found`, `notFound` or `outsideMaxAge` by row. */
  readonly states: Uint8Array;
  /** Words of the winners' event timestamps in microseconds; only with `events`, and only where the state is not `notFound`. */
  readonly events: Int32Array | undefined;
  /** The wanted features' values, null where the state is not `found`. */
  readonly columns: readonly Column[];
  readonly ties: number;
}

export interface Wanted {
  /** Positions in the view's features. */
  readonly features: readonly number[];
  readonly events: boolean;
}

/** One answer per row, in the rows' order. */
export async function resolveLookup(
  plan: LookupPlan,
  projection: Projection,
  keys: Keys,
  times: Instants,
  wanted: Wanted,
): Promise<Resolved> {
  const hashes = hashKeys(keys);
  if (projection.buckets === 1) return resolveInBucket(plan, await projection.bucket(0), keys, hashes, times, wanted);
  const which = new Uint8Array(keys.length);
  const position = new Int32Array(keys.length);
  const rowsOf = groupByBucket(hashes, projection.buckets, which, position);
  const states = new Uint8Array(keys.length).fill(notFound);
  const events = wanted.events ? new Int32Array(2 * keys.length) : undefined;
  const parts: (readonly Column[])[] = [];
  let ties = 0;
  for (const [index, rows] of rowsOf.entries()) {
    const partHashes = Int32Array.from(rows, (row) => hashes[row] as number);
    const bucket = await projection.bucket(index);
    const part = resolveInBucket(plan, bucket, takeKeys(keys, rows), partHashes, takeInstants(times, rows), wanted);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      states[row] = part.states[at] as number;
      if (events === undefined || part.events === undefined) continue;
      events[2 * row] = part.events[2 * at] as number;
      events[2 * row + 1] = part.events[2 * at + 1] as number;
    }
    parts.push(part.columns);
    ties += part.ties;
  }
  const columns = wanted.features.map((_, at) =>
    interleaveColumns(
      parts.map((part) => part[at] as Column),
      which,
      position,
    ),
  );
  return { states, events, columns, ties };
}

function resolveInBucket(
  plan: LookupPlan,
  bucket: Bucket,
  keys: Keys,
  hashes: Int32Array,
  times: Instants,
  wanted: Wanted,
): Resolved {
  const runs = lookUpKeys(bucket.index, keys, hashes);
  const visibility = bucket.visibility(plan.delayUs, plan.asKnown);
  const { winners, states, ties } = lookUp({ ...bucket, visibility }, plan, runs, times);
  const events = wanted.events ? takeWords(bucket.event, winners) : undefined;
  for (let row = 0; row < winners.length; row++) if (states[row] !== found) winners[row] = -1;
  return {
    states,
    events,
    columns: bucket.take(wanted.features, winners),
    ties,
  };
}

/** Words of some rows' instants; of a negative row 0. */
export function takeWords(words: Int32Array, rows: Int32Array): Int32Array {
  const taken = new Int32Array(2 * rows.length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    if (row < 0) continue;
    taken[2 * at] = words[2 * row] as number;
    taken[2 * at + 1] = words[2 * row + 1] as number;
  }
  return taken;
}

/** The rows of each bucket; `which` and `position` tell where each row went. */
export function groupByBucket(hashes: Int32Array, buckets: number, which: Uint8Array, position: Int32Array): Int32Array[] {
  const counts = new Int32Array(buckets);
  for (let row = 0; row < hashes.length; row++) {
    const bucket = bucketOf(hashes[row] as number, buckets);
    which[row] = bucket;
    position[row] = counts[bucket] as number;
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  const rowsOf = Array.from(counts, (count) => new Int32Array(count));
  for (let row = 0; row < hashes.length; row++) (rowsOf[which[row] as number] as Int32Array)[position[row] as number] = row;
  return rowsOf;
}

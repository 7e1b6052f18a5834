/** What stands around T among the rows of a key in a batch view: the next row, and the nearest in either direction. */
import { readValue } from '../../../arrow/read-value.ts';
import type { PreparedPlan } from '../../../offline/answer/answer.ts';
import { type Instants, instantAt, joinWords } from '../../../offline/instants.ts';
import type { LookupPlan } from '../../../offline/plan.ts';
import type { Bucket } from '../../../offline/projection/bucket.ts';
import { lookUpKeys } from '../../../offline/projection/key-index.ts';
import { hashKeys, type Keys, takeKeys } from '../../../offline/projection/keys.ts';
import { bucketOf } from '../../../offline/projection/manifest.ts';

/** By row: values of some features, and how far after T they stand; undefined where there is no such row. */
export interface RowsOfKey {
  readonly next: readonly (FoundRow | undefined)[];
  readonly nearest: readonly (FoundRow | undefined)[];
}

export interface FoundRow {
  /** In the order of the features asked for. */
  readonly values: readonly unknown[];
  /** Event timestamp less T, in microseconds: negative for an older row. */
  readonly reachUs: bigint;
}

/** `features` are positions in the view's. */
export async function findRowsOfKey(
  prepared: PreparedPlan,
  lookup: number,
  keys: Keys,
  times: Instants,
  features: readonly number[],
): Promise<RowsOfKey> {
  const projection = prepared.projections[lookup] as PreparedPlan['projections'][number];
  const { delayUs } = prepared.plan.lookups[lookup] as LookupPlan;
  const hashes = hashKeys(keys);
  const next: (FoundRow | undefined)[] = new Array(keys.length).fill(undefined);
  const nearest: (FoundRow | undefined)[] = new Array(keys.length).fill(undefined);
  for (let index = 0; index < projection.buckets; index++) {
    const rows = Int32Array.from({ length: keys.length }, (_, row) => row).filter(
      (row) => bucketOf(hashes[row] as number, projection.buckets) === index && times.nulls?.[row] !== 1,
    );
    if (rows.length === 0) continue;
    const bucket = await projection.bucket(index);
    const runs = lookUpKeys(
      bucket.index,
      takeKeys(keys, rows),
      Int32Array.from(rows, (row) => hashes[row] as number),
    );
    for (const [at, row] of rows.entries()) {
      const run = runs[at] as number;
      if (run < 0) continue;
      const timeUs = instantAt(times, row);
      const start = bucket.index.starts[run] as number;
      const end = bucket.index.starts[run + 1] as number;
      const read = (of: number): FoundRow => ({
        values: takeValues(bucket, features, of),
        reachUs: eventUs(bucket, of) - timeUs,
      });
      const hidden = firstAfter(bucket, run, timeUs - delayUs);
      if (hidden < end) next[row] = read(hidden);
      const after = firstAfter(bucket, run, timeUs);
      const isNearer = after < end && (after === start || eventUs(bucket, after) - timeUs < timeUs - eventUs(bucket, after - 1));
      nearest[row] = read(isNearer ? after : after - 1);
    }
  }
  return { next, nearest };
}

/** The first row of a run whose event timestamp is after an instant; the run's end where there is none. */
function firstAfter(bucket: Bucket, run: number, us: bigint): number {
  let low = bucket.index.starts[run] as number;
  let high = bucket.index.starts[run + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (eventUs(bucket, middle) <= us) low = middle + 1;
    else high = middle;
  }
  return low;
}

function eventUs({ event }: Bucket, row: number): bigint {
  return joinWords(event[2 * row] as number, event[2 * row + 1] as number);
}

function takeValues(bucket: Bucket, features: readonly number[], row: number): readonly unknown[] {
  return bucket.take(features, Int32Array.of(row)).map((column) => readValue(column, 0));
}

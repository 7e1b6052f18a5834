/** Computes the aggregates of a stream view for many rows of a frame, bucket by bucket of its events. */
import type { Column } from '../../arrow/column.ts';
import { interleaveColumns } from '../../arrow/interleave.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { AggregateDocument, FeatureDocument } from '../../registry/document.ts';
import { groupByBucket, takeWords } from '../answer/resolve.ts';
import { type Instants, takeInstants } from '../instants.ts';
import { literalColumn } from '../literal-column.ts';
import type { LookupPlan } from '../plan.ts';
import type { Bucket } from '../projection/bucket.ts';
import { lookUpKeys } from '../projection/key-index.ts';
import { hashKeys, type Keys, takeKeys } from '../projection/keys.ts';
import { found, notFound } from '../projection/look-up.ts';
import type { Projection } from '../projection/store.ts';
import { eventsOf } from './bucket-events.ts';
import { evaluateAggregate } from './evaluate.ts';
import { type AggregateInputs, eventViewOf } from './event-view.ts';
import { openWindows } from './window-bounds.ts';

export interface ResolvedAggregate {
  /** null where the state is not `found`, and where the aggregate has no value. */
  readonly column: Column;
  /** Words of the newest event that passes `where`, and where there is none. */
  readonly events: Int32Array;
  readonly eventNulls: Uint8Array;
}

export interface ResolvedWindows {
  /** `notFound` where a key or T is null, else `found`, whether there are events or not (rule 6.3). */
  readonly states: Uint8Array;
  /** In the order wanted. */
  readonly features: readonly ResolvedAggregate[];
}

export async function resolveWindows(
  plan: LookupPlan,
  projection: Projection,
  keys: Keys,
  times: Instants,
  wanted: readonly FeatureDocument[],
): Promise<ResolvedWindows> {
  const hashes = hashKeys(keys);
  const states = new Uint8Array(keys.length);
  for (let row = 0; row < states.length; row++) {
    if (keys.nulls?.[row] === 1 || times.nulls?.[row] === 1) states[row] = notFound;
    else states[row] = found;
  }
  if (projection.buckets === 1) {
    const features = resolveInBucket(plan, await projection.bucket(0), keys, hashes, times, states, wanted);
    return { states, features };
  }
  const which = new Uint8Array(keys.length);
  const position = new Int32Array(keys.length);
  const parts: (readonly ResolvedAggregate[])[] = [];
  for (const [index, rows] of groupByBucket(hashes, projection.buckets, which, position).entries()) {
    const partHashes = Int32Array.from(rows, (row) => hashes[row] as number);
    const partStates = Uint8Array.from(rows, (row) => states[row] as number);
    const bucket = await projection.bucket(index);
    parts.push(resolveInBucket(plan, bucket, takeKeys(keys, rows), partHashes, takeInstants(times, rows), partStates, wanted));
  }
  const features = wanted.map((_, at) =>
    gather(
      parts.map((part) => part[at] as ResolvedAggregate),
      which,
      position,
    ),
  );
  return { states, features };
}

function gather(parts: readonly ResolvedAggregate[], which: Uint8Array, position: Int32Array): ResolvedAggregate {
  const events = new Int32Array(2 * which.length);
  const eventNulls = new Uint8Array(which.length);
  for (let row = 0; row < which.length; row++) {
    const part = parts[which[row] as number] as ResolvedAggregate;
    const at = position[row] as number;
    events[2 * row] = part.events[2 * at] as number;
    events[2 * row + 1] = part.events[2 * at + 1] as number;
    eventNulls[row] = part.eventNulls[at] as number;
  }
  const column = interleaveColumns(
    parts.map((part) => part.column),
    which,
    position,
  );
  return { column, events, eventNulls };
}

function resolveInBucket(
  plan: LookupPlan,
  bucket: Bucket,
  keys: Keys,
  hashes: Int32Array,
  times: Instants,
  states: Uint8Array,
  wanted: readonly FeatureDocument[],
): ResolvedAggregate[] {
  const eventView = eventViewOf(plan.view);
  const events = eventsOf(bucket, eventView);
  const runs = lookUpKeys(bucket.index, keys, hashes);
  for (let row = 0; row < runs.length; row++) if (states[row] !== found) runs[row] = -1;
  const windowOf = openWindows({ ...plan, starts: bucket.index.starts }, events, { runs, words: times.words });
  return wanted.map((feature) => {
    const bounds = windowOf(feature.aggregate as AggregateDocument);
    const { values, newest } = evaluateAggregate(feature, eventView.inputs.get(feature) as AggregateInputs, events, bounds);
    for (let row = 0; row < states.length; row++) if (states[row] !== found) values[row] = null;
    return {
      column: literalColumn(feature.name, parseValueType(feature.type), values),
      events: takeWords(bucket.event, newest),
      eventNulls: Uint8Array.from(newest, (row) => (row < 0 ? 1 : 0)),
    };
  });
}

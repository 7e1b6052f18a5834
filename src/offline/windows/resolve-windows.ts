/** Computes the aggregates of a stream view for many rows of a frame, bucket by bucket of its events. */
import type { Column } from '../../arrow/column.ts';
import type { AggregateDocument, FeatureDocument } from '../../registry/document.ts';
import { type AggregateInputs, eventViewOf } from '../../registry/event-view.ts';
import { groupByBucket } from '../answer/resolve.ts';
import { type Instants, takeInstants } from '../instants.ts';
import { createPace } from '../pace.ts';
import type { LookupPlan } from '../plan.ts';
import type { Bucket } from '../projection/bucket.ts';
import { lookUpKeys } from '../projection/key-index.ts';
import { hashKeys, type Keys, takeKeys } from '../projection/keys.ts';
import { found, notFound } from '../projection/look-up.ts';
import type { Projection } from '../projection/store.ts';
import { type AnswerColumn, openAnswer } from './answer-column.ts';
import { eventsOf } from './bucket-events.ts';
import { evaluateAggregate, findNewest } from './evaluate.ts';
import { openWindows } from './window-bounds.ts';

export interface ResolvedAggregate {
  /** null where the state is not `found`, and where the aggregate has no value. */
  readonly column: Column;
  /** Words of the newest event that passes `where`, and 1 where there is none; where they are wanted. */
  readonly events: Int32Array | undefined;
  readonly eventNulls?: Uint8Array;
  /** Rows whose value is null for being outside its type (rule 6.10). */
  readonly outOfRange: number;
}

export interface ResolvedWindows {
  /** `notFound` where a key or T is null, else `found`, whether there are events or not (rule 6.3). */
  readonly states: Uint8Array;
  /** In the order wanted. */
  readonly features: readonly ResolvedAggregate[];
}

export interface WantedAggregates {
  readonly features: readonly FeatureDocument[];
  /** Whether the events' timestamps are wanted too. */
  readonly events: boolean;
  readonly signal?: AbortSignal;
}

export async function resolveWindows(
  plan: LookupPlan,
  projection: Projection,
  keys: Keys,
  times: Instants,
  wanted: WantedAggregates,
): Promise<ResolvedWindows> {
  const hashes = hashKeys(keys);
  const states = new Uint8Array(keys.length);
  const absent = new Uint8Array(keys.length);
  for (let row = 0; row < states.length; row++) {
    absent[row] = keys.nulls?.[row] === 1 || times.nulls?.[row] === 1 ? 1 : 0;
    states[row] = absent[row] === 1 ? notFound : found;
  }
  const which = new Uint8Array(keys.length);
  const places = new Int32Array(keys.length);
  const answers = wanted.features.map((feature) => ({
    feature,
    values: openAnswer(feature, { which, places, absent }),
    newest: wanted.events ? openNewest(absent) : undefined,
    outOfRange: 0,
  }));
  const rowsOf = projection.buckets === 1 ? [undefined] : groupByBucket(hashes, projection.buckets, which, places);
  let part = 0;
  for (const [index, rows] of rowsOf.entries()) {
    if ((rows ?? states).length === 0) continue;
    const bucket = await projection.bucket(index);
    const frame = { keys, hashes, times, absent };
    const some = rows === undefined ? frame : takeRows(frame, rows);
    const windows = await resolveInBucket(plan, bucket, some, rows, answers, wanted.signal);
    for (let place = 0; place < windows.length; place++) {
      const row = windows[place] as number;
      which[row] = part;
      places[row] = place;
    }
    part += 1;
  }
  const features = answers.map(({ values, newest, outOfRange }) => ({
    column: values.finish(),
    events: undefined,
    ...newest?.finish(),
    outOfRange,
  }));
  return { states, features };
}

interface Rows {
  readonly keys: Keys;
  readonly hashes: Int32Array;
  readonly times: Instants;
  readonly absent: Uint8Array;
}

interface Answer {
  readonly feature: FeatureDocument;
  readonly values: AnswerColumn;
  readonly newest: NewestEvents | undefined;
  outOfRange: number;
}

function takeRows({ keys, hashes, times, absent }: Rows, rows: Int32Array): Rows {
  const partHashes = new Int32Array(rows.length);
  const partAbsent = new Uint8Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    partHashes[at] = hashes[rows[at] as number] as number;
    partAbsent[at] = absent[rows[at] as number] as number;
  }
  return { keys: takeKeys(keys, rows), hashes: partHashes, times: takeInstants(times, rows), absent: partAbsent };
}

/** Puts a bucket's part of every answer, and gives the row of the whole frame at each place. */
async function resolveInBucket(
  plan: LookupPlan,
  bucket: Bucket,
  { keys, hashes, times, absent }: Rows,
  rows: Int32Array | undefined,
  answers: readonly Answer[],
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const pace = createPace(signal);
  const eventView = eventViewOf(plan.view);
  const events = eventsOf(bucket, eventView);
  const runs = lookUpKeys(bucket.index, keys, hashes);
  for (let row = 0; row < runs.length; row++) if (absent[row] === 1) runs[row] = -1;
  const windowOf = openWindows({ ...plan, starts: bucket.index.starts }, events, { runs, words: times.words });
  let order: Int32Array | undefined;
  for (const answer of answers) {
    const { feature, values, newest } = answer;
    await pace();
    const aggregate = feature.aggregate as AggregateDocument;
    const inputs = eventView.inputs.get(feature) as AggregateInputs;
    const bounds = windowOf(aggregate);
    order ??= rows === undefined ? bounds.order : pick(rows, bounds.order);
    const column = inputs.value === undefined ? undefined : events.column(inputs.value);
    const evaluated = evaluateAggregate(aggregate, inputs, events, bounds);
    values.put(evaluated, order, column);
    answer.outOfRange += evaluated.outOfRange ?? 0;
    newest?.put(findNewest(inputs, events, bounds), order, bucket.event);
  }
  return order as Int32Array;
}

function pick(rows: Int32Array, order: Int32Array): Int32Array {
  const picked = new Int32Array(order.length);
  for (let place = 0; place < order.length; place++) picked[place] = rows[order[place] as number] as number;
  return picked;
}

/** The instants of the newest events by row of the frame. */
interface NewestEvents {
  put(newest: Int32Array, order: Int32Array, words: Int32Array): void;
  finish(): Pick<ResolvedAggregate, 'events' | 'eventNulls'>;
}

function openNewest(absent: Uint8Array): NewestEvents {
  const events = new Int32Array(2 * absent.length);
  const eventNulls = new Uint8Array(absent.length).fill(1);
  return {
    put(newest, order, words) {
      for (let place = 0; place < order.length; place++) {
        const row = order[place] as number;
        const from = newest[place] as number;
        if (from < 0 || absent[row] === 1) continue;
        eventNulls[row] = 0;
        events[2 * row] = words[2 * from] as number;
        events[2 * row + 1] = words[2 * from + 1] as number;
      }
    },
    finish: () => ({ events, eventNulls }),
  };
}

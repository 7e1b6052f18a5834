/** Fitted defaults of aggregates (rule 5.4): over the keys' own values at the midnights that a frame asks for, each computed once. */
import { compileAggregate } from '../../aggregate/compile-aggregate.ts';
import type { FittedKind } from '../../definitions/fitted.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { AggregateDocument, FeatureDocument } from '../../registry/document.ts';
import { type AggregateInputs, eventViewOf } from '../../registry/event-view.ts';
import type { FittedSteps } from '../answer/fitted.ts';
import { splitUs } from '../instants.ts';
import { literalColumn, literalReader } from '../literal-column.ts';
import { createPace } from '../pace.ts';
import type { LookupPlan } from '../plan.ts';
import type { Projection } from '../projection/store.ts';
import { openAnswer } from './answer-column.ts';
import { eventsOf } from './bucket-events.ts';
import { evaluateAggregate, findNewest } from './evaluate.ts';
import { openWindows } from './window-bounds.ts';

/** The number of each day (since 1970, UTC) that was asked for; undefined where no key had a value. */
export type DayValues = Map<number, LiteralValue | undefined>;

/** Rows that are computed at once: days times keys. */
const rowsAtOnce = 1_048_576;
const dayUs = 86_400_000_000n;

/** Adds what is missing of the days to what is known, and gives the steps of all of them. */
export async function fitWindows(
  projection: Projection,
  plan: Pick<LookupPlan, 'view' | 'delayUs'>,
  feature: FeatureDocument,
  days: readonly number[],
  known: DayValues,
  signal: AbortSignal,
): Promise<FittedSteps> {
  const type = parseValueType(feature.type);
  const { fitted } = feature.default as { readonly fitted: FittedKind };
  const missing = days.filter((day) => !known.has(day));
  const fits = missing.map(() => createFit(fitted, type));
  const pace = createPace(signal);
  for (let index = 0; index < projection.buckets && missing.length > 0; index++) {
    const bucket = await projection.bucket(index);
    const eventView = eventViewOf(plan.view);
    const events = eventsOf(bucket, eventView);
    const keys = bucket.index.starts.length - 1;
    const daysAtOnce = Math.max(1, Math.floor(rowsAtOnce / Math.max(1, keys)));
    for (let from = 0; from < missing.length && keys > 0; from += daysAtOnce) {
      await pace();
      const some = missing.slice(from, from + daysAtOnce);
      const windowOf = openWindows({ ...plan, starts: bucket.index.starts }, events, midnights(some, keys));
      const bounds = windowOf(feature.aggregate as AggregateDocument);
      const inputs = eventView.inputs.get(feature) as AggregateInputs;
      const nobody = new Uint8Array(bounds.order.length);
      const answer = openAnswer(feature, { which: nobody, places: placesOf(bounds.order), absent: nobody });
      const column = inputs.value === undefined ? undefined : events.column(inputs.value);
      answer.put(evaluateAggregate(feature.aggregate as AggregateDocument, inputs, events, bounds), bounds.order, column);
      const read = literalReader(answer.finish(), type);
      const newest = findNewest(inputs, events, bounds);
      for (const [place, row] of bounds.order.entries()) {
        const value = (newest[place] as number) < 0 ? null : read(row);
        if (value !== null) fits[from + Math.floor(row / keys)]?.add(value);
      }
    }
  }
  for (const [at, day] of missing.entries()) known.set(day, fits[at]?.finish());
  const sorted = [...days].sort((a, b) => a - b);
  return {
    // A step holds from the day after its own on.
    days: Int32Array.from(sorted, (day) => day - 1),
    values: literalColumn(
      feature.name,
      type,
      sorted.map((day) => known.get(day) ?? null),
    ),
  };
}

/** Where each row went. */
function placesOf(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length);
  for (let place = 0; place < order.length; place++) places[order[place] as number] = place;
  return places;
}

/** Every key at every midnight. */
function midnights(days: readonly number[], keys: number): { readonly runs: Int32Array; readonly words: Int32Array } {
  const runs = new Int32Array(days.length * keys);
  const words = new Int32Array(2 * runs.length);
  for (const [at, day] of days.entries()) {
    const { low, high } = splitUs(BigInt(day) * dayUs);
    for (let run = 0; run < keys; run++) {
      const row = at * keys + run;
      runs[row] = run;
      words[2 * row] = low | 0;
      words[2 * row + 1] = high;
    }
  }
  return { runs, words };
}

interface Fit {
  add(value: NonNullable<LiteralValue>): void;
  finish(): LiteralValue | undefined;
}

function createFit(kind: FittedKind, type: ValueType): Fit {
  if (kind === 'median') return fitMedian(type);
  const aggregate = compileAggregate(kind === 'mean' ? 'mean' : 'top_k', type, 1);
  const state = aggregate.init();
  return {
    add: (value) => aggregate.update(state, 0n, value),
    finish: () => {
      const value = aggregate.finalize(state);
      if (value === null) return undefined;
      return kind === 'mean' ? rounded(value as number, type) : (value as readonly LiteralValue[])[0];
    },
  };
}

/** The middle value, of an even count the mean of the two middle ones; NaN stands above every number. */
function fitMedian(type: ValueType): Fit {
  const values: number[] = [];
  return {
    add: (value) => values.push(value as number),
    finish: () => {
      if (values.length === 0) return undefined;
      const sorted = Float64Array.from(values).sort();
      const middle = sorted.length >> 1;
      const upper = sorted[middle] as number;
      return rounded(sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2, type);
    },
  };
}

function rounded(value: number, { kind }: ValueType): number {
  return (kind === 'float32' ? Math.fround(value) : value) + 0;
}

/** Carries out a plan: frame batches in, the same batches with their features out, in the same order. */
import { getBit } from '../../arrow/bitmap.ts';
import { columnFromValues } from '../../arrow/build.ts';
import type { Column } from '../../arrow/column.ts';
import type { RecordBatch } from '../../arrow/record-batch.ts';
import type { Field, Schema } from '../../arrow/schema.ts';
import { sliceColumn } from '../../arrow/slice.ts';
import { decodeLiteral, type LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { ComputedFeatureDocument, FeatureDocument } from '../../registry/document.ts';
import type { ResolvedFeature, ResolvedOutput, ResolvedTransform } from '../../registry/resolve.ts';
import type { Transform } from '../../transform/open-transform.ts';
import { featureField } from '../feature-field.ts';
import { readKeys } from '../frame/read-keys.ts';
import { readRequest } from '../frame/read-request.ts';
import { readTimes } from '../frame/read-times.ts';
import { concatInstants, daysOf, type Instants, repeatInstant } from '../instants.ts';
import { toColumnValue } from '../literal-column.ts';
import type { LookupPlan, RetrievalPlan } from '../plan.ts';
import { concatKeys, type Keys } from '../projection/keys.ts';
import { found } from '../projection/look-up.ts';
import type { Projection } from '../projection/store.ts';
import { resolveWindows } from '../windows/resolve-windows.ts';
import { completeFeature, type FeatureCounts, type FeatureDefault, statusColumns, statusFields } from './complete.ts';
import { completeComputed, runTransforms } from './compute.ts';
import type { FittedSteps } from './fitted.ts';
import { resolveLookup } from './resolve.ts';

/** Some rows of a frame. `plain` gives a column with its dictionary resolved. */
export interface FrameBatch {
  readonly columns: readonly Column[];
  readonly length: number;
  /** No more of the frame is at hand: whoever sends it may be waiting for this batch's answer. */
  readonly isLastSent?: boolean;
  plain(index: number): Column;
}

/** A batch of the frame and the batch that answers it. */
export interface AnsweredBatch<B extends FrameBatch> {
  readonly frame: B;
  readonly answer: RecordBatch;
}

export interface FeatureReport extends FeatureCounts {
  readonly name: string;
  readonly view: string;
  /** Rows whose value is null for being outside its type (rule 6.10); they are among `null_value`. */
  out_of_range: number;
  /** Rows whose value was chosen by value alone among rows of equal event and created timestamps (section 3). */
  ties: number;
}

/** A default, or what computes it for the days that turn out to be needed (rule 5.4). */
export type PreparedDefault = FeatureDefault | { readonly fitDays: (days: readonly number[]) => Promise<FittedSteps> };

/** A plan with everything that it reads: the projections in the order of its look-ups, and the defaults of its features. */
export interface PreparedPlan {
  readonly plan: RetrievalPlan;
  readonly projections: readonly Projection[];
  readonly defaults: readonly (PreparedDefault | undefined)[];
  /** In the order of the plan's. */
  readonly transforms: readonly Transform[];
  /** Ends the work between two slices of it. */
  readonly signal: AbortSignal;
}

/** Rows that are looked up together when a projection's buckets do not all fit into memory, or windows are computed. */
const spanRows = 1_048_576;

/** A literal default as `decodeLiteral` reads it, in a column of one row. */
export function literalDefault(feature: FeatureDocument, literal: unknown): FeatureDefault {
  const type = parseValueType(feature.type);
  return { literal: columnFromValues(featureField(feature.name, type), [toColumnValue(type, decodeLiteral(type, literal))]) };
}

/** The fields that follow the frame's own. */
export function answerFields(plan: RetrievalPlan): readonly Field[] {
  return plan.outputs.flatMap((output) => {
    const value = featureField(output.name, parseValueType(describeOutput(plan, output).type));
    return plan.statuses ? [value, ...statusFields(output.name)] : [value];
  });
}

/** An empty report for a plan, which `answerFrame` fills. */
export function createReport(plan: RetrievalPlan): FeatureReport[] {
  return plan.outputs.map((output) => emptyReport(output.name, describeOutput(plan, output).view));
}

function emptyReport(name: string, view: string): FeatureReport {
  return { name, view, present: 0, null_value: 0, not_found: 0, outside_max_age: 0, out_of_range: 0, defaults: 0, ties: 0 };
}

function describeOutput(plan: RetrievalPlan, output: ResolvedOutput): { view: string; type: string } {
  if (output.kind === 'computed') {
    const { view } = plan.transforms[output.transform] as ResolvedTransform;
    return { view: view.name, type: (view.features[output.output] as ComputedFeatureDocument).type };
  }
  const { lookup, feature } = plan.features[output.feature] as ResolvedFeature;
  return { view: (plan.lookups[lookup] as LookupPlan).view.name, type: feature.type };
}

/** Answers every batch of a frame; each answer has its batch's rows, its columns as they came, and the features' columns. */
export async function* answerFrame<B extends FrameBatch>(
  prepared: PreparedPlan,
  schema: Schema,
  frame: AsyncIterable<B>,
  report: readonly FeatureReport[],
): AsyncGenerator<AnsweredBatch<B>, void> {
  // Windows of many rows are computed in one go over the events.
  const wide = exceedsMemory(prepared.projections) || prepared.plan.lookups.some(({ view }) => view.kind === 'stream');
  let firstRow = 0;
  for await (const span of groupBatches(frame, wide ? spanRows : 1)) {
    const features = await answerSpan(prepared, span, firstRow, report);
    let start = 0;
    for (const batch of span) {
      const end = start + batch.length;
      const added = span.length === 1 ? features : features.map((column) => sliceColumn(column, start, end));
      yield { frame: batch, answer: { schema, length: batch.length, columns: [...batch.columns, ...added] } };
      start = end;
    }
    firstRow += start;
  }
}

/** Whether the buckets of all projections cannot stay in memory from batch to batch; a little room is left for what changes. */
function exceedsMemory(projections: readonly Projection[]): boolean {
  const distinct = new Map(projections.map((projection) => [projection.id, projection]));
  const share = [...distinct.values()].reduce((sum, projection) => sum + projection.share, 0);
  return share > 0.8 && projections.some((projection) => projection.buckets > 1);
}

/** What a plan reads of a batch. */
export interface FrameValues {
  readonly times: Instants;
  /** By look-up. */
  readonly keys: readonly Keys[];
  /** By request value, by row. */
  readonly request: readonly (readonly LiteralValue[])[];
}

/** The values that a plan reads from a batch; refuses those that are no instants, no keys or of no type that a transform reads. */
export function readFrame(plan: RetrievalPlan, batch: FrameBatch, firstRow: number): FrameValues {
  const { time } = plan;
  const times =
    time.kind === 'at'
      ? repeatInstant(time.us, batch.length)
      : readTimes(batch.plain(time.index), time.name, plan.timezone, firstRow);
  const keys = plan.lookups.map((lookup) =>
    readKeys(
      lookup.keys.map((key) => batch.plain(key.index)),
      lookup.keys.map((key) => key.type),
      lookup.keys.map((key) => ({ joinKey: key.joinKey, column: key.column, firstRow })),
      batch.length,
    ),
  );
  const request = plan.request.map((value) => readRequest(value, batch.plain(value.index), firstRow));
  return { times, keys, request };
}

async function answerSpan(
  prepared: PreparedPlan,
  span: readonly FrameBatch[],
  firstRow: number,
  report: readonly FeatureReport[],
): Promise<Column[]> {
  const { plan } = prepared;
  const read: FrameValues[] = [];
  let row = firstRow;
  for (const batch of span) {
    read.push(readFrame(plan, batch, row));
    row += batch.length;
  }
  const times = concatInstants(read.map((part) => part.times));
  const looked: (Column[] | undefined)[] = plan.features.map(() => undefined);
  for (const [index, lookup] of plan.lookups.entries()) {
    const wanted = [...plan.features.entries()].filter(([, { lookup: of }]) => of === index);
    const keys = concatKeys(read.map((part) => part.keys[index] as Keys));
    const features = wanted.map(([, { feature }]) => feature);
    const resolved = await lookUpFeatures(prepared, index, keys, times, features);
    for (const [at, [position, { feature }]] of wanted.entries()) {
      const output = plan.outputs.findIndex((candidate) => candidate.kind === 'feature' && candidate.feature === position);
      const name = plan.outputs[output]?.name ?? feature.name;
      // What only transforms read is counted by nobody.
      const counts = report[output] ?? emptyReport(name, lookup.view.name);
      const { column, states, ties, outOfRange = 0, events, eventNulls } = resolved[at] as LookedUp;
      const values = { ...column, field: featureField(name, parseValueType(feature.type)) };
      const fallback = await defaultFor(prepared.defaults[position], values, states, times);
      const completed = completeFeature(values, states, times, fallback, counts);
      counts.ties += ties;
      counts.out_of_range += outOfRange;
      looked[position] = [completed.value];
      if (plan.statuses) looked[position]?.push(...statusColumns(name, completed, events, eventNulls));
    }
  }
  const input = {
    features: looked.map((columns) => columns?.[0] as Column),
    times,
    request: plan.request.map((_, at) => read.flatMap((part) => part.request[at] as readonly LiteralValue[])),
    firstRow,
  };
  const computed = await runTransforms(plan, prepared.transforms, input, prepared.signal);
  return plan.outputs.flatMap((output, at) => {
    if (output.kind === 'feature') return looked[output.feature] as Column[];
    const values = computed[output.transform]?.[output.output] as readonly LiteralValue[];
    const { type } = describeOutput(plan, output);
    const completed = completeComputed(output.name, type, values, times, report[at] as FeatureReport);
    return plan.statuses ? [completed.value, ...statusColumns(output.name, completed, undefined)] : [completed.value];
  });
}

/** What was found of one feature. */
interface LookedUp {
  readonly column: Column;
  readonly states: Uint8Array;
  readonly ties: number;
  readonly outOfRange?: number;
  readonly events: Int32Array | undefined;
  readonly eventNulls?: Uint8Array;
}

/** Features of one look-up: of a batch view the rows that win, of a stream view what comes of its events. */
async function lookUpFeatures(
  { plan, projections, signal }: PreparedPlan,
  index: number,
  keys: Keys,
  times: Instants,
  features: readonly FeatureDocument[],
): Promise<readonly LookedUp[]> {
  const lookup = plan.lookups[index] as LookupPlan;
  const projection = projections[index] as Projection;
  if (lookup.view.kind === 'stream') {
    const resolved = await resolveWindows(lookup, projection, keys, times, { features, events: plan.statuses, signal });
    return resolved.features.map((feature) => ({ ...feature, states: resolved.states, ties: 0 }));
  }
  const { columns, ...shared } = await resolveLookup(lookup, projection, keys, times, {
    features: features.map((feature) => lookup.view.features.indexOf(feature)),
    events: plan.statuses,
  });
  return columns.map((column) => ({ column, ...shared }));
}

/** A default as it is needed: of aggregates, those of the days on which a value is missing. */
async function defaultFor(
  prepared: PreparedDefault | undefined,
  values: Column,
  states: Uint8Array,
  times: Instants,
): Promise<FeatureDefault | undefined> {
  if (prepared === undefined || !('fitDays' in prepared)) return prepared;
  const { validity } = values;
  const days = daysOf(times.words);
  const wanted = new Set<number>();
  for (let row = 0; row < states.length; row++) {
    if (times.nulls?.[row] === 1 || (states[row] === found && (validity === undefined || getBit(validity, row)))) continue;
    wanted.add(days[row] as number);
  }
  return { fitted: await prepared.fitDays([...wanted]) };
}

async function* groupBatches<B extends FrameBatch>(frame: AsyncIterable<B>, rows: number): AsyncGenerator<B[], void> {
  let group: B[] = [];
  let length = 0;
  for await (const batch of frame) {
    group.push(batch);
    length += batch.length;
    if (length < rows && batch.isLastSent !== true) continue;
    yield group;
    group = [];
    length = 0;
  }
  if (group.length > 0) yield group;
}

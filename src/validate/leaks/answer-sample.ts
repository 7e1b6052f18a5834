/** What features are of a sample's rows, at their own times or at others. */
import type { Column } from '../../arrow/column.ts';
import { readValues } from '../../arrow/read-value.ts';
import type { Schema } from '../../arrow/schema.ts';
import { answerFields, answerFrame, createReport, type FrameBatch, type PreparedPlan } from '../../offline/answer/answer.ts';
import type { Instants } from '../../offline/instants.ts';
import { planRetrieval, type RetrievalPlan } from '../../offline/plan.ts';
import type { HistoricalRequest } from '../../offline/request.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { type Sample, timeColumn } from './sample.ts';

/** Opens what a plan reads, from all that there is or from what was there at an instant. */
export interface PreparePlan {
  prepare(plan: RetrievalPlan, signal: AbortSignal): Promise<PreparedPlan & { release(): void }>;
}

export interface Ask {
  readonly history: PreparePlan;
  readonly registry: RegistryDocument;
  /** References, in the order of the answer. */
  readonly features: readonly string[];
  readonly keys: HistoricalRequest['keys'];
  readonly asKnown: boolean | null;
  readonly signal: AbortSignal;
}

/** A feature of every row. */
export interface SampleAnswer {
  readonly values: readonly unknown[];
  readonly isDefault: readonly boolean[];
}

/** A name that no column of a table has, and no feature: the times that are asked about. */
const timeName = '~ time ~';

/** One answer a feature, in the order of `features`. `times` stand for the rows' own. */
export async function answerSample(ask: Ask, sample: Sample, times: Instants): Promise<readonly SampleAnswer[]> {
  const { schema, columns, plan } = planSample(ask, sample, times);
  // Whoever listens to it lets go of it with this answer: an audit asks dozens of times.
  const signal = AbortSignal.any([ask.signal]);
  const prepared = await ask.history.prepare(plan, signal);
  try {
    const answered: Schema = { fields: [...schema.fields, ...answerFields(plan)], metadata: new Map() };
    const batch: FrameBatch = { columns, length: sample.length, isLastSent: true, plain: (index) => columns[index] as Column };
    for await (const { answer } of answerFrame(prepared, answered, once(batch), createReport(plan))) {
      const added = answer.columns.slice(columns.length);
      return ask.features.map((_, at) => ({
        values: readValues(added[4 * at] as Column),
        isDefault: readValues(added[4 * at + 3] as Column) as boolean[],
      }));
    }
    throw new Error('a batch has no answer');
  } finally {
    prepared.release();
  }
}

/** The plan alone: what is read of which view. */
export function planSample(ask: Omit<Ask, 'history' | 'signal'>, sample: Sample, times: Instants = sample.times) {
  const time = timeColumn(timeName, times);
  const columns = [...sample.columns, time];
  const schema: Schema = { fields: columns.map((column) => column.field), metadata: new Map() };
  const request: HistoricalRequest = {
    type: 'get_historical_features',
    features: [...ask.features],
    service: null,
    full_feature_names: true,
    statuses: true,
    as_known: ask.asKnown,
    timestamp: timeName,
    timezone: null,
    at: null,
    keys: ask.keys,
  };
  return { schema, columns, plan: planRetrieval(ask.registry, request, schema, 0n) };
}

async function* once<T>(item: T): AsyncGenerator<T, void> {
  yield item;
}

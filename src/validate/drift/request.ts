/** What is asked of a check of drift, as it stands on the wire. */
import { z } from 'zod';
import { FeatureStoreError } from '../../errors.ts';

const reference = z.string().min(3).max(200);
const instant = z.string().min(1).max(100);
const name = z.string().min(1).max(1000);
const distance = z.number().min(0);
const saved = z.strictObject({
  dataset: name.describe('`NAME@VERSION`, or NAME for the newest version.'),
  split: name.nullish().describe('Only its rows; absent: those of all splits.'),
});

export const thresholdsSchema = z.strictObject({
  psi: distance.optional().describe('Population stability index; default 0.2.'),
  js: distance.optional().describe('Jensen-Shannon divergence in bits; default 0.1.'),
  ks: distance.optional().describe('Kolmogorov-Smirnov distance; default 0.2.'),
  mean: distance.optional().describe('How far the mean may move, in standard deviations of the reference; default 0.5.'),
  null_rate: distance.optional().describe('How far the share of nulls may move; default 0.1.'),
  default_rate: distance.optional().describe('How far the share of defaults may move; default 0.1.'),
});

export const driftRequestSchema = z
  .strictObject({
    from: instant.nullish().describe('Answers from this instant on are compared; absent: 24 hours before `to`.'),
    to: instant.nullish().describe('Only answers before this instant; absent: now.'),
    reference_from: instant.nullish().describe('Where the period begins that they are compared with; absent: as long before.'),
    reference_to: instant.nullish().describe('Where it ends; absent: at `from`.'),
    reference: saved.nullish().describe('Compare with a saved dataset, instead of a period.'),
    current: saved.nullish().describe('A saved dataset that is compared, instead of what was served.'),
    upload: name.nullish().describe('Compare with a training set, by the id of its upload, instead of a period.'),
    path: name.nullish().describe('Compare with a training set in a file that the server may read.'),
    columns: z
      .record(name, name)
      .default({})
      .describe('Of a training set: column -> `view:feature`, where its name does not say it.'),
    timestamp: name.nullish().describe('Of a training set: the column of T, by which ages of timestamps are told.'),
    timezone: name.nullish().describe('Of a training set: the zone of T where the column has none.'),
    features: z.array(reference).min(1).max(10_000).nullish().describe('Only these, `view:feature`; absent: all.'),
    service: z.string().min(1).max(100).nullish().describe('Only the features of a service, instead of `features`.'),
    thresholds: z.record(reference, thresholdsSchema).nullish().describe('By `view:feature`, what is too far.'),
    min_keys: z
      .int()
      .min(2)
      .max(1_000_000)
      .nullish()
      .describe('Keys that a feature has on both sides at least, for anything to be said of it; default 50.'),
    sample: z
      .int()
      .min(1)
      .max(10_000_000)
      .nullish()
      .describe('Rows of each shape of the log, and of a dataset, at most; default 100,000.'),
  })
  .meta({ id: 'validate_drift' });

export type SavedReference = z.output<typeof saved>;
export type DriftRequest = z.output<typeof driftRequestSchema>;

/** INVALID_ARGUMENT says what is wrong, and what excludes what. */
export function parseDriftRequest(value: unknown): DriftRequest {
  const parsed = driftRequestSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
    throw refused(problems.join('; '), { problems });
  }
  const request = parsed.data;
  if (request.features != null && request.service != null) throw refused('name either `features` or a `service`');
  if (request.upload != null && request.path != null)
    throw refused('name the training set by `upload` or by `path`, one of them');
  const isFrame = request.upload != null || request.path != null;
  if (isFrame && request.reference != null)
    throw refused('name one reference: a dataset by `reference`, or a training set by `upload` or `path`');
  if (isFrame && (request.reference_from != null || request.reference_to != null)) {
    throw refused('a training set is the reference: leave out `reference_from` and `reference_to`');
  }
  if (!isFrame && (request.timestamp != null || request.timezone != null || Object.keys(request.columns).length > 0)) {
    throw refused('`columns`, `timestamp` and `timezone` are of a training set: name one by `upload` or by `path`');
  }
  if (request.reference != null && (request.reference_from != null || request.reference_to != null))
    throw refused('a dataset is the reference: leave out `reference_from` and `reference_to`');
  if (request.current != null && (request.from != null || request.to != null))
    throw refused('a dataset is what is compared: leave out `from` and `to`');
  return request;
}

export function refused(why: string, details: Readonly<Record<string, unknown>> = {}): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `validate drift: ${why}`, { details });
}

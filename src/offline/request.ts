/** What a client asks of history, as it stands on the wire. */
import { z } from 'zod';
import { FeatureStoreError } from '../errors.ts';

const name = z.string().min(1).max(1000);

export const historicalRequestSchema = z
  .strictObject({
    type: z.literal('get_historical_features'),
    features: z
      .array(name)
      .min(1)
      .max(10_000)
      .nullish()
      .describe('References `view:feature` or `view@prefix:feature`, in the order wanted.'),
    service: name.nullish().describe('A feature service, instead of `features`.'),
    full_feature_names: z.boolean().default(false).describe('Name columns `view__feature`.'),
    statuses: z.boolean().default(false).describe('Add `<name>__status`, `<name>__event_timestamp` and `<name>__is_default`.'),
    as_known: z.boolean().nullish().describe('As-known-at for every view; null: as each view says.'),
    timestamp: name.default('event_timestamp').describe('The column of the frame that holds T.'),
    timezone: name.nullish().describe('The IANA zone of a zone-less timestamp column.'),
    at: name.nullish().describe('One T for all rows: `now` or an ISO 8601 instant; the timestamp column is then not read.'),
    keys: z
      .record(name, z.record(name, name))
      .default({})
      .describe('By view or prefix: join key -> column of the frame, where they differ.'),
    upload: name.nullish().describe('The id of an upload (DoPut).'),
    path: name.nullish().describe('A file that the server may read, instead of an upload.'),
    batch_rows: z.int().min(1).max(1_048_576).nullish().describe('Most rows in one batch of the answer.'),
    compression: z.enum(['lz4', 'zstd']).nullish().describe('Compress the bodies of the answer.'),
  })
  .meta({ id: 'get_historical_features' });

export type HistoricalRequest = z.output<typeof historicalRequestSchema>;

/** Validates a request; says which member is wrong. */
export function parseHistoricalRequest(value: unknown): HistoricalRequest {
  const parsed = historicalRequestSchema.safeParse(value);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
    throw new FeatureStoreError('INVALID_ARGUMENT', `get_historical_features: ${issues.join('; ')}`, { details: { issues } });
  }
  const request = parsed.data;
  if ((request.features == null) === (request.service == null)) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      'get_historical_features: name either `features` or a `service`, one of them',
    );
  }
  return request;
}

/** What a frame is uploaded for: the server reads the sources meanwhile. */
export const uploadRequestSchema = z
  .object({ type: z.literal('upload') })
  .extend(historicalRequestSchema.pick({ features: true, service: true }).shape)
  .strict()
  .meta({ id: 'upload' });

export type UploadRequest = z.output<typeof uploadRequestSchema>;

/** POST /api/v1/online-features: features of entities as they are now. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsAsked } from '../../access/views-asked.ts';
import { FeatureStoreError } from '../../errors.ts';
import { arrowType, encodeArrowAnswer } from '../arrow-answer.ts';
import { encodeAnswer } from '../json/write-answer.ts';
import type { HttpParts } from '../parts.ts';
import { jsonType, type Resource } from '../resource.ts';
import { columnsSchema, limitRows, nameSchema, validateBody } from '../validate.ts';

export const onlineRequestSchema = z
  .strictObject({
    features: z
      .array(nameSchema)
      .min(1)
      .max(10_000)
      .nullish()
      .describe('References `view:feature` or `view@prefix:feature`, in the order wanted.'),
    service: nameSchema.nullish().describe('A feature service, instead of `features`.'),
    entities: columnsSchema.describe('Join keys by column, one value a row; a column of one value stands for all rows.'),
    request: columnsSchema.default({}).describe('Values that on-demand transforms read, by column.'),
    keys: z
      .record(nameSchema, z.record(nameSchema, nameSchema))
      .default({})
      .describe('By view or prefix: join key -> column, where they differ.'),
    full_feature_names: z.boolean().default(false).describe('Name columns `view__feature`.'),
    statuses: z.boolean().default(true).describe('Tell of each value its status, event timestamp and whether it is a default.'),
  })
  .meta({ id: 'online_request' });

const columnSchema = z.strictObject({
  view: z.string(),
  feature: z.string(),
  type: z.string().describe('A value type, such as `int64` or `list(string)`.'),
  values: z.array(z.unknown()).describe('int64 and decimals as text, NaN and infinities by name, timestamps ISO, bytes base64.'),
  statuses: z.array(z.enum(['PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE'])).optional(),
  event_timestamps: z.array(z.string().nullable()).optional(),
  is_default: z.array(z.boolean()).optional(),
});

export const onlineAnswerSchema = z
  .strictObject({
    evaluated_at: z.string().describe('The T of the answer: windows, ttl and transforms are as of it.'),
    rows: z.int(),
    never_materialized: z.array(z.string()).describe('Views whose NOT_FOUND says nothing: nothing was ever written of them.'),
    warnings: z
      .array(
        z.strictObject({
          kind: z.literal('deprecated'),
          feature_service: z.string().optional(),
          feature_view: z.string().optional(),
          feature: z.string().optional().describe('Where one feature of the view is deprecated, and not all of it.'),
          features: z.array(z.string()).optional().describe('Of a deprecated view those that are read.'),
          read_by: z
            .array(z.string())
            .optional()
            .describe('On-demand views that read it, where it was not asked for by its own name.'),
          since: z.string().optional(),
          reason: z.string().optional(),
          replacement: z.string().optional(),
          remove_after: z.string().optional(),
          message: z.string(),
        }),
      )
      .optional()
      .describe(
        'What the reader should know: that the service, or a view or feature that is read, is deprecated. Absent where there is nothing.',
      ),
    entities: z.record(z.string(), z.strictObject({ type: z.string(), values: z.array(z.unknown()) })),
    columns: z.record(z.string(), columnSchema).describe('In the order asked for.'),
  })
  .meta({ id: 'online_answer' });

export function onlineFeatures({ online, registry, served, limits }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/online-features',
    family: 'ours',
    scope: 'read-online',
    summary: 'Features of entities as they are now',
    body: onlineRequestSchema,
    answers: onlineAnswerSchema,
    async answer({ id, body, caller, headers }) {
      const request = validateBody(onlineRequestSchema, body);
      const { features, service, entities, keys, statuses } = request;
      if ((features == null) === (service == null)) {
        throw new FeatureStoreError('INVALID_ARGUMENT', 'name either "features" or a "service", one of them');
      }
      limitRows(entities, limits.maxRows);
      limitRows(request.request, limits.maxRows);
      if (caller.views !== undefined) requireViews(caller, viewsAsked(registry(), request));
      const asked = {
        isJson: true,
        features,
        service,
        entities,
        request: request.request,
        keys,
        fullFeatureNames: request.full_feature_names,
      };
      // Without a signal: who waits is told when the time is up, and a read that was sent ends by the store's own deadline.
      const answer = await online.get(asked);
      served(answer, { requestId: id, caller });
      const told = { status: 200, service: service ?? undefined };
      if (wantsArrow(headers.accept)) return { ...told, type: arrowType, body: encodeArrowAnswer(answer, statuses) };
      return { ...told, type: jsonType, body: encodeAnswer(answer, statuses) };
    },
  };
}

function wantsArrow(accept: string | undefined): boolean {
  return accept?.toLowerCase().includes(arrowType) === true;
}

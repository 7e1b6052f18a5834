/** POST /api/v1/explain: one entity online beside what training gets for it at the same instant, and what each value is made of. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsAsked } from '../../access/views-asked.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { validateBody } from '../validate.ts';
import { onlineRequestSchema } from './online-features.ts';

export const explainRequestSchema = onlineRequestSchema
  .pick({ features: true, service: true, entities: true, request: true, keys: true })
  .meta({ id: 'explain_request' });

const side = z.strictObject({
  value: z.unknown(),
  status: z.string(),
  is_default: z.boolean(),
  event_timestamp: z.string().nullable(),
});

const columnSchema = z.strictObject({
  view: z.string(),
  feature: z.string(),
  type: z.string(),
  online: side,
  offline: side,
  agrees: z.boolean().describe('Within the tolerance of its type.'),
  cause: z.string().nullable().describe('Why it does not, as reports of parity name it.'),
  text: z.string(),
  evidence: z
    .array(
      z.strictObject({
        view: z.string().describe('Or the prefix that it is joined under.'),
        kind: z.enum(['batch', 'stream']),
        total: z.int(),
        rows: z.array(z.record(z.string(), z.unknown())).describe('The last 50, the oldest first.'),
      }),
    )
    .describe('The row, or the events, that the training value is made of.'),
});

export function explain({ validations, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/explain',
    family: 'ours',
    scope: 'read-offline',
    isLong: true,
    summary: 'One entity online beside offline at the same instant, with the rows or events behind each value',
    body: explainRequestSchema,
    answers: z.strictObject({ evaluated_at: z.string(), columns: z.record(z.string(), columnSchema) }),
    async answer({ body, caller, signal }) {
      const request = validateBody(explainRequestSchema, body);
      if ((request.features == null) === (request.service == null)) {
        throw new FeatureStoreError('INVALID_ARGUMENT', 'name either "features" or a "service", one of them');
      }
      requireViews(caller, viewsAsked(registry(), request));
      return jsonReply(await validations.explain({ ...request, isJson: true }, signal));
    },
  };
}

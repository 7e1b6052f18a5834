/** POST /api/v1/push: events, or rows of a batch source, durable when they are acknowledged. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsOfSource } from '../../access/views-asked.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { columnsSchema, limitRows, nameSchema, validateBody } from '../validate.ts';

export const pushRequestSchema = z
  .strictObject({
    source: nameSchema.describe('An event source, or a batch source with `push: true`.'),
    rows: columnsSchema.describe("The source's columns by name, one value a row."),
    to: z
      .enum(['online', 'offline', 'online_and_offline'])
      .default('online_and_offline')
      .describe('Where rows of a batch source count; events count in both.'),
    idempotency_key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('The same for every try of one push, which then counts once; the header Idempotency-Key says the same.'),
  })
  .meta({ id: 'push_request' });

export function push({ writes, registry, limits }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/push',
    family: 'ours',
    scope: 'write',
    summary: 'Events, or rows of a batch source, for training and serving',
    body: pushRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    act: 'push',
    async answer(asked) {
      const { body, caller, headers } = asked;
      const request = validateBody(pushRequestSchema, body);
      limitRows(request.rows, limits.maxRows);
      requireViews(caller, viewsOfSource(registry(), request.source));
      const named = headers['idempotency-key'];
      if (request.idempotency_key !== undefined && named !== undefined && named !== request.idempotency_key) {
        throw new FeatureStoreError(
          'INVALID_ARGUMENT',
          'the header Idempotency-Key and "idempotency_key" differ: send one of them',
        );
      }
      const idempotencyKey = request.idempotency_key ?? (typeof named === 'string' ? named : undefined);
      return jsonReply(await writes.push({ source: request.source, rows: request.rows, to: request.to, idempotencyKey }, asked));
    },
  };
}

/** POST /api/v1/materialize: the newest values of views into the online store; how far it is, line by line, to whoever asks for it. */

import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { batchViewsOf } from '../../registry/references.ts';
import type { HttpParts } from '../parts.ts';
import type { Resource } from '../resource.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { nameSchema, validateBody } from '../validate.ts';

const instant = z.iso.datetime({ offset: true });

export const materializeRequestSchema = z
  .strictObject({
    views: z.array(nameSchema).min(1).nullish().describe('Absent: every view.'),
    start: instant.nullish().describe('Only rows from this event timestamp on; absent: whatever is new.'),
    end: instant.nullish().describe('Only rows up to this event timestamp; absent: now.'),
  })
  .meta({ id: 'materialize_request' });

export function materialize({ writes, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/materialize',
    family: 'ours',
    scope: 'write',
    isLong: true,
    act: 'materialize',
    summary: `The newest values of views into the online store; with "accept: ${linesType}" progress line by line`,
    body: materializeRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    async answer(asked) {
      const { views, start, end } = validateBody(materializeRequestSchema, asked.body);
      const request = { views: views ?? undefined, start: start ?? undefined, end: end ?? undefined };
      requireViews(asked.caller, views ?? batchViewsOf(registry()).map((view) => view.name));
      return await replyWithProgress(asked, (onProgress) => writes.materialize(request, asked, onProgress));
    },
  };
}

/** POST /api/v1/validate/parity: what was served beside what training gets; how far it is, line by line, to whoever asks for it. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { parityRequestSchema } from '../../validate/parity/request.ts';
import { viewsCompared } from '../../validate/parity/versions.ts';
import type { HttpParts } from '../parts.ts';
import type { Resource } from '../resource.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { validateBody } from '../validate.ts';

export function validateParity({ validations, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/validate/parity',
    family: 'ours',
    scope: 'read-offline',
    isLong: true,
    summary: `Compares what was served with what training gets, and finds why it differs; with "accept: ${linesType}" progress line by line`,
    body: parityRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    async answer(request) {
      const { body, caller, signal, actor } = request;
      const input = { kind: 'parity', ...validateBody(parityRequestSchema, body) };
      requireViews(caller, viewsCompared(registry(), input));
      return await replyWithProgress(request, (onProgress) => validations.run(input, { actor, signal }, onProgress));
    },
  };
}

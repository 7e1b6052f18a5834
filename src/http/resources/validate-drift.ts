/** POST /api/v1/validate/drift: what was served beside an earlier period or a training set; how far it is, line by line, to whoever asks for it. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsAsked } from '../../access/views-asked.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { type DriftRequest, driftRequestSchema } from '../../validate/drift/request.ts';
import type { HttpParts } from '../parts.ts';
import type { Resource } from '../resource.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { validateBody } from '../validate.ts';

export function validateDrift({ validations, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/validate/drift',
    family: 'ours',
    scope: 'read-offline',
    isLong: true,
    summary: `Compares what was served with an earlier period, or with a training set; with "accept: ${linesType}" progress line by line`,
    body: driftRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    async answer(request) {
      const { body, caller, signal, actor } = request;
      const asked = validateBody(driftRequestSchema, body);
      requireViews(caller, viewsDrifting(registry(), asked));
      return await replyWithProgress(request, (onProgress) =>
        validations.run({ kind: 'drift', ...asked }, { actor, signal }, onProgress),
      );
    },
  };
}

/** All views where nothing is named. */
export function viewsDrifting(registry: RegistryDocument, { features, service }: DriftRequest): readonly string[] {
  if (features == null && service == null) return registry.views.map(({ name }) => name);
  return [...viewsAsked(registry, { features, service })];
}

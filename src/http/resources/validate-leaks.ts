/** POST /api/v1/validate/leaks: whether values rest on what happened after their time; how far it is, line by line, to whoever asks for it. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsAsked } from '../../access/views-asked.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { type LeakRequest, leakRequestSchema } from '../../validate/leaks/request.ts';
import type { HttpParts } from '../parts.ts';
import type { Resource } from '../resource.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { validateBody } from '../validate.ts';

export function validateLeaks({ validations, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/validate/leaks',
    family: 'ours',
    scope: 'read-offline',
    isLong: true,
    summary: `Audits a frame's features, or a table's columns, for leaks; with "accept: ${linesType}" progress line by line`,
    body: leakRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    async answer(request) {
      const { body, caller, signal, actor } = request;
      const input = { kind: 'leaks', ...validateBody(leakRequestSchema, body) };
      requireViews(caller, viewsAudited(registry(), input));
      return await replyWithProgress(request, (onProgress) => validations.run(input, { actor, signal }, onProgress));
    },
  };
}

/** All views where a table's columns may name any. */
export function viewsAudited(registry: RegistryDocument, { features, service, table, columns }: LeakRequest): readonly string[] {
  if (features == null && service == null && table) return registry.views.map(({ name }) => name);
  return [...viewsAsked(registry, { features: [...(features ?? []), ...Object.values(columns)], service })];
}

/** POST /api/v1/validate/drift: what was served, or a saved dataset, beside another; how far it is, line by line, to whoever asks for it. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsAsked } from '../../access/views-asked.ts';
import { formatReference } from '../../dataset/name.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { type DriftRequest, driftRequestSchema } from '../../validate/drift/request.ts';
import type { HttpParts } from '../parts.ts';
import type { Resource } from '../resource.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { validateBody } from '../validate.ts';

export function validateDrift({ validations, datasets, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/validate/drift',
    family: 'ours',
    scope: 'read-offline',
    isLong: true,
    summary: `Compares what was served, or a saved dataset, with an earlier period, another dataset or a training set; with "accept: ${linesType}" progress line by line`,
    body: driftRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    async answer(request) {
      const { body, caller, signal, actor } = request;
      const asked = validateBody(driftRequestSchema, body);
      requireViews(caller, viewsDrifting(registry(), asked));
      // Refused to a token that is not for all that a dataset reads.
      const pinned = await pinDatasets(asked, (dataset) => datasets.describe(dataset, caller));
      return await replyWithProgress(request, (onProgress) =>
        validations.run({ kind: 'drift', ...pinned }, { actor, signal }, onProgress),
      );
    },
  };
}

/** Beside those that its datasets read: all views where nothing is named. */
export function viewsDrifting(registry: RegistryDocument, request: DriftRequest): readonly string[] {
  const { features, service } = request;
  if (features != null || service != null) return [...viewsAsked(registry, { features, service })];
  return datasetsDrifting(request).length > 0 ? [] : registry.views.map(({ name }) => name);
}

/** With the versions that its datasets have now: what is authorized is what is read, whichever is saved before it is. */
export async function pinDatasets(
  request: DriftRequest,
  find: (dataset: string) => Promise<{ readonly name: string; readonly version: number }>,
): Promise<DriftRequest> {
  const pinned = { ...request };
  for (const side of ['reference', 'current'] as const) {
    const saved = request[side];
    if (saved != null) pinned[side] = { ...saved, dataset: formatReference(await find(saved.dataset)) };
  }
  return pinned;
}

function datasetsDrifting({ reference, current }: DriftRequest): readonly string[] {
  return [reference, current].flatMap((saved) => (saved == null ? [] : [saved.dataset]));
}

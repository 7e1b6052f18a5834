/** GET /api/v1/lineage/NAME: what a name is made of, and what is made of it. */
import { z } from 'zod';
import { lineageOf } from '../../lifecycle/lineage.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';

const node = z.strictObject({ id: z.string().describe('`kind/name`.'), kind: z.string(), name: z.string() });

export function lineage({ registry, datasets }: HttpParts): Resource {
  return {
    method: 'GET',
    path: '/api/v1/lineage/:name',
    family: 'ours',
    scope: 'any',
    summary: 'What a source, view, service, dataset, model or `view:feature` is made of, and what is made of it',
    answers: z.strictObject({
      name: z.string(),
      of: z.array(z.string()),
      upstream: z.array(node),
      downstream: z.array(node),
      edges: z.array(z.strictObject({ from: z.string(), to: z.string(), features: z.array(z.string()).optional() })),
    }),
    answer: async ({ params, caller }) => jsonReply(lineageOf(registry(), params.name as string, await datasets.lineage(caller))),
  };
}

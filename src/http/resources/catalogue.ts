/** GET /api/v1/KIND and /api/v1/KIND/NAME: what has been applied, in the rows that Flight's catalogue has. */
import { z } from 'zod';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';

/** Part of the address -> kind of the catalogue. */
const kinds = {
  entities: 'entities',
  sources: 'sources',
  'feature-views': 'feature_views',
  'feature-services': 'feature_services',
  features: 'features',
} as const;

const row = z.record(z.string(), z.unknown());

export function catalogue({ server }: HttpParts): readonly Resource[] {
  return Object.entries(kinds).flatMap(([part, kind]): Resource[] => [
    {
      method: 'GET',
      path: `/api/v1/${part}`,
      family: 'ours',
      scope: 'any',
      summary: `All ${part.replace('-', ' ')} that are applied`,
      answers: z.strictObject({ kind: z.string(), rows: z.array(row) }),
      answer: async () => jsonReply({ kind, rows: await server.list(kind) }),
    },
    {
      method: 'GET',
      path: `/api/v1/${part}/:name`,
      family: 'ours',
      scope: 'any',
      summary: `One of the ${part.replace('-', ' ')} by its name`,
      answers: row,
      answer: async ({ params }) => jsonReply((await server.describe(kind, params.name as string))[0]),
    },
  ]);
}

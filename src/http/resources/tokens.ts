/** /api/v1/tokens: making, listing and revoking API tokens. */
import { z } from 'zod';
import { tokenRequestSchema } from '../../access/tokens.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { validateBody } from '../validate.ts';

const shown = z.record(z.string(), z.unknown());
const path = '/api/v1/tokens';
const manners = { family: 'ours', scope: 'admin' } as const;

export function tokens({ server }: HttpParts): readonly Resource[] {
  return [
    {
      ...manners,
      method: 'POST',
      path,
      act: 'create_token',
      summary: 'Makes a token; the answer is the only place that has its text',
      body: tokenRequestSchema,
      answers: shown,
      answer: async ({ body, actor }) => jsonReply(await server.createToken(validateBody(tokenRequestSchema, body), actor), 201),
    },
    {
      ...manners,
      method: 'GET',
      path,
      summary: 'All tokens, without their text',
      answers: z.strictObject({ tokens: z.array(shown) }),
      answer: async () => jsonReply({ tokens: await server.listTokens() }),
    },
    {
      ...manners,
      method: 'DELETE',
      path: `${path}/:id`,
      act: 'revoke_token',
      summary: 'Refuses the token from now on',
      answers: shown,
      answer: async ({ params, actor }) => jsonReply(await server.revokeToken(params.id as string, actor)),
    },
  ];
}

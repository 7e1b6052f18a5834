/** POST /api/v1/plan and /api/v1/apply: the server reads its own repository folder again; definitions never travel. */
import { z } from 'zod';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { validateBody } from '../validate.ts';

const nothing = z.strictObject({}).meta({ id: 'nothing' });
const changes = z.record(z.string(), z.unknown());

export function definitions({ server }: HttpParts): readonly Resource[] {
  const of = (path: string, summary: string, run: () => Promise<unknown>): Resource => ({
    method: 'POST',
    path,
    family: 'ours',
    scope: 'admin',
    isLong: true,
    summary,
    body: nothing,
    answers: changes,
    async answer({ body }) {
      validateBody(nothing, body);
      return jsonReply(await run());
    },
  });
  return [
    of('/api/v1/plan', 'What apply would change', () => server.plan()),
    of('/api/v1/apply', "Reads the server's repository again and applies it", () => server.apply()),
  ];
}

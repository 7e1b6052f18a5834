/** POST /api/v1/plan and /api/v1/apply: the server reads its own repository folder again; definitions never travel. */
import { z } from 'zod';
import type { Actor } from '../../audit/actor.ts';
import type { HttpParts } from '../parts.ts';
import type { Resource } from '../resource.ts';
import { type LongWork, linesType, replyWithProgress } from '../stream-progress.ts';
import { validateBody } from '../validate.ts';

const nothing = z.strictObject({}).meta({ id: 'nothing' });
const applySchema = z
  .strictObject({
    force: z.boolean().default(false).describe('Also where something goes, or changes, that was read in the last 30 days.'),
  })
  .meta({ id: 'apply_request' });
const changes = z.record(z.string(), z.unknown());

type Work<T extends z.ZodObject> = (onProgress: Parameters<LongWork>[0], asked: z.output<T>, actor: Actor) => Promise<unknown>;

export function definitions({ server }: HttpParts): readonly Resource[] {
  const of = <T extends z.ZodObject>(path: string, summary: string, body: T, work: Work<T>): Resource => ({
    method: 'POST',
    path,
    family: 'ours',
    scope: 'admin',
    isLong: true,
    summary,
    body,
    answers: changes,
    async answer(request) {
      const asked = validateBody(body, request.body);
      return await replyWithProgress(request, (onProgress) => work(onProgress, asked, request.actor));
    },
  });
  return [
    of('/api/v1/plan', 'What apply would change, and refuse', nothing, () => server.plan()),
    {
      ...of(
        '/api/v1/apply',
        `Reads the server's repository again and applies it; with "accept: ${linesType}" line by line how far features are filled`,
        applySchema,
        (onProgress, { force }, actor) => server.apply({ force }, actor, onProgress),
      ),
      act: 'apply',
    },
  ];
}

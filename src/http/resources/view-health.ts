/** GET /api/v1/health/views: how old what is served of each view is, beside what its objective allows. */
import { z } from 'zod';
import { freshnessStates } from '../../validate/freshness.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';

const state = z.enum(freshnessStates).nullable();
const age = z.strictObject({
  at: z.string().nullable().describe('The instant that the age is measured from; null where there never was one.'),
  seconds: z.number().nullable(),
  state: state.describe('null where the view has no objective.'),
});

export function viewHealth({ validations }: HttpParts): Resource {
  return {
    method: 'GET',
    path: '/api/v1/health/views',
    family: 'ours',
    scope: 'any',
    summary:
      'How old what is served of each view is, by event time and by processing time, and whether its objective allows that',
    answers: z.strictObject({
      views: z.array(
        z.strictObject({
          view: z.string(),
          kind: z.enum(['batch', 'stream']),
          source: z.string(),
          objective: z.string().nullable().describe('As the definition has it, such as 24h.'),
          objective_seconds: z.number().nullable(),
          state: state.describe("The worse of the two clocks'."),
          error: z.string().nullable().describe('Why nothing can be told of it now: its stream cannot be looked at.'),
          event: age.describe('Of the newest event that the online store holds.'),
          processing: age.describe('Since all that its source had was brought into the online store.'),
        }),
      ),
    }),
    answer: async () => jsonReply({ views: await validations.viewHealth() }),
  };
}

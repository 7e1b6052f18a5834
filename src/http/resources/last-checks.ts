/** GET /api/v1/health/checks: what the last check of parity or drift of each feature found. */
import { z } from 'zod';
import { isSeenBy } from '../../access/views-asked.ts';
import { judgingKinds } from '../../validate/last-checks.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { validateQuery } from '../validate.ts';

const querySchema = z.strictObject({ kind: z.enum(judgingKinds) });

export function lastChecks({ validations, registry }: HttpParts): Resource {
  return {
    method: 'GET',
    path: '/api/v1/health/checks',
    family: 'ours',
    scope: 'read-offline',
    summary: `What the last check of each feature found; "kind" is ${judgingKinds.join(' or ')}`,
    query: querySchema,
    answers: z.strictObject({
      features: z.array(
        z
          .looseObject({
            view: z.string(),
            feature: z.string(),
            against: z.string().optional().describe('Of a pair the other `view:feature`.'),
            result: z.enum(['PASS', 'FAIL', 'NO DATA']),
            report: z.string().describe('The id of the report that tells it, examples included.'),
            checked_at: z.string(),
          })
          .describe('As its report has it, without examples.'),
      ),
      left_out: z.int().describe('Features of views that the token is not for.'),
      not_made: z
        .strictObject({ since: z.string(), error: z.string().nullable() })
        .nullable()
        .describe(
          'The last check of the schedule could not be made, and since when; null where it was, or there is no schedule. Why is not told to a token for certain views.',
        ),
    }),
    async answer({ caller, query }) {
      const { kind } = validateQuery(querySchema, query);
      const all = await validations.lastChecks(kind);
      const isShown = (view: string | undefined) => view === undefined || isSeenBy(caller, registry(), view);
      const features = all.filter(({ view, against }) => isShown(view) && isShown(against?.split(':')[0]));
      const missed = (await validations.scheduledChecks())[kind] ?? null;
      // The message may name what the token is not for.
      const notMade = missed && { ...missed, error: caller.views === undefined ? missed.error : null };
      return jsonReply({ features, left_out: all.length - features.length, not_made: notMade });
    },
  };
}

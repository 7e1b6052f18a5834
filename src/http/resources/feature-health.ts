/** GET /api/v1/health/features: features that are not what they were, as the last look at what is served found them. */
import { z } from 'zod';
import { isSeenBy } from '../../access/views-asked.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';

const instant = z.string().nullable();
const counts = { features: z.int().describe('Features that were served.'), judged: z.int().describe('Those of enough keys.') };

export function featureHealth({ validations, registry }: HttpParts): Resource {
  return {
    method: 'GET',
    path: '/api/v1/health/features',
    family: 'ours',
    scope: 'read-offline',
    summary: 'Features with an alarm: constant, all_default, frozen, unseen_category, null_rate',
    answers: z.strictObject({
      logging: z.boolean().describe('Whether what is served is logged: otherwise no feature is looked at.'),
      advice: z.string().nullable(),
      checked_at: instant,
      from: instant,
      to: instant,
      ...counts,
      views: z.record(z.string(), z.strictObject(counts)),
      alarms: z.array(
        z.strictObject({ view: z.string(), feature: z.string(), alarm: z.string(), since: z.string(), text: z.string() }),
      ),
      never_varied: z
        .array(z.strictObject({ view: z.string(), feature: z.string(), value: z.string() }))
        .describe('Features of one value, now and in all of history: no alarm, as it may be meant.'),
      left_out: z.int().describe('Features of views that the token is not for.'),
    }),
    async answer({ caller }) {
      const found = await validations.featureHealth();
      if (caller.views === undefined) return jsonReply({ ...found, left_out: 0 });
      const isShown = (view: string) => isSeenBy(caller, registry(), view);
      const views = Object.entries(found.views).filter(([view]) => isShown(view));
      const sum = (of: 'features' | 'judged') => views.reduce((total, [, each]) => total + each[of], 0);
      return jsonReply({
        ...found,
        ...{ features: sum('features'), judged: sum('judged'), views: Object.fromEntries(views) },
        alarms: found.alarms.filter(({ view }) => isShown(view)),
        left_out: found.features - sum('features'),
        never_varied: found.never_varied.filter(({ view }) => isShown(view)),
      });
    },
  };
}

/** GET /api/v1/alerts: the rules of the config, and what they find wrong now. */
import { z } from 'zod';
import { isSeenBy } from '../../access/views-asked.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';

const severity = z.enum(['warning', 'critical']);
const when = z.enum(['feature', 'parity', 'drift', 'lag', 'freshness']);

export function alerts({ validations, registry }: HttpParts): Resource {
  return {
    method: 'GET',
    path: '/api/v1/alerts',
    family: 'ours',
    scope: 'read-offline',
    summary: 'The rules of the config, and the alerts that fire by them or wait for their time',
    answers: z.strictObject({
      checked_at: z.string().nullable().describe('When rules were looked at last; null before that.'),
      rules: z.array(z.strictObject({ rule: z.string(), severity, for: z.string() })),
      alerts: z.array(
        z.strictObject({
          rule: z.string(),
          severity,
          labels: z.record(z.string(), z.string()).describe('What it is about.'),
          text: z.string(),
          since: z.string(),
          state: z.enum(['firing', 'waiting']).describe('It waits where it does not last long enough yet.'),
        }),
      ),
      not_looked_at: z
        .array(z.strictObject({ when, since: z.string(), error: z.string(), views: z.array(z.string()).optional() }))
        .describe(
          'Kinds of rules that could not be looked at last time, of all views or of some: their alerts are as they were.',
        ),
      left_out: z.int().describe('Alerts about views that the token is not for.'),
    }),
    async answer({ caller }) {
      const found = await validations.alerts();
      const isShown = ({ view }: Readonly<Record<string, string>>) => view === undefined || isSeenBy(caller, registry(), view);
      const alerts = found.alerts.filter(({ labels }) => isShown(labels));
      const missed = found.not_looked_at.flatMap(({ views, ...rest }) => {
        const seen = views?.filter((view) => isShown({ view }));
        return seen === undefined ? [rest] : seen.length === 0 ? [] : [{ ...rest, views: seen }];
      });
      return jsonReply({ ...found, alerts, not_looked_at: missed, left_out: found.alerts.length - alerts.length });
    },
  };
}

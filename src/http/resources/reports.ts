/** GET /api/v1/reports and /api/v1/reports/ID: what checks have found, of the views that the caller's token is for. */
import { z } from 'zod';
import { reportKinds } from '../../validate/reports.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { validateQuery } from '../validate.ts';

const report = z.record(z.string(), z.unknown());
const querySchema = z.strictObject({ kind: z.enum(reportKinds).optional(), limit: z.coerce.number().int().min(1).optional() });
const manners = { method: 'GET', family: 'ours', scope: 'read-offline' } as const;

export function reports({ validations }: HttpParts): readonly Resource[] {
  return [
    {
      ...manners,
      path: '/api/v1/reports',
      summary: `Reports that are kept, the newest first; "kind" is ${reportKinds.join(', ')}`,
      query: querySchema,
      answers: z.strictObject({
        reports: z.array(report),
        left_out: z.int().describe('Reports of other views than the token is for.'),
      }),
      async answer({ caller, query }) {
        const { kind, limit } = validateQuery(querySchema, query);
        return jsonReply(await validations.listReports({ kind, limit, views: caller.views }));
      },
    },
    {
      ...manners,
      path: '/api/v1/reports/:id',
      summary: 'One report whole',
      answers: report,
      answer: async ({ caller, params }) => jsonReply(await validations.readReport(params.id as string, caller.views)),
    },
  ];
}

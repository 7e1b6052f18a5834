/** POST /api/v1/sql-sources/NAME/run: ticks of an SQL source; how far it is, line by line, to whoever asks for it. */
import { requireViews } from '../../access/caller.ts';
import { viewsOfSource } from '../../access/views-asked.ts';
import type { HttpParts } from '../parts.ts';
import type { Resource } from '../resource.ts';
import { runSqlReportSchema, runSqlRequestSchema } from '../run-sql-requests.ts';
import { linesType, replyWithProgress } from '../stream-progress.ts';
import { validateBody } from '../validate.ts';

export function runSql({ writes, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/sql-sources/:source/run',
    family: 'ours',
    scope: 'write',
    isLong: true,
    act: 'run_sql',
    summary: `Ticks of an SQL source; with "accept: ${linesType}" progress line by line`,
    body: runSqlRequestSchema,
    answers: runSqlReportSchema,
    async answer(request) {
      const { body, caller, params } = request;
      const input = { source: params.source as string, ...validateBody(runSqlRequestSchema, body) };
      requireViews(caller, viewsOfSource(registry(), input.source));
      return await replyWithProgress(request, (onProgress) => writes.runSql(input, request, onProgress));
    },
  };
}

/** POST /api/v1/write-to-online-store: rows of a view, into the online store alone; training sets do not see them. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { columnsSchema, limitRows, nameSchema, validateBody } from '../validate.ts';

export const writeRequestSchema = z
  .strictObject({
    view: nameSchema.describe('A feature view that is computed from a source.'),
    rows: columnsSchema.describe(
      "Columns by name, one value a row: the view's join keys, its features, and the source's timestamps by their names there, or as `event_timestamp`, `created_timestamp` and `available_at`.",
    ),
  })
  .meta({ id: 'write_request' });

export function writeToOnlineStore({ writes, limits }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/write-to-online-store',
    family: 'ours',
    scope: 'write',
    summary: 'Rows of a view, into the online store alone',
    body: writeRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    act: 'write_online',
    async answer(asked) {
      const { view, rows } = validateBody(writeRequestSchema, asked.body);
      limitRows(rows, limits.maxRows);
      requireViews(asked.caller, [view]);
      return jsonReply(await writes.writeOnline(view, rows, asked));
    },
  };
}

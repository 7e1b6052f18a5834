/** GET /api/v1/audit: who changed what, the newest first. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { auditActions, auditOutcomes, doors } from '../../audit/entry.ts';
import { auditQuerySchema } from '../../audit/query.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { validateQuery } from '../validate.ts';

const text = z.string().nullable();
const count = z.int().nullable();

const entrySchema = z
  .strictObject({
    id: z.string(),
    at: z.string().describe('When it began; of acts that are counted the first.'),
    action: z.enum(auditActions),
    names: z.array(z.string()).describe('The views, sources, services, entities or tokens that it concerned.'),
    outcome: z
      .enum(auditOutcomes)
      .describe('`unfinished`: it runs in another process, or its process died before its end was written.'),
    code: text.describe('Of what was refused or failed.'),
    what: z.string().describe('What came of it, in a line.'),
    caller: z.string(),
    token: text.describe("The id of the caller's token."),
    user: text.describe('The user of the operating system, of commands without a server.'),
    door: z.enum(doors),
    address: text,
    request_id: text,
    trace_id: text,
    ms: count,
    requests: count.describe('Of acts that are counted: how many.'),
    until: text.describe('Of acts that are counted: when the last was.'),
    rows: count.describe('Of acts that are counted: rows given.'),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'audit_entry' });

export function audit({ audit: log, registry }: HttpParts): Resource {
  return {
    method: 'GET',
    path: '/api/v1/audit',
    family: 'ours',
    scope: 'admin',
    summary: 'Who changed what, the newest first',
    query: auditQuerySchema,
    answers: z.strictObject({
      entries: z.array(entrySchema),
      next: text.describe('What `before` asks for the next page; null where this is the last.'),
      damaged: z
        .array(z.strictObject({ file: z.string(), lines: z.int() }))
        .describe('Lines that are none: a process died while it wrote one, or somebody changed the file.'),
    }),
    async answer({ caller, query, signal }) {
      requireViews(
        caller,
        registry().views.map(({ name }) => name),
      );
      return jsonReply(await log.read(validateQuery(auditQuerySchema, query), signal));
    },
  };
}

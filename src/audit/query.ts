/** What may be asked of the audit log, over HTTP and Flight alike. */
import { z } from 'zod';
import { parseInstantUs } from '../definitions/literal.ts';
import { asFeatureStoreError } from '../errors.ts';
import { auditActions } from './entry.ts';

const instant = z.string().superRefine((text, context) => {
  try {
    parseInstantUs(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: asFeatureStoreError(error).message });
  }
});
const name = z.string().min(1).max(1000);

export const auditQuerySchema = z
  .strictObject({
    from: instant.optional().describe('Only acts that began from this instant on.'),
    to: instant.optional().describe('Only acts that began before this instant.'),
    action: z.enum(auditActions).optional(),
    caller: name.optional().describe('Only acts of this caller: a name, the id of a token, or a user of the operating system.'),
    name: name.optional().describe('Only acts on this view, source, service, entity or token.'),
    limit: z.coerce.number().int().min(1).max(1000).default(100).describe('Most acts that are shown, the newest first.'),
    before: name.optional().describe('Only acts before the one of this id: `next` of the page before.'),
  })
  .meta({ id: 'audit_query' });

export type AuditQuery = z.output<typeof auditQuerySchema>;

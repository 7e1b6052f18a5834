/** The section of the config that says what is kept of who changed what. */
import { z } from 'zod';
import { count } from './sections.ts';

export const auditSchema = z.strictObject({
  /** Off: nothing is written; what there is can still be read. */
  enabled: z.boolean().default(true),
  /** Days after which acts are forgotten. */
  keepDays: count.max(36_500).default(400),
});

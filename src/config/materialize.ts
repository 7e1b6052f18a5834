/** The section of the config that says when a server materializes by itself. */
import { z } from 'zod';

/** Five fields, or six with seconds first, each of digits, names and `*,-/?L#W`. */
const cron = z
  .string()
  .regex(/^\s*([\dA-Za-z*,\-/?#]+\s+){4,5}[\dA-Za-z*,\-/?#]+\s*$/, 'is a cron expression in UTC such as "*/5 * * * *"');

export const materializeSchema = z.strictObject({
  /** When to bring views up to date: cron in UTC, `*\/5 * * * *` for every five minutes. */
  schedule: cron,
  /** Default: all. */
  views: z.array(z.string().min(1)).min(1).optional(),
});

/** The section of the config that says when a server materializes by itself. */
import { Cron } from 'croner';
import { z } from 'zod';

/** Five fields, or six with seconds first, each of digits, names and `*,-/?L#W`, that come some day. */
export const cron = z
  .string()
  .regex(/^\s*([\dA-Za-z*,\-/?#]+\s+){4,5}[\dA-Za-z*,\-/?#]+\s*$/, {
    error: 'is a cron expression in UTC such as "*/5 * * * *"',
    abort: true,
  })
  .superRefine((text, { addIssue }) => {
    const message = whyNoCron(text);
    if (message !== undefined) addIssue({ code: 'custom', message });
  });

function whyNoCron(text: string): string | undefined {
  try {
    return new Cron(text, { timezone: 'UTC' }).nextRun() === null
      ? `is a cron expression that never comes: "${text}"`
      : undefined;
  } catch (error) {
    return `is no cron expression, "${text}": ${error instanceof Error ? error.message : error}`;
  }
}

export const materializeSchema = z.strictObject({
  /** When to bring views up to date: cron in UTC, `*\/5 * * * *` for every five minutes. */
  schedule: cron,
  /** Default: all. */
  views: z.array(z.string().min(1)).min(1).optional(),
});

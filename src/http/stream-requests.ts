/** What is asked of event sources' streams, over HTTP and Flight alike. */
import { z } from 'zod';
import { nameSchema } from './validate.ts';

export const setAsideRequestSchema = z
  .strictObject({
    limit: z.coerce.number().int().min(1).max(1000).default(100).describe('Most events that are shown, the newest first.'),
    partition: nameSchema.optional().describe('Only of this partition.'),
    reason: nameSchema.optional().describe('Only with this in their reason.'),
  })
  .meta({ id: 'set_aside_request' });

const offset = z.preprocess(
  (given) => (typeof given === 'bigint' || Number.isSafeInteger(given) ? String(given) : given),
  z.string().max(64),
);

export const resetRequestSchema = z
  .strictObject({
    from: z
      .union([z.enum(['earliest', 'latest']), z.record(nameSchema, offset)])
      .describe(
        'The first record that the log still has, its end, or by partition an offset: a number, of a Redis stream `ms-seq`.',
      ),
    new_log: z.boolean().default(false).describe('The log was made anew: its offsets say nothing of what was read before.'),
  })
  .meta({ id: 'reset_request' });

const instant = z.iso.datetime({ offset: true });

export const replayRequestSchema = z
  .strictObject({
    from: instant.nullish().describe('Only keys with an event from this event time on; absent: from the beginning.'),
    to: instant.nullish().describe('Only keys with an event before this event time; absent: up to now.'),
  })
  .meta({ id: 'replay_request' });

export type SetAsideRequest = z.output<typeof setAsideRequestSchema>;
export type ResetRequest = z.output<typeof resetRequestSchema>;
export type ReplayRequest = z.output<typeof replayRequestSchema>;

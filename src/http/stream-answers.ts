/** What is told of event sources' streams, over HTTP, Flight, metrics and the command line alike. */
import { z } from 'zod';

const text = z.string().nullable();
const number = z.number().nullable();

const partitionSchema = z.strictObject({
  partition: z.string(),
  next: text.describe('The offset of the first record that is not applied.'),
  end: text.describe('The offset that the next record of the log gets.'),
  lag_records: number.describe('Records that are not applied yet; null where it is not known how many.'),
  lag_seconds: number.describe(
    '0 where all is applied, else for how long at least the first record that is not has been seen waiting; null where that is not known.',
  ),
  max_event_time: text.describe('The greatest event time that was applied.'),
  freshness_seconds: number.describe('Its age.'),
  records: z.int().describe('All that came.'),
  events: z.int().describe('Events that count.'),
  late: z.int().describe('Of these, those that came too late for serving, and count in training alone.'),
  set_aside: z.int().describe('Events that count nowhere.'),
  duplicates: z.int().describe('Events whose id had come before.'),
});

const ignoredFieldSchema = z.strictObject({
  name: z.string(),
  events: z.int().describe('Events that had it.'),
  partition: z.string().describe('Of the last record that had it, as its offset.'),
  offset: z.string(),
  did_you_mean: text.describe('The nearest declared column.'),
});

const processSchema = z.strictObject({
  applied: z.int().describe("Events that were added to views' states."),
  too_late: z.int().describe('Events whose session or key had been freed.'),
  erased: z.int().describe('Events of erased entities.'),
  batches: z.int(),
  batch_seconds: z.number().describe('Of all batches together.'),
  last_batch: z.strictObject({ records: z.int(), seconds: z.number() }).nullable(),
  largest_state_bytes: z.int(),
  oversized_states: z.int().describe('How often a state above maxStateBytes was written.'),
  ignored_fields: z
    .array(ignoredFieldSchema)
    .describe('Fields of events that the source does not declare, at most 100, those of most events first.'),
  other_ignored_fields: z.int().describe('Occurrences of further ones together.'),
});

export const streamSchema = z
  .strictObject({
    source: z.string(),
    stream: text.describe('Where events come from beside pushes.'),
    views: z.array(z.string()),
    error: text.describe('Why nothing is read now; null while all is well.'),
    log_error: text.describe('Why the log cannot be asked for its end.'),
    spilled_states: z.int().describe("States that stand beside their keys' values; those that came back leave the count hourly."),
    partitions: z.array(partitionSchema),
    since_start: processSchema.nullable().describe('Since this server started.'),
  })
  .meta({ id: 'stream' });

export const setAsideSchema = z.strictObject({
  source: z.string(),
  total: z.int().describe("All that are kept, the partition's where one is asked for."),
  removed: z.int().describe('Older ones that made room.'),
  counts: z.record(z.string(), z.int()).describe('By reason, the 100 most frequent.'),
  events: z.array(
    z.strictObject({
      partition: z.string(),
      offset: z.string(),
      set_aside_at: z.string(),
      reason: z.string(),
      bytes: z.int().describe('Of the whole value.'),
      encoding: z.enum(['utf8', 'base64']).nullable(),
      value: text.describe('The value, or its beginning; null where it had none or there was no room for it.'),
      is_truncated: z.boolean(),
    }),
  ),
});

const filled = z
  .array(z.strictObject({ view: z.string(), features: z.array(z.string()).readonly(), events: z.int(), keys: z.int() }))
  .readonly();
export const resetSchema = z.strictObject({
  source: z.string(),
  partitions: z.array(z.strictObject({ partition: z.string(), before: text, next: z.string(), new_log: z.boolean() })),
  views: filled,
});
export const replaySchema = z.strictObject({ source: z.string(), views: filled });

/** How far a stream is. */
export type ShownStream = z.output<typeof streamSchema>;
export type ShownPartition = z.output<typeof partitionSchema>;
/** What a process did of it since it started. */
export type ShownProcess = z.output<typeof processSchema>;
export type ShownSetAsideReport = z.output<typeof setAsideSchema>;
export type ShownSetAsideEvent = ShownSetAsideReport['events'][number];
export type ShownReset = z.output<typeof resetSchema>;
/** What was made anew: by view its features, the events read and the keys written. */
export type ShownReplay = z.output<typeof replaySchema>;

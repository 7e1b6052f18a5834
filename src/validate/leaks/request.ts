/** What a leak audit is asked. */
import { z } from 'zod';
import { historicalRequestSchema } from '../../offline/request.ts';

const name = z.string().min(1).max(1000);

export const leakRequestSchema = z.strictObject({
  ...historicalRequestSchema.pick({
    features: true,
    service: true,
    as_known: true,
    timestamp: true,
    timezone: true,
    at: true,
    keys: true,
    upload: true,
    path: true,
  }).shape,
  table: z.boolean().default(false).describe('The frame holds features already: audit those, rather than what we would answer.'),
  columns: z.record(name, name).default({}).describe('Of a table: column -> `view:feature`, where its name does not say it.'),
  labels: z.array(name).max(100).default([]).describe('Columns that are to be predicted.'),
  delta: name
    .default('1h')
    .describe('How far before T values are looked at to tell how much an error of that size would matter.'),
  max_rows: z
    .int()
    .min(1)
    .max(200_000)
    .default(20_000)
    .describe('Rows that are looked at, about; of more some are chosen by their place.'),
  cuts: z.int().min(1).max(64).default(4).describe('Instants at which the future is removed from the sources.'),
  threshold: z.number().min(0).max(1).default(0.001).describe('Of a table: share of leaking rows that fails a column.'),
});

export type LeakRequest = z.output<typeof leakRequestSchema>;

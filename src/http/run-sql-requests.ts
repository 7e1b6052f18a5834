/** What is asked of SQL sources and what comes of it, over HTTP and Flight alike. */
import { z } from 'zod';

const instant = z.iso.datetime({ offset: true });

export const runSqlRequestSchema = z
  .strictObject({
    start: instant
      .nullish()
      .describe('Ticks from then on; absent: those after the last that has run, or the latest where none has.'),
    end: instant.nullish().describe('Ticks until then, inclusive; absent: now.'),
    again: z.boolean().nullish().describe('Also ticks that have run: their rows are replaced whole.'),
  })
  .meta({ id: 'run_sql_request' });

export type RunSqlRequest = z.output<typeof runSqlRequestSchema>;

const tick = z.string().nullable();

export const runSqlReportSchema = z.strictObject({
  source: z.string(),
  first: tick.describe('The first tick of the range that is due; null where none is.'),
  last: tick.describe('The last.'),
  tick: tick.describe('The one that ran last.'),
  of: z.int().describe('Ticks of the range that are due.'),
  done: z.int().describe('Of these, those gone through.'),
  ran: z.int(),
  skipped: z.int().describe('Those that had run before.'),
  not_due: z.int().describe('Ticks of the range whose time has not come.'),
  rows: z.int().describe('Of the ticks that ran.'),
  seconds: z.number(),
});

export type RunSqlReport = z.output<typeof runSqlReportSchema>;
export type RunSqlProgress = Omit<RunSqlReport, 'first' | 'last' | 'not_due' | 'seconds'>;

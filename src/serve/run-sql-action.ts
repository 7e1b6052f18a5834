/** DoAction `run_sql`: ticks of an SQL source, a result for each that ran, and at the end the report. */
import { z } from 'zod';
import { formatInstantUs, parseInstantUs } from '../definitions/literal.ts';
import { FeatureStoreError } from '../errors.ts';
import { type RunSqlProgress, type RunSqlReport, runSqlRequestSchema } from '../http/run-sql-requests.ts';
import type { RunTicks, TickProgress, TickReport } from '../materialize/run-ticks.ts';

/** Instants as the command line has them: with an offset, and however else they are written. */
const requestSchema = runSqlRequestSchema.extend({ source: z.string(), start: z.string().nullish(), end: z.string().nullish() });

export type RunSqlInput = z.output<typeof requestSchema>;

/** Reads the action's body; INVALID_ARGUMENT says what is wrong with it. */
export function parseRunSqlInput(input: unknown): RunSqlInput {
  const parsed = requestSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `action "run_sql" is refused: ${problems.join('; ')}`, {
    details: { problems },
  });
}

export async function runSql(
  runTicks: RunTicks,
  { source, start, end, again }: RunSqlInput,
  signal: AbortSignal,
  onProgress: (progress: RunSqlProgress) => void,
): Promise<RunSqlReport> {
  const instant = (text: string | null | undefined) => (text == null ? undefined : parseInstantUs(text));
  const request = { source, startUs: instant(start), endUs: instant(end), again: again === true };
  const report = await runTicks(request, { signal, onProgress: (progress) => onProgress(describeTickProgress(progress)) });
  return describeTickReport(report);
}

function describeTickReport({ firstUs, lastUs, notDue, seconds, ...progress }: TickReport): RunSqlReport {
  return {
    ...describeTickProgress(progress),
    first: formatMaybe(firstUs),
    last: formatMaybe(lastUs),
    not_due: notDue,
    seconds,
  };
}

export function describeTickProgress({ source, tickUs, done, of, ran, skipped, rows }: TickProgress): RunSqlProgress {
  return { source, tick: formatMaybe(tickUs), done, of, ran, skipped, rows };
}

function formatMaybe(us: bigint | undefined): string | null {
  return us === undefined ? null : formatInstantUs(us);
}

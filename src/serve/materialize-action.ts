/** DoAction `materialize`: a result for each piece of progress, and at the end the report. */
import { z } from 'zod';
import { formatInstantUs, parseInstantUs } from '../definitions/literal.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Materialize, MaterializeReport } from '../materialize/materialize.ts';
import type { ViewProgress } from '../materialize/view-run.ts';

export const materializeRequestSchema = z.strictObject({
  /** Absent: every view. */
  views: z.array(z.string()).min(1).nullish(),
  /** ISO instants; without a start it is incremental, without an end up to now. */
  start: z.string().nullish(),
  end: z.string().nullish(),
});

export interface MaterializeInput {
  readonly views?: readonly string[] | null;
  readonly start?: string | null;
  readonly end?: string | null;
}

/** Reads the action's body; INVALID_ARGUMENT says what is wrong with it. */
export function parseMaterializeInput(input: unknown): MaterializeInput {
  const parsed = materializeRequestSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `action "materialize" is refused: ${problems.join('; ')}`, {
    details: { problems },
  });
}

/** As over HTTP: progress and report as JSON. */
export async function tellMaterialize(
  materialize: Materialize,
  input: MaterializeInput,
  signal: AbortSignal,
  onProgress: (progress: ReturnType<typeof describeProgress>) => void,
): Promise<ReturnType<typeof describeReport>> {
  return describeReport(await runMaterialize(materialize, input, signal, (progress) => onProgress(describeProgress(progress))));
}

export async function runMaterialize(
  materialize: Materialize,
  { views, start, end }: MaterializeInput,
  signal: AbortSignal,
  onProgress: (progress: ViewProgress) => void,
): Promise<MaterializeReport> {
  const instant = (text: string | null | undefined) => (text == null ? undefined : parseInstantUs(text));
  return await materialize({ views, startUs: instant(start), endUs: instant(end) }, { signal, onProgress });
}

export function describeReport({ startUs, endUs, views, seconds }: MaterializeReport) {
  const start = startUs === undefined ? null : formatInstantUs(startUs);
  return { start, end: formatInstantUs(endUs), seconds, views: views.map(describeProgress) };
}

export function describeProgress({ sentRanges, ...counts }: ViewProgress) {
  return { ...counts, sent_ranges: sentRanges };
}

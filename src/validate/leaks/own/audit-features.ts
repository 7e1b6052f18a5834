/** Audits our own training set: what the sources would say without their future, and what they said only later. */
import type { History } from '../../../offline/history.ts';
import { instantAt } from '../../../offline/instants.ts';
import type { RetrievalPlan } from '../../../offline/plan.ts';
import type { OnProgress } from '../../progress.ts';
import { type Ask, answerSample, planSample, type SampleAnswer } from '../answer-sample.ts';
import { describeExample, type KeyReader } from '../example.ts';
import type { AuditedColumn, LeakExample, LeakProgress, NotExamined, Verdict } from '../report.ts';
import { isSameValue } from '../same-value.ts';
import { hasTime, type Sample, shiftInstants, takeRows } from '../sample.ts';
import { describeSources } from '../sources.ts';
import { removeFuture } from './remove-future.ts';

export interface FeatureAudit extends Ask {
  readonly history: Pick<History, 'prepare' | 'engine' | 'readState'>;
  /** Folder for copies of sources, which go when the audit ends. */
  readonly directory: string;
  /** How many instants the future is removed at. */
  readonly cuts: number;
  readonly deltaUs: bigint;
  readonly keysOf: KeyReader;
  readonly onProgress: OnProgress<LeakProgress>;
}

/** What came out is what a floating sum gives in any order: equal but for its last bits. */
const exact = { relative: 1e-9, absolute: 1e-12 };
const mostExamples = 5;

/** The audited features in order, and their values at each row's time. */
export async function auditFeatures(
  audit: FeatureAudit,
  sample: Sample,
): Promise<{ readonly columns: readonly AuditedColumn[]; readonly values: readonly SampleAnswer[] }> {
  const { plan } = planSample(audit, sample);
  const cuts = chooseCuts(sample, audit.cuts);
  const steps = cuts.length + 3;
  const values = await answerSample(audit, sample, sample.times);
  await audit.onProgress({ step: 1, of: steps });
  const leaks = audit.features.map(() => new Map<number, { readonly truth: unknown; readonly reachUs: bigint }>());
  for (const [done, cutUs] of cuts.entries()) {
    await compareAtCut(audit, sample, plan, cutUs, values, leaks);
    await audit.onProgress({ step: done + 2, of: steps });
  }
  const known = await answerSample({ ...audit, asKnown: true }, sample, sample.times);
  const earlier = await answerSample(audit, sample, shiftInstants(sample.times, -audit.deltaUs));
  await audit.onProgress({ step: steps, of: steps });
  const columns = audit.features.map((reference, at) => {
    const found = { values: values[at] as SampleAnswer, known: known[at] as SampleAnswer, earlier: earlier[at] as SampleAnswer };
    return describeFeature(audit, sample, reference, plan, at, found, leaks[at] as (typeof leaks)[number]);
  });
  return { columns, values };
}

/** Every row up to the cut must be as it was: those of the cut's own time see all that is kept, and nothing that is not. */
async function compareAtCut(
  audit: FeatureAudit,
  sample: Sample,
  plan: RetrievalPlan,
  cutUs: bigint,
  values: readonly SampleAnswer[],
  leaks: readonly Map<number, { readonly truth: unknown; readonly reachUs: bigint }>[],
): Promise<void> {
  const rows: number[] = [];
  for (let row = 0; row < sample.length; row++) {
    if (hasTime(sample, row) && instantAt(sample.times, row) <= cutUs) rows.push(row);
  }
  const part = takeRows(sample, Int32Array.from(rows));
  const past = await removeFuture(audit.history, audit.registry, plan.lookups, cutUs, audit.directory, audit.signal);
  try {
    const truths = await answerSample({ ...audit, history: past.history, registry: past.registry }, part, part.times);
    for (const [at, truth] of truths.entries()) {
      for (const [place, row] of rows.entries()) {
        if (isSameValue(values[at]?.values[row], truth.values[place], exact)) continue;
        leaks[at]?.set(row, { truth: truth.values[place], reachUs: cutUs - instantAt(sample.times, row) });
      }
    }
  } finally {
    await past.close();
  }
}

/** Times of rows, spread over all of them, the last included: at its own time a row's answer has the whole future removed. */
function chooseCuts({ times, length }: Sample, most: number): readonly bigint[] {
  const sorted: bigint[] = [];
  for (let row = 0; row < length; row++) if (times.nulls?.[row] !== 1) sorted.push(instantAt(times, row));
  sorted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (sorted.length === 0) return [];
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as bigint;
  return [...new Set(Array.from({ length: most }, (_, step) => at((step + 1) / most)))];
}

function describeFeature(
  audit: FeatureAudit,
  sample: Sample,
  reference: string,
  plan: RetrievalPlan,
  at: number,
  { values, known, earlier }: Readonly<Record<'values' | 'known' | 'earlier', SampleAnswer>>,
  leaks: ReadonlyMap<number, { readonly truth: unknown; readonly reachUs: bigint }>,
): AuditedColumn {
  const { view, feature, unknown } = describeSources(plan, at);
  const examples: LeakExample[] = [];
  const example = (row: number, truth: unknown, reachUs: bigint | undefined) => {
    if (examples.length < mostExamples)
      examples.push(describeExample(sample, row, audit.keysOf, values.values[row], truth, reachUs));
  };
  let rows = 0;
  let changed = 0;
  let hindsight = 0;
  let reachUs: bigint | undefined;
  for (const [row, leak] of leaks) {
    example(row, leak.truth, leak.reachUs);
    if (reachUs === undefined || leak.reachUs > reachUs) reachUs = leak.reachUs;
  }
  for (let row = 0; row < sample.length; row++) {
    if (!hasTime(sample, row)) continue;
    rows += 1;
    if (!isSameValue(values.values[row], earlier.values[row], exact)) changed += 1;
    if (leaks.has(row) || isSameValue(values.values[row], known.values[row], exact)) continue;
    hindsight += 1;
    example(row, known.values[row], undefined);
  }
  const verdict: Verdict = rows === 0 ? 'no data' : leaks.size > 0 ? 'leak' : hindsight > 0 ? 'hindsight' : 'clean';
  return {
    column: reference,
    view,
    feature,
    rows,
    agree: rows - leaks.size - hindsight,
    leak_rows: leaks.size,
    hindsight_rows: unknown.length > 0 && hindsight === 0 ? null : hindsight,
    stale_rows: 0,
    other: 0,
    reach_seconds: reachUs === undefined ? null : Number(reachUs) / 1e6,
    changed_share: rows === 0 ? null : changed / rows,
    verdict,
    result: rows === 0 ? 'NO DATA' : leaks.size > 0 ? 'FAIL' : 'PASS',
    examples,
    text: explain(verdict, rows, leaks.size, hindsight, unknown),
  };
}

function explain(verdict: Verdict, rows: number, leaks: number, hindsight: number, unknown: readonly NotExamined[]): string {
  const found =
    verdict === 'no data'
      ? ['no row has a time']
      : verdict === 'leak'
        ? [`${leaks} of ${rows} rows are others once the future is removed from the sources`]
        : verdict === 'hindsight'
          ? [`${hindsight} of ${rows} rows rest on rows created after their time: as_known=True gives what was known`]
          : [];
  return [...found, ...unknown.map(({ text }) => text)].join('; ');
}

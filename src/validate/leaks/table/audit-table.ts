/** Audits a table that was made elsewhere: what its columns are beside what could be known at each row's time. */
import type { Column } from '../../../arrow/column.ts';
import { readValue } from '../../../arrow/read-value.ts';
import type { RetrievalPlan } from '../../../offline/plan.ts';
import type { OnProgress } from '../../progress.ts';
import { type Ask, answerSample, planSample, type SampleAnswer } from '../answer-sample.ts';
import type { KeyReader } from '../example.ts';
import type { AuditedColumn, LeakProgress } from '../report.ts';
import { handMadeTolerance, identify, isSameValue } from '../same-value.ts';
import { hasTime, readSampleTimes, type Sample, shiftInstants, takeRows } from '../sample.ts';
import { describeSources } from '../sources.ts';
import { findConstant } from './constant-per-key.ts';
import { describeColumn, type JudgedRow } from './describe-column.ts';
import { explainRows } from './explain.ts';
import { type Guess, guessAround, guessValues, lookupOf } from './guess.ts';
import { listHypotheses, type Span } from './hypotheses.ts';

export interface TableAudit extends Ask {
  /** By feature asked for: the column that claims to be it. */
  readonly columns: readonly { readonly column: string; readonly values: readonly unknown[] }[];
  readonly deltaUs: bigint;
  /** The newest event of any source, in microseconds. */
  readonly endUs: bigint;
  /** Share of rows above which leaking ones fail a column. */
  readonly threshold: number;
  readonly keysOf: KeyReader;
  readonly onProgress: OnProgress<LeakProgress>;
}

/** Rows of a column whose causes are looked for, of all that differ. */
const mostDiffering = 2000;

/** The audited columns in order. The sample is without the columns themselves: nothing that they say reaches an answer. */
export async function auditTable(audit: TableAudit, sample: Sample): Promise<readonly AuditedColumn[]> {
  const { plan } = planSample(audit, sample);
  const known = await answerSample({ ...audit, asKnown: true }, sample, sample.times);
  const open = await answerSample({ ...audit, asKnown: false }, sample, sample.times);
  const earlier = await answerSample(audit, sample, shiftInstants(sample.times, -audit.deltaUs));
  const states = audit.columns.map(({ values }, at) =>
    values.map((value, row) => compare(value, hasTime(sample, row), row, known[at] as SampleAnswer, open[at] as SampleAnswer)),
  );
  const chosen = chooseDiffering(states);
  const guesses = chosen.length === 0 ? [] : await guessAll(audit, takeRows(sample, chosen), spanOf(sample));
  await audit.onProgress({ step: 1, of: 1 });
  return audit.columns.map(({ column, values }, at) => {
    const places = [...chosen.keys()].filter((place) => states[at]?.[chosen[place] as number] === 'differs');
    const still = findConstant(identifyKeys(plan, at, sample), values, known[at]?.values ?? []);
    const constant = { kind: 'leak' as const, text: stillText, matches: still, reachUs: reachToEnd(sample, audit.endUs) };
    const { rows, best } = judgeDiffering(guesses, constant, { values, places, chosen, at });
    const judged = values.flatMap((value, row): readonly JudgedRow[] => {
      const state = states[at]?.[row];
      if (state === undefined) return [];
      const truth = known[at]?.values[row];
      return [{ row, value, truth, ...(rows.get(row) ?? { verdict: state === 'differs' ? 'not looked into' : state }) }];
    });
    const changed = values.filter((_, row) => hasTime(sample, row) && !isGiven(known[at]?.values[row], earlier[at], row)).length;
    return describeColumn({ column, ...describeSources(plan, at), sample, judged, changed, why: best?.text, ...audit });
  });
}

async function guessAll(audit: TableAudit, part: Sample, span: Pick<Span, 'firstUs' | 'lastUs'>): Promise<readonly Guess[]> {
  const { plan } = planSample(audit, part);
  const delaysUs = plan.lookups.map(({ delayUs }) => delayUs);
  const hypotheses = listHypotheses({ ...span, endUs: audit.endUs, delaysUs });
  const guesses: Guess[] = [];
  for (const [done, hypothesis] of hypotheses.entries()) {
    guesses.push(await guessValues(audit, plan, part, hypothesis, audit.endUs));
    await audit.onProgress({ step: done + 1, of: hypotheses.length + 1 });
  }
  return [...guesses, ...(await guessAround(audit, part))];
}

interface ColumnRows {
  readonly values: readonly unknown[];
  /** Places in `chosen` of the rows that differ in this column. */
  readonly places: readonly number[];
  /** The row of the sample at each place. */
  readonly chosen: Int32Array;
  readonly at: number;
}

/** A guess that is made of a column's own values, by row of the sample. */
interface OwnGuess {
  readonly kind: 'leak';
  readonly text: string;
  readonly matches: Uint8Array;
  readonly reachUs: readonly bigint[];
}

const stillText = 'one value for each key at whatever time, as an aggregate over its whole history is';

function judgeDiffering(given: readonly Guess[], own: OwnGuess, { values, places, chosen, at }: ColumnRows) {
  const guesses = [...given, { ...own, reachUs: Array.from(chosen, (row) => own.reachUs[row] as bigint) }];
  const candidates = [
    ...given.map(({ kind, answers }) => ({
      kind,
      matches: Uint8Array.from(places, (place) => (isGiven(values[chosen[place] as number], answers[at], place) ? 1 : 0)),
    })),
    { kind: own.kind, matches: Uint8Array.from(places, (place) => own.matches[chosen[place] as number] as number) },
  ];
  const { rows, best } = explainRows(places.length, candidates);
  const reachOf = (of: number): bigint | undefined => {
    if (rows[of] !== 'leak') return undefined;
    const place = places[of] as number;
    if (best !== undefined && candidates[best]?.matches[of] === 1) return guesses[best]?.reachUs[place];
    const reaches = guesses.flatMap(({ kind, reachUs }, index) =>
      kind === 'leak' && candidates[index]?.matches[of] === 1 ? [reachUs[place] as bigint] : [],
    );
    return reaches.reduce<bigint | undefined>((least, us) => (least === undefined || us < least ? us : least), undefined);
  };
  const judged = places.map((place, of) => {
    return [chosen[place] as number, { verdict: rows[of] as JudgedRow['verdict'], reachUs: reachOf(of) }] as const;
  });
  return { rows: new Map(judged), best: best === undefined ? undefined : guesses[best] };
}

/** undefined for a row without a time. */
function compare(value: unknown, isTimed: boolean, row: number, known: SampleAnswer, open: SampleAnswer) {
  if (!isTimed) return undefined;
  if (isGiven(value, known, row)) return 'clean';
  return isGiven(value, open, row) ? 'hindsight' : 'differs';
}

/** A null also stands for a value that a default replaced. */
function isGiven(value: unknown, answer: SampleAnswer | undefined, row: number): boolean {
  if (answer === undefined) return false;
  const isNull = value === null || value === undefined || Number.isNaN(value);
  return (isNull && answer.isDefault[row] === true) || isSameValue(value, answer.values[row], handMadeTolerance);
}

/** Some rows of those that differ in any column, each column with its share of them. */
function chooseDiffering(states: readonly (readonly (string | undefined)[])[]): Int32Array {
  const chosen = new Set<number>();
  for (const ofColumn of states) {
    const differing = [...ofColumn.keys()].filter((row) => ofColumn[row] === 'differs');
    const step = Math.max(1, Math.ceil(differing.length / mostDiffering));
    for (let at = 0; at < differing.length; at += step) chosen.add(differing[at] as number);
  }
  return Int32Array.from([...chosen].sort((a, b) => a - b));
}

/** The keys of a feature's view by row; undefined for rows without a time, and for features that are computed on demand. */
function identifyKeys(plan: RetrievalPlan, at: number, sample: Sample): readonly (string | undefined)[] {
  const columns = lookupOf(plan, at)?.keys.map(
    ({ column }) => sample.columns.find(({ field }) => field.name === column) as Column,
  );
  return Array.from({ length: sample.length }, (_, row) =>
    columns === undefined || !hasTime(sample, row) ? undefined : identify(columns.map((column) => readValue(column, row))),
  );
}

function reachToEnd(sample: Sample, endUs: bigint): readonly bigint[] {
  return readSampleTimes(sample).map((us) => (us === null || us > endUs ? 0n : endUs - us));
}

function spanOf(sample: Sample): Pick<Span, 'firstUs' | 'lastUs'> {
  let firstUs: bigint | undefined;
  let lastUs: bigint | undefined;
  for (const us of readSampleTimes(sample)) {
    if (us === null) continue;
    if (firstUs === undefined || us < firstUs) firstUs = us;
    if (lastUs === undefined || us > lastUs) lastUs = us;
  }
  return { firstUs: firstUs ?? 0n, lastUs: lastUs ?? 0n };
}

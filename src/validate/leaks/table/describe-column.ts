/** From what each row of a column was found to be to the column's verdict, and to the words for it. */
import { describeExample, type KeyReader } from '../example.ts';
import type { AuditedColumn, NotExamined, Verdict } from '../report.ts';
import type { Sample } from '../sample.ts';

export interface JudgedRow {
  readonly row: number;
  /** `not looked into` differs like others whose causes were looked for: there are enough of those. */
  readonly verdict: 'clean' | 'hindsight' | 'leak' | 'stale' | 'other' | 'not looked into';
  readonly value: unknown;
  readonly truth: unknown;
  readonly reachUs?: bigint | undefined;
}

export interface ColumnFacts {
  readonly column: string;
  readonly view: string;
  readonly feature: string;
  /** Sources that say of no row when it became known. */
  readonly unknown: readonly NotExamined[];
  readonly sample: Sample;
  readonly judged: readonly JudgedRow[];
  readonly changed: number;
  /** What the rows that differ are equal to, where one thing explains them. */
  readonly why: string | undefined;
  readonly threshold: number;
  readonly keysOf: KeyReader;
}

const mostExamples = 5;

export function describeColumn(facts: ColumnFacts): AuditedColumn {
  const { column, view, feature, unknown, sample, judged, changed, threshold, keysOf } = facts;
  const rows = judged.length;
  const countOf = (verdict: JudgedRow['verdict']) => judged.filter((row) => row.verdict === verdict).length;
  const looked = { leak: countOf('leak'), stale: countOf('stale'), other: countOf('other') };
  // Rows that were not looked into are dealt out as those are that were.
  const all = looked.leak + looked.stale + looked.other;
  const scale = all === 0 ? 1 : (all + countOf('not looked into')) / all;
  const leaks = Math.round(looked.leak * scale);
  const stale = Math.round(looked.stale * scale);
  const hindsight = countOf('hindsight');
  const agree = countOf('clean');
  const other = rows - agree - hindsight - leaks - stale;
  const verdict = decide({ rows, leaks, hindsight, stale, other, threshold });
  const reach = judged.reduce<bigint | undefined>(
    (most, { reachUs }) => (reachUs !== undefined && (most === undefined || reachUs > most) ? reachUs : most),
    undefined,
  );
  const order = ['leak', 'other', 'hindsight', 'stale'];
  const examples = judged
    .filter((row) => order.includes(row.verdict))
    .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
    .slice(0, mostExamples)
    .map((row) => describeExample(sample, row.row, keysOf, row.value, row.truth, row.reachUs));
  return {
    column,
    view,
    feature,
    rows,
    agree,
    leak_rows: leaks,
    hindsight_rows: unknown.length > 0 && hindsight === 0 ? null : hindsight,
    stale_rows: stale,
    other,
    reach_seconds: reach === undefined ? null : Number(reach) / 1e6,
    changed_share: rows === 0 ? null : changed / rows,
    verdict,
    result: verdict === 'no data' ? 'NO DATA' : verdict === 'leak' || verdict === 'unexplained' ? 'FAIL' : 'PASS',
    examples,
    text: explain(facts, verdict, { rows, leaks, hindsight, stale, other }),
  };
}

interface Counts {
  readonly rows: number;
  readonly leaks: number;
  readonly hindsight: number;
  readonly stale: number;
  readonly other: number;
}

function decide({ rows, leaks, hindsight, stale, other, threshold }: Counts & { readonly threshold: number }): Verdict {
  if (rows === 0) return 'no data';
  if (leaks > threshold * rows) return 'leak';
  if (other + leaks > threshold * rows) return 'unexplained';
  if (hindsight > 0) return 'hindsight';
  return stale + other + leaks > 0 ? 'stale' : 'clean';
}

function explain({ why, unknown }: ColumnFacts, verdict: Verdict, { rows, leaks, hindsight, stale, other }: Counts): string {
  const of = `of ${rows} rows`;
  const said: string[] = [];
  if (verdict === 'no data') said.push('no row has a time');
  if (verdict === 'leak') said.push(`${leaks} ${of} rest on what happened after their time: equal to ${why}`);
  if (verdict === 'unexplained') {
    const but = why === undefined ? '' : `; most are equal to ${why}`;
    said.push(`${other + leaks} ${of} are what the feature was neither at their time nor at any other looked at${but}`);
  }
  if (verdict === 'stale')
    said.push(`${stale + other + leaks} ${of} are older than what was known: equal to ${why ?? 'earlier values'}`);
  if (hindsight > 0) said.push(`${hindsight} ${of} rest on rows created after their time, as known only later`);
  return [...said, ...unknown.map(({ text }) => text)].join('; ');
}

/** What a leak audit finds, as it stands on the wire. */

export type AuditResult = 'PASS' | 'FAIL' | 'NO DATA';

/**
 * What a column's values are, beside what could be known at each row's time: equal (`clean`); resting on rows visible only later
 * (`leak`); on rows created later (`hindsight`); on fewer rows than were visible (`stale`); or on none of these (`unexplained`).
 */
export type Verdict = 'clean' | 'leak' | 'hindsight' | 'stale' | 'unexplained' | 'no data';

/** One row that tells what is wrong. Instants are ISO text, values as text. */
export interface LeakExample {
  readonly row: number;
  readonly keys: Readonly<Record<string, string | null>>;
  readonly event_timestamp: string;
  readonly value: string | null;
  /** What could be known at the row's time. */
  readonly truth: string | null;
  readonly reach_seconds: number | null;
}

export interface AuditedColumn {
  /** The column of a table that was made elsewhere, or the answer's own. */
  readonly column: string;
  readonly view: string;
  readonly feature: string;
  /** Rows that were looked at: those with a time. */
  readonly rows: number;
  readonly agree: number;
  readonly leak_rows: number;
  /** null: a source does not say when its rows became known, see `not_examined`. */
  readonly hindsight_rows: number | null;
  readonly stale_rows: number;
  readonly other: number;
  /** How far beyond a row's time the values of leaking rows reach, at most; null without such rows. */
  readonly reach_seconds: number | null;
  /** Share of rows whose value is another one `delta` before their time: how much an error of that size would matter. */
  readonly changed_share: number | null;
  readonly verdict: Verdict;
  readonly result: AuditResult;
  readonly examples: readonly LeakExample[];
  readonly text: string;
}

export interface AuditedLabel {
  readonly label: string;
  readonly column: string;
  /** `equal` to the label, each value of it having one label (`determines`), ordered as the label is, or with an AUC of almost 1. */
  readonly how: 'equal' | 'determines' | 'orders' | 'separates';
  readonly rows: number;
  readonly score: number;
  readonly text: string;
}

/** What the audit could not look for, where it would otherwise pass in silence. */
export interface NotExamined {
  readonly what: 'hindsight';
  readonly source: string;
  readonly text: string;
}

export interface LeakFindings {
  readonly result: AuditResult;
  readonly summary: string;
  /** Least and greatest time of the rows that were looked at, ISO; null where there are none. */
  readonly from: string | null;
  readonly to: string | null;
  readonly rows: number;
  /** Of so many; the others were left out to bound the work. */
  readonly of: number;
  readonly features: readonly AuditedColumn[];
  readonly labels: readonly AuditedLabel[];
  readonly not_examined: readonly NotExamined[];
  /** Columns that no feature was found for, and why. */
  readonly unmapped: readonly { readonly column: string; readonly text: string }[];
  /** The names of what leaks: features and columns whose verdict is `leak`, and those that give a label away. */
  readonly leaking: readonly string[];
}

export interface LeakProgress {
  readonly step: number;
  readonly of: number;
}

/** The findings as they are kept and answered. */
export interface LeakReport extends LeakFindings {
  readonly id: string;
  readonly kind: 'leaks';
  /** ISO instant. */
  readonly created_at: string;
}

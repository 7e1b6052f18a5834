/** Stored reports as the server writes them; what each kind tells of features is read as far as it is there. */
import { getJson, withQuery } from './call.ts';

export type Result = 'PASS' | 'FAIL' | 'NO DATA';

export interface Envelope {
  readonly id: string;
  readonly kind: string;
  readonly created_at: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly result: Result;
  /** null where features are left out. */
  readonly summary: unknown;
  /** Features of views that the token is not for. */
  readonly left_out?: number;
}

export interface WholeReport extends Envelope {
  readonly mode?: string;
  readonly version?: number;
  /** Of drift: what is compared with what. */
  readonly reference?: DriftSide;
  readonly current?: DriftSide;
  readonly features?: readonly ReportFeature[];
}

/** Members of a feature, whichever the kind has. */
export type ReportFeature = Readonly<Record<string, unknown>> & {
  readonly view?: string | null;
  readonly feature?: string | null;
  /** Of a pair the other `view:feature`. */
  readonly against?: string;
  readonly column?: string;
  readonly type?: string;
  readonly result?: Result;
};

/** The last check of each feature, as the report that it names has it. */
export interface LastChecks<Feature extends ReportFeature> {
  readonly features: readonly (Feature & { readonly report: string; readonly checked_at: string })[];
  /** Features of views that the token is not for. */
  readonly left_out: number;
  /** The last check of the schedule could not be made; `error` is null where the token is for certain views. */
  readonly not_made: { readonly since: string; readonly error: string | null } | null;
}

export interface ParityFeature extends ReportFeature {
  readonly n: number;
  readonly exact: number;
  readonly within_tolerance: number;
  readonly share_within: number | null;
  readonly mean_abs_error: number | string | null;
  readonly max_abs_error: number | string | null;
  readonly pearson: number | null;
  readonly p99: number | string | null;
  readonly examined: number;
  readonly causes: Readonly<Record<string, number>>;
  readonly worst: readonly ParityExample[];
}

export interface ParityExample {
  readonly keys: Readonly<Record<string, unknown>>;
  readonly evaluated_at: string;
  readonly online: SideValue;
  readonly offline: SideValue;
  readonly difference: number | string | null;
  readonly cause: string | null;
  readonly evidence: { readonly online: unknown; readonly offline: unknown; readonly text: string };
}

/** A period of what was served, a saved dataset, or a training set. */
export interface DriftSide {
  readonly kind: 'log' | 'dataset' | 'frame';
  readonly dataset?: string;
  readonly split?: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly rows: number;
}

export interface DriftFeature extends ReportFeature {
  readonly measure: string | null;
  readonly reference: DriftValues;
  readonly current: DriftValues;
  readonly psi: number | null;
  readonly js: number | null;
  readonly ks: number | null;
  readonly mean_change: number | null;
  readonly alarms: readonly { readonly alarm: string; readonly text: string }[];
}

export interface DriftValues {
  readonly n: number;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly least: number | null;
  readonly greatest: number | null;
  readonly null_rate: number | null;
  readonly default_rate: number | null;
  readonly newest_event: string | null;
  readonly histogram: Histogram;
}

/** One count more than there are edges or categories: what is above the last edge, or any other category. */
export interface Histogram {
  readonly kind: 'numbers' | 'categories';
  readonly edges?: readonly number[];
  readonly categories?: readonly string[];
  readonly counts: readonly number[];
}

export interface LeakColumn extends ReportFeature {
  readonly rows: number;
  readonly agree: number;
  readonly leak_rows: number;
  readonly hindsight_rows: number | null;
  readonly other: number;
  readonly reach_seconds: number | null;
  readonly verdict: string;
  readonly text: string;
  readonly examples: readonly LeakExample[];
}

export interface LeakExample {
  readonly row: number;
  readonly keys: Readonly<Record<string, unknown>>;
  readonly event_timestamp: string;
  readonly value: string | null;
  readonly truth: string | null;
  readonly reach_seconds: number | null;
}

export interface SideValue {
  readonly value: unknown;
  readonly status: string;
  readonly is_default: boolean;
  readonly event_timestamp: string | null;
}

export interface ReportList {
  readonly reports: readonly Envelope[];
  /** Reports of other views than the token is for. */
  readonly left_out: number;
}

/** The newest first; all without a kind and a limit. */
export function readReports(
  query: { readonly kind?: string; readonly limit?: number },
  signal: AbortSignal,
): Promise<ReportList> {
  return getJson(withQuery('api/v1/reports', query), signal);
}

export function readLastChecks<Feature extends ReportFeature>(kind: string, signal: AbortSignal): Promise<LastChecks<Feature>> {
  return getJson(withQuery('api/v1/health/checks', { kind }), signal);
}

export function readReport(id: string, signal: AbortSignal): Promise<WholeReport> {
  return getJson(`api/v1/reports/${encodeURIComponent(id)}`, signal);
}

export interface WholeReports {
  /** The oldest first. */
  readonly reports: readonly WholeReport[];
  /** Whether the token sees all that they and others tell. */
  readonly areWhole: boolean;
}

/** The newest reports of a kind. */
export async function readNewest(kind: string, most: number, signal: AbortSignal): Promise<WholeReports> {
  const { reports, left_out: left } = await readReports({ kind, limit: most }, signal);
  return {
    reports: await Promise.all(reports.toReversed().map(({ id }) => readReport(id, signal))),
    areWhole: left === 0 && reports.every((report) => report.left_out === undefined),
  };
}

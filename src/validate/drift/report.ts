/** What a check of drift tells, as it stands on the wire. */
import type { ReportEnvelope } from '../reports.ts';
import type { Alarm } from './alarms.ts';
import type { Histogram } from './histogram.ts';

export interface DriftReport extends ReportEnvelope {
  readonly kind: 'drift';
  /** What is compared with what. */
  readonly reference: DriftSide;
  readonly current: DriftSide;
  readonly version: number;
  readonly summary: DriftSummary;
  readonly features: readonly DriftFeature[];
}

/** A period of the feature log, a saved dataset, or a training set. */
export interface DriftSide {
  readonly kind: 'log' | 'dataset' | 'frame';
  /** `NAME@VERSION`, and the split where only one was read. */
  readonly dataset?: string;
  readonly split?: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly rows: number;
}

export interface DriftSummary {
  readonly features: number;
  readonly passed: number;
  readonly failed: number;
  readonly no_data: number;
  /** Features by alarm. */
  readonly alarms: Readonly<Record<string, number>>;
  readonly skipped: readonly { readonly feature: string; readonly reason: string }[];
  readonly advice: string | null;
  readonly seconds: number;
}

export interface DriftFeature {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  /** What is compared where it is not the value itself: its age, its length. */
  readonly measure: string | null;
  readonly reference: DriftValues;
  readonly current: DriftValues;
  /** null where a side has no values, and of categories the last two. */
  readonly psi: number | null;
  readonly js: number | null;
  readonly ks: number | null;
  /** In standard deviations of the reference. */
  readonly mean_change: number | null;
  readonly null_rate_change: number | null;
  /** null also where a side does not tell which values are defaults, as is its `default_rate`. */
  readonly default_rate_change: number | null;
  readonly alarms: readonly Alarm[];
  /** The one value that it has on both sides, as text; null where it varies, or too few keys were asked for. No alarm: it may be meant. */
  readonly never_varied: string | null;
  readonly result: 'PASS' | 'FAIL' | 'NO DATA';
}

export interface DriftValues {
  readonly n: number;
  /** Keys that the rows are of: draws that chance is reckoned by. */
  readonly units: number;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly least: number | null;
  readonly greatest: number | null;
  readonly null_rate: number | null;
  readonly default_rate: number | null;
  readonly not_finite_rate: number | null;
  readonly newest_event: string | null;
  readonly histogram: Histogram;
}

/** What a check of parity tells, as it stands on the wire. */
import type { CauseName } from './causes.ts';
import type { Result } from './compare-feature.ts';
import type { Json } from './show.ts';

export interface ParityReport {
  readonly id: string;
  readonly kind: 'parity';
  readonly created_at: string;
  /** What was compared: rows of the feature log, a sample of keys read online, or two features of history. */
  readonly mode: 'log' | 'live' | 'pairs';
  readonly from: string | null;
  readonly to: string | null;
  readonly version: number;
  readonly result: Result;
  readonly summary: ParitySummary;
  readonly features: readonly ParityFeature[];
}

export interface ParitySummary {
  readonly rows: number;
  readonly pairs: number;
  readonly features: number;
  readonly passed: number;
  readonly failed: number;
  readonly no_data: number;
  /** Differences, and how many of them were looked at for their cause. */
  readonly differences: number;
  readonly examined: number;
  readonly causes: Readonly<Partial<Record<CauseName, number>>>;
  /** `view:feature` that were served and are no more defined. */
  readonly gone: readonly string[];
  /** What was not compared, and why. */
  readonly skipped: readonly { readonly feature: string; readonly reason: string }[];
  /** What to do, where nothing could be compared. */
  readonly advice: string | null;
  readonly seconds: number;
}

/** Infinite numbers are written by name. */
export interface ParityFeature {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  /** Of pairs of two features the other one, which stands where examples say offline. */
  readonly against?: string;
  readonly n: number;
  readonly exact: number;
  readonly within_tolerance: number;
  readonly only_online_null: number;
  readonly only_offline_null: number;
  readonly status_mismatch: number;
  readonly default_mismatch: number;
  readonly event_timestamp_mismatch: number;
  readonly mean_abs_error: number | string | null;
  readonly max_abs_error: number | string | null;
  readonly max_rel_error: number | string | null;
  readonly smape: number | null;
  readonly pearson: number | null;
  readonly p50: number | string | null;
  readonly p95: number | string | null;
  readonly p99: number | string | null;
  readonly share_within: number | null;
  readonly tolerance: { readonly relative: number; readonly absolute: number };
  readonly result: Result;
  readonly examined: number;
  /** Of the differences that were examined; several may act together, of which the first is the cause. */
  readonly causes: Readonly<Partial<Record<CauseName, number>>>;
  readonly worst: readonly ParityExample[];
}

export interface ParityExample {
  readonly keys: Json;
  readonly evaluated_at: string;
  readonly online: Json;
  readonly offline: Json;
  readonly difference: number | string | null;
  readonly cause: CauseName | null;
  readonly causes: readonly CauseName[];
  readonly evidence: { readonly online: Json; readonly offline: Json; readonly text: string };
}

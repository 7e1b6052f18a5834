/** What the server watches by itself: alerts by the rules of its config, and alarms of single features. */
import { getJson } from './call.ts';

export interface ShownAlerts {
  /** null before the first look. */
  readonly checked_at: string | null;
  readonly rules: readonly { readonly rule: string; readonly severity: Severity; readonly for: string }[];
  readonly alerts: readonly ShownAlert[];
  /** Kinds of rules that could not be looked at last time, of all views or of some: their alerts are as they were. */
  readonly not_looked_at: readonly MissedLook[];
  /** Alerts about views that the token is not for. */
  readonly left_out: number;
}

export interface MissedLook {
  readonly when: string;
  readonly since: string;
  readonly error: string;
  readonly views?: readonly string[];
}

export type Severity = 'warning' | 'critical';

export interface ShownAlert {
  readonly rule: string;
  readonly severity: Severity;
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
  readonly since: string;
  readonly state: 'firing' | 'waiting';
}

export interface FeatureHealth {
  /** null before the first look, or where nothing is logged. */
  readonly checked_at: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly features: number;
  readonly judged: number;
  readonly views: Readonly<Record<string, { readonly features: number; readonly judged: number }>>;
  readonly alarms: readonly FeatureAlarm[];
  /** What to do where nothing is looked at. */
  readonly advice: string | null;
  /** Features of one value, now and in all of history. */
  readonly never_varied: readonly { readonly view: string; readonly feature: string; readonly value: string }[];
  /** Features of views that the token is not for. */
  readonly left_out: number;
}

export interface FeatureAlarm {
  readonly view: string;
  readonly feature: string;
  readonly alarm: string;
  readonly since: string;
  readonly text: string;
}

export function readAlerts(signal: AbortSignal): Promise<ShownAlerts> {
  return getJson('api/v1/alerts', signal);
}

export function readHealth(signal: AbortSignal): Promise<FeatureHealth> {
  return getJson('api/v1/health/features', signal);
}

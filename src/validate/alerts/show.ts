/** Rules and alerts as they stand on the wire. */
import type { Alerts } from './alerts.ts';
import { type Alert, type AlertRule, nameOf } from './step.ts';

export interface ShownAlerts {
  /** ISO instant of the last look; null before it. */
  readonly checked_at: string | null;
  readonly rules: readonly { readonly rule: string; readonly severity: Alert['severity']; readonly for: string }[];
  readonly alerts: readonly ShownAlert[];
  /** What could not be looked at last time, and since when: alerts of such rules are as they were then. */
  readonly not_looked_at: readonly MissedLook[];
}

export interface MissedLook {
  /** The kind of rules. */
  readonly when: AlertRule['when'];
  readonly since: string;
  readonly error: string;
  /** Only these; absent: of all. */
  readonly views?: readonly string[];
}

export interface ShownAlert extends Pick<Alert, 'rule' | 'severity' | 'labels' | 'text'> {
  readonly since: string;
  /** It waits where it does not last long enough yet. */
  readonly state: 'firing' | 'waiting';
}

export const noAlerts: ShownAlerts = Object.freeze({ checked_at: null, rules: [], alerts: [], not_looked_at: [] });

/** `rules` are those of the config. */
export function showAlerts(
  rules: readonly (Omit<AlertRule, 'forMs'> & { readonly for: string })[],
  alerts: Pick<Alerts, 'all' | 'checkedMs'>,
  missed: readonly MissedLook[],
): ShownAlerts {
  const checkedMs = alerts.checkedMs();
  return {
    checked_at: checkedMs === undefined ? null : isoOf(checkedMs),
    rules: rules.map((rule) => ({ rule: nameOf(rule), severity: rule.severity, for: rule.for })),
    alerts: alerts.all().map(({ rule, severity, labels, text, sinceMs, isFiring }) => ({
      ...{ rule, severity, labels, text },
      since: isoOf(sinceMs),
      state: isFiring ? 'firing' : 'waiting',
    })),
    not_looked_at: missed,
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

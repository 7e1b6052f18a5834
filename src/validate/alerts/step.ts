/** What becomes of alerts from one look to the next: each fires once, after its time, and resolves once. */

export interface AlertRule {
  readonly when: 'feature' | 'parity' | 'drift' | 'lag' | 'freshness';
  readonly view?: string | undefined;
  readonly feature?: string | undefined;
  readonly source?: string | undefined;
  /** The clock that freshness is measured by; both where absent. */
  readonly by?: string | undefined;
  /** Seconds of lag that are too many. */
  readonly above: number;
  readonly forMs: number;
  readonly severity: 'warning' | 'critical';
}

/** Something that is wrong now, or is looked at: a stream that lags by nothing is found too. */
export interface Finding {
  readonly when: AlertRule['when'];
  /** What tells it from others of its kind; no others. */
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
  /** Of a stream that lags. */
  readonly seconds?: number;
  /** They may be more. */
  readonly isAtLeast?: boolean;
  /** Whether anything is wrong cannot be told now: alerts with these labels, and maybe more, stay what they are. */
  readonly isUnknown?: boolean;
}

/** JSON: it outlives the process. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  readonly severity: AlertRule['severity'];
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
  readonly sinceMs: number;
  readonly isFiring: boolean;
}

export interface AlertNews {
  readonly kind: 'firing' | 'resolved';
  readonly alert: Alert;
}

/** `found` has what was looked at: of a kind that could not be, undefined, its alerts stay what they are. */
export type Findings = Readonly<Partial<Record<AlertRule['when'], readonly Finding[] | undefined>>>;

/** No two rules have the same name and severity. */
export function stepAlerts(
  rules: readonly AlertRule[],
  before: readonly Alert[],
  found: Findings,
  nowMs: number,
): { readonly alerts: readonly Alert[]; readonly news: readonly AlertNews[] } {
  const known = new Map(before.map((alert) => [alert.id, alert]));
  const alerts = new Map<string, Alert>();
  const news: AlertNews[] = [];
  for (const rule of rules) {
    const name = nameOf(rule);
    const findings = found[rule.when] ?? [{ when: rule.when, labels: {}, text: '', isUnknown: true }];
    const judged = new Set<string>();
    for (const finding of findings) {
      if (isOpen(rule, finding)) continue;
      const id = `${rule.severity} ${name} ${JSON.stringify(Object.entries(finding.labels).sort())}`;
      judged.add(id);
      if (!isMeant(rule, finding)) continue;
      const old = known.get(id);
      const sinceMs = old?.sinceMs ?? nowMs;
      const isFiring = old?.isFiring === true || nowMs - sinceMs >= rule.forMs;
      const alert = { id, rule: name, severity: rule.severity, labels: finding.labels, text: finding.text, sinceMs, isFiring };
      if (isFiring && old?.isFiring !== true && !alerts.has(id)) news.push({ kind: 'firing', alert });
      alerts.set(id, alert);
    }
    const unknown = findings.filter((finding) => isOpen(rule, finding));
    for (const alert of before) {
      if (alert.rule !== name || alert.severity !== rule.severity || judged.has(alert.id)) continue;
      if (unknown.some(({ labels }) => hasAll(alert.labels, labels))) alerts.set(alert.id, alert);
    }
  }
  // Of a rule that is gone too: who was told of it is told of its end.
  for (const alert of before) if (alert.isFiring && !alerts.has(alert.id)) news.push({ kind: 'resolved', alert });
  return { alerts: [...alerts.values()], news };
}

/** As metrics and messages call it: another one for whatever is meant. */
export function nameOf({ when, view, feature, source, by, above }: Omit<AlertRule, 'forMs'>): string {
  const ofFeature = view === undefined && feature !== undefined ? '*' : view;
  const about = [ofFeature, feature, source].filter((part) => part !== undefined).join(':');
  const limit = when === 'lag' ? ` above ${above} s` : '';
  const clock = by === undefined ? '' : ` by ${by}`;
  return `${when}${about === '' ? '' : ` ${about}`}${clock}${limit}`;
}

function isMeant({ view, feature, source, by, above }: AlertRule, { labels, seconds }: Finding): boolean {
  const fits = (wanted: string | undefined, label: string | undefined) => wanted === undefined || wanted === label;
  const isLong = seconds === undefined || seconds > above;
  const wanted = { view, feature, source, by };
  return isLong && Object.entries(wanted).every(([name, one]) => fits(one, labels[name]));
}

function isOpen({ above }: AlertRule, { isUnknown, isAtLeast, seconds = 0 }: Finding): boolean {
  return isUnknown === true || (isAtLeast === true && seconds <= above);
}

function hasAll(labels: Finding['labels'], wanted: Finding['labels']): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

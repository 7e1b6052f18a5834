/** What a training set's report says of the events of its views: those that count nowhere, and why (rule 6.1). */
import type { PreparedPlan } from '../answer/answer.ts';
import type { InvalidEvents } from '../projection/manifest.ts';

/** In the names of the wire. */
export interface EventReport {
  readonly view: string;
  readonly source: string;
  /** Events of the source's history that count nowhere. */
  readonly invalid: number;
  /** By what is wrong with which column; one event may be wrong in several. */
  readonly reasons: InvalidEvents['reasons'];
}

/** One of each view of events that a plan reads, in its order. */
export function reportEvents({ plan, projections }: Pick<PreparedPlan, 'plan' | 'projections'>): EventReport[] {
  const reports = new Map<string, EventReport>();
  for (const [at, { view, source }] of plan.lookups.entries()) {
    const invalid = projections[at]?.invalid;
    if (invalid === undefined) continue;
    reports.set(view.name, { view: view.name, source: source.name, invalid: invalid.events, reasons: invalid.reasons });
  }
  return [...reports.values()];
}

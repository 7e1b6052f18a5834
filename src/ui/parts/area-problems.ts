/** What is wrong with views, sources and streams by what they themselves tell. */
import type { Catalogue, Deprecation, ViewRow } from '../api/catalogue.ts';
import type { StreamNews } from '../api/overview.ts';
import { lagOf, sumOf } from '../api/streams.ts';
import { formatAge, formatNumber, formatSeconds } from './format.ts';
import { href } from './route.ts';

export interface Problem {
  readonly severity: 'bad' | 'warn';
  readonly name: string;
  readonly href: string;
  readonly text: string;
  /** ISO instant. */
  readonly since?: string;
}

/** As rules of alerts have it where they say nothing. */
const mostLagSeconds = 60;
const recentMs = 86_400_000;

export function freshnessProblems(views: readonly ViewRow[]): readonly Problem[] {
  return views.flatMap((view): readonly Problem[] => {
    const about = { name: view.name, href: href('views', view.name) };
    if (view.freshness_state === 'NEVER') {
      return [{ ...about, severity: 'bad', text: `nothing of it was ever served; the objective is ${view.freshness}` }];
    }
    if (view.freshness_state === 'STALE') return [{ ...about, severity: 'bad', text: tellAges(view) }];
    const ttlSeconds = secondsOf(view.ttl);
    const age = view.newest_event === null ? undefined : (Date.now() - Date.parse(view.newest_event)) / 1000;
    if (ttlSeconds === undefined || age === undefined || age <= ttlSeconds) return [];
    const text = `every value has expired: its newest event is ${formatSeconds(age)} old, and values are kept for ${view.ttl}`;
    return [{ ...about, severity: 'warn', text }];
  });
}

/** Whether nobody knows if a view meets its objective: what its age is of could not be asked. */
export function hasUnknownAge({ freshness, freshness_state: state }: ViewRow): boolean {
  return freshness != null && state == null;
}

export function tellAges(view: ViewRow): string {
  const event = `newest event ${formatSeconds(view.event_age_seconds)} old`;
  const processing = `brought up to date ${formatSeconds(view.processing_age_seconds)} ago`;
  return `${event}, ${processing}; the objective is ${view.freshness}`;
}

export function streamProblems(stream: StreamNews): readonly Problem[] {
  const about = { name: stream.source, href: href('streams', stream.source) };
  const problems: Problem[] = [];
  const { records, seconds } = lagOf(stream);
  const aside = sumOf(stream, 'set_aside');
  const newest = stream.newestSetAside;
  if (stream.error !== null) problems.push({ ...about, severity: 'bad', text: `it stands still: ${stream.error}` });
  if (stream.log_error !== null) problems.push({ ...about, severity: 'warn', text: `its log is not seen: ${stream.log_error}` });
  if (seconds !== null && seconds > mostLagSeconds) {
    const text = `what is applied is ${formatSeconds(seconds)} old, and ${formatNumber(records)} records wait`;
    problems.push({ ...about, severity: 'warn', text });
  }
  if (newest !== null && Date.now() - Date.parse(newest.set_aside_at) < recentMs) {
    const text = `${formatNumber(aside)} of its events count nowhere, the newest set aside ${formatAge(newest.set_aside_at)}: ${newest.reason}`;
    problems.push({ ...about, severity: 'warn', text });
  }
  return problems;
}

/** Ticks that did not run, and what should be gone and is read. */
export function catalogueProblems({ sources, views, services, features }: Catalogue): readonly Problem[] {
  const missing = sources.flatMap(({ name, missing_ticks: ticks = 0 }): readonly Problem[] => {
    const text = `${formatNumber(ticks)} of its runs are missing: featherflight run-sql ${name}`;
    return ticks === 0 ? [] : [{ severity: 'warn', name, href: href('sources', name), text }];
  });
  const overdue = (part: string) => (row: Deprecated) => tellOverdue(row, href(part, row.view ?? row.name));
  const own = features.filter(({ view, deprecated }) => {
    const whole = views.find(({ name }) => name === view)?.deprecated;
    return JSON.stringify(whole ?? null) !== JSON.stringify(deprecated ?? null);
  });
  return [
    ...missing,
    ...services.flatMap(overdue('services')),
    ...views.flatMap(overdue('views')),
    ...own.flatMap(overdue('views')),
  ];
}

interface Deprecated {
  readonly name: string;
  readonly view?: string;
  readonly deprecated: Deprecation | null;
  readonly last_read: string | null;
}

function tellOverdue({ name, deprecated, last_read: read }: Deprecated, target: string): readonly Problem[] {
  const end = deprecated?.removeAfter;
  if (end === undefined || read === null || read.slice(0, 10) <= end) return [];
  return [{ severity: 'warn', name, href: target, text: `it may be removed since ${end}, and was read ${formatAge(read)}` }];
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Of a duration such as `30d`. */
function secondsOf(duration: string | null): number | undefined {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(duration ?? '') ?? [];
  return unit === undefined ? undefined : Number(count) * (units[unit] as number);
}

/** What is wrong now, area by area of what is watched; what is not watched, or not to be seen, is never taken for well. */
import type { Catalogue } from '../api/catalogue.ts';
import type { Overview, Part } from '../api/overview.ts';
import type { DriftFeature, Envelope, LastChecks, ParityFeature, ReportFeature, Result } from '../api/reports.ts';
import type { FeatureAlarm, ShownAlert } from '../api/watched.ts';
import { catalogueProblems, freshnessProblems, hasUnknownAge, type Problem, streamProblems } from './area-problems.ts';
import { counted, formatAge, formatNumber, formatShare, words } from './format.ts';
import { href } from './route.ts';

export interface Area {
  readonly name: string;
  readonly href: string;
  readonly state: 'wrong' | 'well' | 'unwatched' | 'hidden';
  /** A line on what was looked at, or why nothing was. */
  readonly told: string;
  readonly problems: readonly Problem[];
}

export function areasOf(overview: Overview): readonly Area[] {
  const { catalogue } = overview;
  return [
    area('Alerts', href('health'), overview.alerts, ({ rules, alerts, checked_at: at, left_out: left }) => {
      if (rules.length === 0) return unwatched('No rule stands under alerts in the config.');
      const firing = alerts.filter(({ state }) => state === 'firing');
      const problems = firing.map(problemOf);
      if (at === null) return unwatched(`${counted(rules.length, 'rule')}, not looked at yet`);
      return looked(`${counted(rules.length, 'rule')}, looked at ${formatAge(at)}${tellHidden(left, 'alert')}`, problems);
    }),
    area(
      'Alarms of features',
      href('health'),
      overview.health,
      ({ checked_at: at, features, judged, alarms, left_out: left, advice }) => {
        if (at === null) return unwatched(advice ?? 'Nothing was looked at yet: the first look comes within minutes.');
        const told = `${counted(features, 'feature')} served, ${formatNumber(judged)} of them by enough keys; looked at ${formatAge(at)}${tellHidden(left, 'feature')}`;
        const problems = alarms.map(problemOfAlarm);
        return judged === 0 && problems.length === 0
          ? unwatched(`${told}. Nothing can be said of the others.`)
          : looked(told, problems);
      },
    ),
    area('Freshness', href('health'), { data: catalogue }, ({ views }) => {
      const bound = views.filter(({ freshness }) => freshness != null);
      const problems = freshnessProblems(views);
      if (bound.length === 0 && problems.length === 0) return unwatched('No view has an objective: freshness in its definition.');
      const told = `${formatNumber(bound.length)} of ${counted(views.length, 'view')} with an objective`;
      const unknown = bound.filter(hasUnknownAge).length;
      if (unknown === 0) return looked(told, problems);
      const why = `${told}; of ${formatNumber(unknown)} it cannot be told, as the online store or a stream's log was not to be asked`;
      return { state: problems.length === 0 ? 'hidden' : 'wrong', told: why, problems };
    }),
    checkedArea('Parity', overview.parity, 'validate parity --live', (feature: ParityFeature) => {
      const [cause] = Object.entries(feature.causes).sort(([, one], [, other]) => other - one)[0] ?? [];
      const share = `${formatShare(feature.share_within)} of ${formatNumber(feature.n)} within tolerance`;
      return cause === undefined ? share : `${share}, mostly for this cause: ${words(cause)}`;
    }),
    checkedArea('Drift', overview.drift, 'validate drift', (feature: DriftFeature) =>
      feature.alarms.map(({ alarm, text }) => `${words(alarm)}: ${text}`).join('; '),
    ),
    area('Leaks', href('reports'), overview.leaks, (report) => {
      if (report === undefined) return unwatched('No training set was audited: featherflight validate leaks.');
      const text = typeof report.summary === 'string' ? report.summary : 'features of this report leak';
      const problem = { severity: 'bad', name: 'The last audit', href: href('reports', report.id), text } as const;
      return ofReport(report, [{ ...problem, since: report.created_at }]);
    }),
    area('Streams', href('streams'), overview.streams, (streams) => {
      if (streams.length === 0) return unwatched('No event source is applied.');
      return looked(counted(streams.length, 'stream'), streams.flatMap(streamProblems));
    }),
    area('Catalogue', href('catalogue'), overview.unmaterialized, (never) => {
      const problems = [...catalogueProblems(catalogue), ...never.map(neverMaterialized)];
      return looked(countsOf(catalogue), problems);
    }),
  ];
}

function countsOf({ views, features, services, sources }: Catalogue): string {
  return [
    counted(views.length, 'view'),
    counted(features.length, 'feature'),
    counted(services.length, 'service'),
    counted(sources.length, 'source'),
  ].join(', ');
}

/** An alert that fires. */
export function problemOf({ rule, severity, labels, text, since }: ShownAlert): Problem {
  const { view, feature, source = '' } = labels;
  const about = view === undefined ? source : feature === undefined ? view : `${view}:${feature}`;
  const target = view === undefined ? href('streams', source) : featureHref(view, feature);
  return { severity: severity === 'critical' ? 'bad' : 'warn', name: `${about}, alert ${rule}`, href: target, text, since };
}

export function problemOfAlarm({ view, feature, alarm, text, since }: FeatureAlarm): Problem {
  return { severity: 'bad', name: `${view}:${feature} ${words(alarm)}`, href: featureHref(view, feature), text, since };
}

type Found = Pick<Area, 'state' | 'told' | 'problems'>;

function area<T>(name: string, target: string, part: Part<T>, look: (data: T) => Found): Area {
  if ('data' in part) return { name, href: target, ...look(part.data) };
  return { name, href: target, state: 'hidden', told: part.error.message, problems: [] };
}

function looked(told: string, problems: readonly Problem[]): Found {
  return { state: problems.length === 0 ? 'well' : 'wrong', told, problems };
}

function unwatched(told: string): Found {
  return { state: 'unwatched', told, problems: [] };
}

function checkedArea<T extends ParityFeature | DriftFeature>(
  name: string,
  part: Part<LastChecks<T>>,
  command: string,
  tell: (feature: T) => string,
): Area {
  return area(name, href('reports'), part, ({ features, left_out: left, not_made: missed }) => {
    const unmade = missed === null ? [] : [problemOfSchedule(name, missed)];
    const hidden = tellHidden(left, 'feature');
    if (features.length === 0 && unmade.length > 0) return looked(`Nothing is checked${hidden}`, unmade);
    if (features.length === 0 && left > 0)
      return { state: 'hidden', told: `Nothing is checked of your views${hidden}`, problems: [] };
    if (features.length === 0) return unwatched(`No report is kept: featherflight ${command}.`);
    const count = (result: Result) => features.filter((one) => one.result === result).length;
    const [newest] = features
      .map(({ checked_at: at }) => at)
      .toSorted()
      .slice(-1);
    const silent = count('NO DATA');
    const without = silent === 0 ? '' : `, ${formatNumber(silent)} of them without data`;
    const told = `${counted(features.length, 'feature')} checked${without}, the last ${formatAge(newest)}${hidden}`;
    const failing = features.filter(({ result }) => result === 'FAIL');
    const problems = [...unmade, ...failing.map((feature) => problemOfCheck(feature, tell(feature)))];
    // One without data says nothing: neither well nor wrong.
    return problems.length === 0 && silent > 0 ? unwatched(told) : looked(told, problems);
  });
}

/** What was found before stays as it was, and nobody looks. */
function problemOfSchedule(name: string, { since, error }: NonNullable<LastChecks<ReportFeature>['not_made']>): Problem {
  const why = error === null ? '' : `: ${error}`;
  return {
    severity: 'bad',
    name: `Scheduled check of ${name.toLowerCase()}`,
    href: href('reports'),
    text: `it could not be made${why}`,
    since,
  };
}

function problemOfCheck(
  { view, feature, against, report, checked_at: since }: LastChecks<ReportFeature>['features'][number],
  text: string,
): Problem {
  const title = `${view}:${feature}`;
  return {
    severity: 'bad',
    name: against === undefined ? title : `${title} against ${against}`,
    href: `${href('reports', report)}?feature=${encodeURIComponent(title)}`,
    ...{ text, since },
  };
}

/** One without data says nothing: neither well nor wrong. */
function ofReport({ result, created_at: at, left_out: left = 0 }: Envelope, problems: readonly Problem[]): Found {
  const told = `The last report, ${formatAge(at)}: ${result}${tellHidden(left, 'feature')}`;
  return result === 'FAIL' ? looked(told, problems) : { state: result === 'PASS' ? 'well' : 'unwatched', told, problems: [] };
}

function tellHidden(count: number, name: string): string {
  return count === 0 ? '' : `; ${counted(count, name)} not shown to your token`;
}

function neverMaterialized(name: string): Problem {
  const text = `it was never materialized, so that nothing of it is found online: featherflight materialize ${name}`;
  return { severity: 'warn', name, href: href('views', name), text };
}

export function featureHref(view: string, feature: string | undefined): string {
  return `${href('views', view)}${feature === undefined ? '' : `?feature=${encodeURIComponent(feature)}`}`;
}

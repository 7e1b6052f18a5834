/** What the last check of each feature found: a check of some features says nothing of the others. */
import type { ReportEnvelope, Reports } from './reports.ts';

/** Kinds that judge single features over time. */
export const judgingKinds = ['parity', 'drift'] as const;
export type JudgingKind = (typeof judgingKinds)[number];

/** What a report tells of one feature. */
export interface CheckedFeature {
  readonly view: string;
  readonly feature: string;
  /** Of pairs of two features the other one: such a check is one of its own. */
  readonly against?: string;
  readonly result: ReportEnvelope['result'];
}

export type LastCheck<Feature> = Feature & {
  /** The report that tells it. */
  readonly report: string;
  readonly checked_at: string;
};

export interface LastChecks<Feature> {
  /** By view and feature. */
  read(): Promise<readonly LastCheck<Feature>[]>;
}

export interface LastChecksOptions {
  readonly kind: JudgingKind;
  readonly reports: Pick<Reports, 'files'>;
  /** Of one that is no more defined nothing is told. */
  isDefined(view: string, feature: string): boolean;
  /** Whether a check without data is one; default true. */
  readonly takesNoData?: boolean;
}

interface JudgingReport<Feature> extends ReportEnvelope {
  readonly features?: readonly Feature[];
  /** Of drift: what is compared. */
  readonly current?: { readonly kind: string };
}

/** How many reports are gone through at the first look. */
const mostReports = 100;

/** Whoever keeps a report, this server, another one or a command, it is seen at the next look; each is read once. */
export function createLastChecks<Feature extends CheckedFeature>(options: LastChecksOptions): LastChecks<Feature> {
  const { kind, reports, isDefined, takesNoData = true } = options;
  /** With the name of the report, by which the newest is known. */
  const known = new Map<string, { readonly name: string; readonly check: LastCheck<Feature> }>();
  let seen: ReadonlySet<string> = new Set();
  return {
    async read() {
      const files = await reports.files(kind);
      for (const { name, read } of files.slice(0, mostReports)) {
        if (seen.has(name)) continue;
        const report = (await read()) as JudgingReport<Feature> | undefined;
        if (report === undefined || !isOfServed(report)) continue;
        for (const feature of report.features ?? []) {
          if (feature.result === 'NO DATA' && !takesNoData) continue;
          const id = JSON.stringify([feature.view, feature.feature, feature.against]);
          // A long check may be kept after one that began later.
          if (name < (known.get(id)?.name ?? '')) continue;
          const { id: from, created_at: at } = report;
          known.set(id, { name, check: { ...withoutExamples(feature), report: from, checked_at: at } });
        }
      }
      seen = new Set(files.map(({ name }) => name));
      const place = ({ view, feature, against = '' }: CheckedFeature) => [view, feature, against].join(' ');
      return [...known.values()]
        .map(({ check }) => check)
        .filter(({ view, feature }) => isDefined(view, feature))
        .toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
    },
  };
}

/** Saved datasets that are compared tell nothing of what is served. */
function isOfServed({ current }: JudgingReport<unknown>): boolean {
  return current === undefined || current.kind === 'log';
}

/** Examples hold join keys and values, and are many: the report has them. */
function withoutExamples<Feature extends CheckedFeature>(feature: Feature): Feature {
  return 'worst' in feature ? { ...feature, worst: [] } : feature;
}

/** A report as it is shown to whoever may see certain views alone. */
import type { ReportEnvelope } from './reports.ts';

/** What a report tells of single features, whatever its kind. */
interface Told {
  readonly view?: string | null;
  /** Of pairs the other `view:feature`. */
  readonly against?: string;
  readonly result?: ReportEnvelope['result'];
}

type AnyReport = ReportEnvelope & {
  readonly features?: readonly Told[];
  readonly labels?: readonly unknown[];
  readonly unmapped?: readonly unknown[];
};

/**
 * The report itself where all that it tells is of views that may be seen. Otherwise what it tells of these, with their result and without
 * the summary, which is of all; `left_out` counts the others. undefined where none of it may be seen.
 */
export function narrowReport(whole: ReportEnvelope, isSeen: (view: string) => boolean): ReportEnvelope | undefined {
  const report = whole as AnyReport & { readonly mode?: string; readonly version?: number };
  const { features = [], labels = [], unmapped = [] } = report;
  const seen = features.filter(({ view, against }) =>
    [view, against?.split(':')[0]].every((name) => name === undefined || (name !== null && isSeen(name))),
  );
  const isWhole = seen.length === features.length && labels.length + unmapped.length === 0;
  if (isWhole) return report;
  if (seen.length === 0) return undefined;
  const { id, kind, created_at, from, to, mode, version } = report;
  return {
    ...{ id, kind, created_at, from, to },
    ...(mode === undefined ? {} : { mode }),
    ...(version === undefined ? {} : { version }),
    ...{ result: resultOf(seen), summary: null, left_out: features.length - seen.length, features: seen },
  };
}

function resultOf(features: readonly Told[]): ReportEnvelope['result'] {
  const has = (result: ReportEnvelope['result']) => features.some((feature) => feature.result === result);
  return has('FAIL') ? 'FAIL' : has('NO DATA') ? 'NO DATA' : 'PASS';
}

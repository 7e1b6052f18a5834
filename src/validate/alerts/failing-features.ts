/** Features that fail by the last check of each that had data. */
import { createLastChecks } from '../last-checks.ts';
import type { ReportKind, Reports } from '../reports.ts';
import type { Finding } from './step.ts';

export interface FailingFeatures {
  /** undefined where no check has found out anything yet. */
  read(): Promise<readonly Finding[] | undefined>;
}

export interface FailingFeaturesOptions {
  readonly kind: ReportKind & Finding['when'];
  readonly reports: Pick<Reports, 'files'>;
  /** Of one that is no more defined nobody can do anything. */
  isDefined(view: string, feature: string): boolean;
}

export function createFailingFeatures({ kind, reports, isDefined }: FailingFeaturesOptions): FailingFeatures {
  const checks = createLastChecks({ kind, reports, isDefined: () => true, takesNoData: false });
  return {
    async read() {
      const found = await checks.read();
      if (found.length === 0) return undefined;
      return found.flatMap(({ view, feature, against, result, report, checked_at: at }) => {
        if (result !== 'FAIL' || !isDefined(view, feature)) return [];
        const labels = { view, feature, ...(against === undefined ? {} : { against }) };
        return [{ when: kind, labels, text: `report ${report} of ${at} fails` }];
      });
    },
  };
}

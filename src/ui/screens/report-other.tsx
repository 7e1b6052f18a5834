/** A report of a kind that this page has no drawing for: what it says, member by member. */
import type { WholeReport } from '../api/reports.ts';
import { Fold, sortByResult, TitleOf } from '../parts/fold.tsx';
import { Raw } from '../parts/value.tsx';

export function OtherFeatures({ report }: { readonly report: WholeReport }) {
  return sortByResult(report.features ?? []).map((feature, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: nothing else of a feature is known to be its own
    <Fold key={at} title={<TitleOf feature={feature} />}>
      <Raw title="What was found" value={feature} />
    </Fold>
  ));
}

/** How fresh a view is meant to be: it is measured and never part of a value, hence of no hash. */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { ViewDocument } from '../document.ts';
import { type Report, reporting } from '../problems.ts';

/** Reports an objective that is no duration, or that nothing can meet. */
export function bindFreshness(
  what: string,
  { freshness }: { readonly freshness?: unknown },
  report: Report,
): Pick<ViewDocument, 'freshness'> {
  if (freshness === undefined) return {};
  const us = reporting(report, `${what}: freshness: `, () => parseDurationUs(freshness as string));
  if (us === 0n)
    report(`${what}: freshness: nothing is as fresh as "${String(freshness)}"; write how old it may be: "24h", "60s"`);
  return us === undefined ? {} : { freshness: freshness as string };
}

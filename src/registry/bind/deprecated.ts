/** What a view, a feature or a service says of being deprecated. */
import { parseDay } from '../../definitions/day.ts';
import type { Deprecation } from '../document.ts';
import type { Report } from '../problems.ts';
import { checkOptions, isRecord } from './options.ts';

const names = ['since', 'reason', 'replacement', 'removeAfter'];

/** The member of the document, where there is one; `what` is what is deprecated. */
export function bindDeprecated(
  what: string,
  { deprecated }: { readonly deprecated?: unknown },
  report: Report,
): { readonly deprecated?: Deprecation } {
  if (deprecated === undefined) return {};
  if (!isRecord(deprecated) || Object.values(deprecated).some((value) => value !== undefined && typeof value !== 'string')) {
    report(`${what}: deprecated is texts: { since, reason, replacement, removeAfter }`);
    return {};
  }
  checkOptions(`${what}: deprecated`, deprecated, names, report);
  for (const option of ['since', 'removeAfter']) {
    const day = deprecated[option];
    if (day !== undefined && parseDay(String(day)) === undefined) {
      report(`${what}: deprecated: ${option} is a day, such as "2026-05-01", and not "${String(day)}"`);
    }
  }
  return { deprecated: Object.fromEntries(Object.entries(deprecated).filter(([, value]) => value !== undefined)) };
}

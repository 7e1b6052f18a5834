/** The periods of the feature log that a request compares; undefined where it names something else. */
import { parseDurationUs } from '../../definitions/duration.ts';
import { parseInstantUs } from '../../definitions/literal.ts';
import { type DriftRequest, refused } from './request.ts';

export interface Period {
  readonly fromUs: bigint;
  readonly toUs: bigint;
}

export interface Periods {
  readonly current: Period | undefined;
  readonly reference: Period | undefined;
}

const dayUs = parseDurationUs('1d');

/** Refuses what lies in the future, and what is empty. */
export function readPeriods(request: DriftRequest, nowUs: bigint): Periods {
  const { from, to, reference_from: start, reference_to: end } = request;
  for (const [name, instant] of Object.entries({ from, to, reference_from: start, reference_to: end })) {
    if (instant != null && parseInstantUs(instant) > nowUs)
      throw refused(`\`${name}\` is ${instant}, which lies in the future: nothing was served then yet`);
  }
  const current = request.current != null ? undefined : readPeriod(from, to, nowUs, dayUs);
  if (current !== undefined && current.fromUs >= current.toUs) throw refused('the period is empty: `from` is to be before `to`');
  if (request.reference != null || request.upload != null || request.path != null) return { current, reference: undefined };
  const reference = readPeriod(
    start,
    end,
    current?.fromUs ?? nowUs,
    current === undefined ? dayUs : current.toUs - current.fromUs,
  );
  if (reference.fromUs >= reference.toUs)
    throw refused('the period of reference is empty: `reference_from` is to be before `reference_to`');
  return { current, reference };
}

function readPeriod(from: string | null | undefined, to: string | null | undefined, endUs: bigint, lengthUs: bigint): Period {
  const toUs = to == null ? endUs : parseInstantUs(to);
  return { fromUs: from == null ? toUs - lengthUs : parseInstantUs(from), toUs };
}

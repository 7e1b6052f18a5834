/** `now` of a transform: the row's T (rule 7.2). */
import type { LocalTime, RowTime } from '../definitions/on-demand-feature-view.ts';
import { FeatureStoreError } from '../errors.ts';
import { localTimeOf } from './local-time.ts';

const nowhere = Object.freeze({ year: null, month: null, day: null, hour: null, minute: null, second: null, weekday: null });

/** The time of one row; where the zone is null, so is every part of its clock. */
export function rowTime(epochMicros: bigint): RowTime {
  const read = (zone: unknown): LocalTime | typeof nowhere => {
    if (zone === null) return nowhere;
    if (typeof zone === 'string') return localTimeOf(epochMicros, zone);
    throw new FeatureStoreError('INVALID_ARGUMENT', `now.in(…) takes the name of a zone, not ${typeof zone}`);
  };
  return { epochMicros, in: read as RowTime['in'] };
}

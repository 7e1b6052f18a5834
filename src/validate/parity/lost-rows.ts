/**
 * What erased entities had in rows that other keys' values are made of as well is gone from history, and what it was is not known: it may
 * be in what is served, in aggregates by another key as in defaults that are fitted to all of them. Told only where the rows were in reach.
 */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { LookupPlan } from '../../offline/plan.ts';
import type { FeatureDocument } from '../../registry/document.ts';
import type { ResolvedFeature } from '../../registry/resolve.ts';
import type { Side } from './compare-feature.ts';
import { type Answer, type Definition, dayOf } from './definition.ts';
import type { LostRows, Reach } from './erased.ts';
import { compileWindowStart } from './evaluate.ts';

export interface ServedPlace {
  readonly output: number;
  readonly row: number;
  readonly atUs: bigint;
  readonly online: Pick<Side, 'isDefault' | 'eventUs'>;
}

/** Those that may have been in what was served; undefined where there are none. */
export function findLostOf(
  now: Pick<Definition, 'plan' | 'featuresOf'>,
  { output, row, atUs, online }: ServedPlace,
  offline: Answer['from'],
  lostRows: (lookup: LookupPlan, reach: Reach) => LostRows | undefined,
): LostRows | undefined {
  const isComputed = now.plan.outputs[output]?.kind === 'computed';
  const isDefault = online.isDefault[row] === 1;
  const servedUs = online.eventUs[row];
  const [lost] = now.featuresOf(output).flatMap((at) => {
    const { lookup: place, feature } = now.plan.features[at] as ResolvedFeature;
    const lookup = now.plan.lookups[place] as LookupPlan;
    const isFitted = feature.default !== undefined && !('literal' in feature.default);
    const reaches = [
      ...(isFitted && (isDefault || isComputed) ? [reachOfDefault(lookup, feature, atUs)] : []),
      // What is served without an event time was made of no row.
      ...(isComputed ? [reachOfValue(lookup, feature, atUs, undefined, offline)] : []),
      ...(!isComputed && servedUs != null ? [reachOfValue(lookup, feature, atUs, servedUs, offline)] : []),
    ];
    return reaches.flatMap((reach) => lostRows(lookup, reach) ?? []);
  });
  return lost;
}

/**
 * What other keys' states hold of an erased entity stays in them until it leaves the window: it does not matter when that was erased. No row is
 * newer than the event time that is served.
 */
function reachOfValue(
  lookup: LookupPlan,
  feature: FeatureDocument,
  atUs: bigint,
  servedUs: bigint | undefined,
  offline: Answer['from'],
): Reach {
  const toUs = servedUs ?? atUs - lookup.delayUs;
  const { view } = lookup;
  // One row is served of a batch view: it is of this time.
  if (view.kind !== 'stream') return { isFitted: false, fromUs: servedUs, toUs };
  if (view.session === undefined) return { isFitted: false, fromUs: compileWindowStart(lookup, feature)(atUs), toUs };
  // No further than the gap before the first event that is left of the session.
  const first = offline.find((one) => one.lookup === lookup)?.rows[0]?.eventUs ?? atUs;
  return { isFitted: false, fromUs: first - parseDurationUs(view.session.gap), toUs };
}

const dayUs = 86_400_000_000n;

/** Fitted once a day, so that what was erased earlier is not in it; for some time of a day the number of the day before is served. */
function reachOfDefault(lookup: LookupPlan, feature: FeatureDocument, atUs: bigint): Reach {
  const startUs = BigInt(dayOf(atUs)) * dayUs;
  const erasedSinceUs = startUs - dayUs;
  return { isFitted: true, fromUs: compileWindowStart(lookup, feature)(erasedSinceUs), toUs: startUs, erasedSinceUs };
}

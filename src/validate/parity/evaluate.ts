/** One feature of one key at one T, out of the rows or events that are given: sections 3, 5 and 6 as they stand, for few rows. */

import { windowStartUs } from '../../aggregate/window.ts';
import { parseDurationUs } from '../../definitions/duration.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { statusNames } from '../../definitions/status.ts';
import type { Contribution } from '../../offline/contributions.ts';
import type { LookupPlan } from '../../offline/plan.ts';
import { compileWindowView, type WindowFeature } from '../../online/windows/window-view.ts';
import type { AggregateDocument, FeatureDocument } from '../../registry/document.ts';
import { eventViewOf } from '../../registry/event-view.ts';

export interface Evaluated {
  readonly value: LiteralValue;
  /** Place in `statusNames`. */
  readonly status: number;
  readonly eventUs: bigint | null;
  /** What it was made of, oldest first: the winner, or the events that pass. */
  readonly from: readonly Contribution[];
}

/** `rows` from the least to the greatest; a key that is null is given as undefined. */
export type Evaluate = (rows: readonly Contribution[] | undefined, atUs: bigint | null) => Evaluated;

const [present, nullValue, notFound, outsideMaxAge] = statusNames.map((_, at) => at) as [number, number, number, number];
const nothing: Evaluated = { value: null, status: notFound, eventUs: null, from: [] };

export function compileEvaluate(lookup: LookupPlan, feature: FeatureDocument): Evaluate {
  const evaluate = lookup.view.kind === 'stream' ? compileWindow(lookup, feature) : compileLatest(lookup, feature);
  return (rows, atUs) => (rows === undefined || atUs === null ? nothing : evaluate(rows, atUs));
}

type EvaluateKey = (rows: readonly Contribution[], atUs: bigint) => Evaluated;

function compileLatest({ view, delayUs, asKnown, ttlUs }: LookupPlan, feature: FeatureDocument): EvaluateKey {
  const place = view.features.indexOf(feature);
  const isVisible = ({ eventUs, createdUs, availableUs }: Contribution, atUs: bigint) =>
    eventUs <= atUs &&
    eventUs + delayUs <= atUs &&
    (availableUs === null || availableUs <= atUs) &&
    (!asKnown || (createdUs !== null && createdUs <= atUs));
  return (rows, atUs) => {
    const winner = rows.findLast((row) => isVisible(row, atUs));
    if (winner === undefined) return nothing;
    const found = { eventUs: winner.eventUs, from: [winner] };
    if (ttlUs > 0n && winner.eventUs < atUs - ttlUs) return { ...found, value: null, status: outsideMaxAge };
    const value = winner.values[place] as LiteralValue;
    return { ...found, value, status: value === null ? nullValue : present };
  };
}

function compileWindow(lookup: LookupPlan, feature: FeatureDocument): EvaluateKey {
  const { view } = lookup;
  const window = compileWindowView(view, []).features[view.features.indexOf(feature)] as WindowFeature;
  const { aggregate, passes, add } = window;
  const choose = compileChoice(lookup, window);
  return (rows, atUs) => {
    const from = choose(rows, atUs).filter(({ values }) => passes(values));
    const state = aggregate.init();
    for (const { eventUs, values } of from) add(state, eventUs, values);
    const value = aggregate.finalize(state);
    return { value, status: value === null ? nullValue : present, eventUs: from.at(-1)?.eventUs ?? null, from };
  };
}

/** The least event time of the window at an instant; undefined where there is none. */
export function compileWindowStart({ view }: LookupPlan, feature: FeatureDocument): (atUs: bigint) => bigint | undefined {
  if (view.kind !== 'stream') return () => undefined;
  const window = compileWindowView(view, []).features[view.features.indexOf(feature)] as WindowFeature;
  return (atUs) => startOf(window, atUs);
}

function startOf({ windowUs, hopUs }: WindowFeature, atUs: bigint): bigint | undefined {
  return windowUs === undefined ? undefined : windowStartUs(atUs, windowUs, hopUs ?? windowUs);
}

/** The events in the window, or in the current session, at T. */
function compileChoice({ view, delayUs }: LookupPlan, window: WindowFeature) {
  if (view.session === undefined) {
    return (rows: readonly Contribution[], atUs: bigint) => {
      const startUs = startOf(window, atUs);
      return rows.filter(({ eventUs }) => eventUs < atUs - delayUs && (startUs === undefined || eventUs >= startUs));
    };
  }
  const gapUs = parseDurationUs(view.session.gap);
  return (rows: readonly Contribution[], atUs: bigint) => {
    const before = rows.filter(({ eventUs }) => eventUs < atUs - delayUs);
    const last = before.at(-1);
    if (last === undefined || last.eventUs < atUs - gapUs) return [];
    let first = before.length - 1;
    while (first > 0 && timeAt(before, first) - timeAt(before, first - 1) <= gapUs) first -= 1;
    return before.slice(first);
  };
}

function timeAt(rows: readonly Contribution[], at: number): bigint {
  return (rows[at] as Contribution).eventUs;
}

/**
 * What a relative tolerance of a floating sum, mean or deviation is of: the sum, the mean and the root mean square of its events'
 * magnitudes (section 9); undefined of other features.
 */
export function compileScale(
  { view }: LookupPlan,
  feature: FeatureDocument,
): ((from: readonly Contribution[]) => number) | undefined {
  const { aggregate } = feature;
  if (aggregate === undefined || !isSummed(aggregate)) return undefined;
  const place = eventViewOf(view).inputs.get(feature)?.value as number;
  const isSquare = aggregate.function === 'stddev';
  return (from) => {
    const sizes = from.flatMap(({ values }) => (values[place] === null ? [] : [Math.abs(Number(values[place]))]));
    const total = sizes.reduce((sum, size) => sum + (isSquare ? size * size : size), 0);
    if (aggregate.function === 'sum' || sizes.length === 0) return total;
    return isSquare ? Math.sqrt(total / sizes.length) : total / sizes.length;
  };
}

function isSummed({ function: name }: AggregateDocument): boolean {
  return name === 'sum' || name === 'mean' || name === 'stddev';
}

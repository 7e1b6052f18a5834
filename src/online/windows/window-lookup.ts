/** Which features of a stream view are wanted, and their values at T from what stands at a key. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { Cursor } from '../encoding/bytes.ts';
import type { RowSchema } from '../encoding/row.ts';
import { isSchemaId, readSpans, spilledId } from '../encoding/row-codec.ts';
import { isSideOf, spilledRow } from '../spill/spilled-row.ts';
import { type Cohort, compileCohort } from './cohort.ts';
import { readWindows } from './read-windows.ts';
import { createState } from './state.ts';
import type { WindowFeature, WindowView } from './window-view.ts';

/** Compile it once and use it for many reads. */
export interface WindowLookup {
  /** With the features wanted, in their order. */
  readonly view: WindowView;
  /** Schema number -> how its spans are read; undefined for what is no state of the view. */
  readonly cohorts: Map<number, Cohort | undefined>;
}

export interface WindowRow {
  /** In the order of the lookup's features; undefined is NOT_FOUND: not filled from history yet. */
  readonly values: readonly (LiteralValue | undefined)[];
  /** The last event of each feature's window or session. */
  readonly eventsUs: readonly (bigint | null)[];
  /** Places of features whose value is null for being outside its type; undefined where none is. */
  readonly outOfRange: readonly number[] | undefined;
}

export function compileWindowLookup(view: WindowView, features: readonly string[]): WindowLookup {
  const wanted = features.map((name) => {
    const feature = view.features.find((candidate) => candidate.name === name);
    if (feature !== undefined) return feature;
    throw new FeatureStoreError('NOT_FOUND', `feature view "${view.name}" has no feature "${name}"`);
  });
  return { view: { ...view, features: wanted }, cohorts: new Map() };
}

export function addCohort({ view, cohorts }: WindowLookup, id: number, schema: RowSchema): void {
  cohorts.set(id, compileCohort(view, id, schema));
}

export interface WindowReadContext {
  readonly atUs: bigint;
  isReady(feature: WindowFeature): boolean;
  /** Receives the numbers of schemas that are not known yet: with them the answer may be another. */
  readonly missing: Set<number>;
  /** What stands beside the value, as far as it was read. */
  readonly side: Buffer | undefined;
  /** Is told where the states have spilled and `side` does not hold them: with them the answer is another. */
  wantSide(): void;
}

export function readWindowRow(
  { view, cohorts }: WindowLookup,
  value: Buffer | undefined,
  { atUs, isReady, missing, side, wantSide }: WindowReadContext,
): WindowRow {
  const values: (LiteralValue | undefined)[] = new Array(view.features.length).fill(undefined);
  const eventsUs: (bigint | null)[] = new Array(view.features.length).fill(null);
  const isRead = new Uint8Array(view.features.length);
  let outOfRange: number[] | undefined;
  const put = (places: readonly number[], found: ReturnType<typeof readWindows>) => {
    for (const [at, place] of places.entries()) {
      if (isRead[place] === 1 || !isReady(view.features[place] as WindowFeature)) continue;
      isRead[place] = 1;
      values[place] = found[at]?.value;
      eventsUs[place] = found[at]?.eventUs ?? null;
      if (found[at]?.isOutOfRange === true) {
        outOfRange ??= [];
        outOfRange.push(place);
      }
    }
  };
  const readStates = (buffer: Buffer, isSide: boolean) => {
    for (const span of readSpans(buffer)) {
      const cohort = cohorts.get(span.schemaId);
      if (cohort !== undefined) {
        const cursor: Cursor = { buffer, at: span.body, end: span.end };
        put(cohort.places, readWindows(cohort.view, cohort.decode(cursor), atUs));
      } else if (span.schemaId === spilledId && !isSide) {
        const row = spilledRow(buffer, span);
        if (row.view !== view.name) continue;
        if (isSideOf(side, row)) readStates(side, true);
        else wantSide();
      } else if (isSchemaId(span.schemaId) && !cohorts.has(span.schemaId)) missing.add(span.schemaId);
    }
  };
  if (value !== undefined) readStates(value, false);
  if (isRead.includes(0)) {
    const places = [...view.features.keys()].filter((place) => isRead[place] === 0);
    const without = { ...view, features: places.map((place) => view.features[place] as WindowFeature) };
    put(places, readWindows(without, createState(without), atUs));
  }
  return { values, eventsUs, outOfRange };
}

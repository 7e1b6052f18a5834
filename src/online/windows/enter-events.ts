/** Events of a batch enter the states of one key, those included that have spilled, with the fence beside each. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { Cursor } from '../encoding/bytes.ts';
import { joinRows, readSpans } from '../encoding/row-codec.ts';
import { placeStates, wholeValue } from '../spill/place-states.ts';
import type { SidedValue } from '../spill/read-sides.ts';
import { readSpilled } from '../spill/spilled-row.ts';
import type { EventBatch } from './event-batch.ts';
import type { KeyChange, KeyResult } from './key-changes.ts';
import { addEvent, createState, isEmptyState, settle, type WindowState } from './state.ts';
import type { StateFormats } from './state-formats.ts';
import type { WindowView } from './window-view.ts';

export interface EnteredEvents {
  /** What is to stand at the key. */
  readonly value: Buffer | undefined;
  /** By view the states that are to stand beside it. */
  readonly sides: ReadonlyMap<string, Buffer>;
}

/** `committed` is the progress as it was after the value had been read. Fills in the change's result. */
export async function enterEvents(
  formats: StateFormats,
  batch: EventBatch,
  change: KeyChange,
  stored: SidedValue,
  committed: bigint,
  signal: AbortSignal | undefined,
): Promise<EnteredEvents> {
  const whole = wholeValue(stored);
  const spans = whole === undefined ? [] : readSpans(whole);
  const hadSpilled = new Set(readSpilled(stored.value).map(({ view }) => view));
  const used = new Set<number>();
  const written: Buffer[] = [];
  const sides = new Map<string, Buffer>();
  const { result } = change;
  for (const part of change.parts) {
    const { view } = part.events;
    const missing = new Set(view.features);
    const states: Buffer[] = [];
    let isCounted = true;
    const enter = async (own: WindowView, state: WindowState) => {
      const entered = applyTo(own, state, batch, part, committed, result, isCounted);
      isCounted = false;
      if (isEmptyState(entered)) return;
      const codec = formats.knownEncoder(view, own.features) ?? (await formats.openEncoder(view, own.features, signal));
      states.push(codec.encode(entered));
    };
    for (const [at, span] of spans.entries()) {
      const cohort = formats.cohortOf(view, span.schemaId);
      if (cohort === undefined) continue;
      used.add(at);
      const cursor: Cursor = { buffer: whole as Buffer, at: span.body, end: span.end };
      const features = cohort.view.features.filter((feature) => missing.delete(feature));
      if (features.length > 0) await enter(cohort.view, cohort.decode(cursor));
    }
    if (missing.size > 0) {
      const isWhole = missing.size === view.features.length;
      const own = isWhole ? view : { ...view, features: view.features.filter((feature) => missing.has(feature)) };
      await enter(own, createState(own));
    }
    const placed = placeStates(view, states, hadSpilled.has(view.name));
    written.push(...placed.rows);
    if (placed.side !== undefined) {
      sides.set(view.name, placed.side);
      if (!hadSpilled.has(view.name))
        result.spilled = [...result.spilled, { view: view.name, key: change.key, bytes: placed.bytes }];
    }
    result.largestBytes = Math.max(result.largestBytes, placed.bytes);
    if (placed.bytes > view.maxStateBytes) result.oversized += 1;
  }
  const kept = spans.flatMap(({ start, end }, at) => (used.has(at) ? [] : [(whole as Buffer).subarray(start, end)]));
  const all = [...kept, ...written];
  return { value: all.length === 0 ? undefined : joinRows(all), sides };
}

function applyTo(
  view: WindowView,
  state: WindowState,
  { partition, next, nowUs, acceptedFromUs, isCommitted }: EventBatch,
  { events, rows }: KeyChange['parts'][number],
  committed: bigint,
  result: KeyResult,
  isCounted: boolean,
): WindowState {
  const fence = state.fences.get(partition);
  const from = fence === undefined || fence < committed ? committed : fence;
  let applied = 0;
  let tooLate = 0;
  for (const row of rows) {
    if ((events.offsets[row] as bigint) < from) continue;
    const event = { timeUs: events.timesUs[row] as bigint, values: events.values.map((column) => column[row] as LiteralValue) };
    if (addEvent(view, state, event, nowUs)) applied += 1;
    else tooLate += 1;
  }
  settle(view, state, nowUs, acceptedFromUs);
  for (const [other, reached] of state.fences) if (isCommitted(other, reached)) state.fences.delete(other);
  if (next > committed && next > (fence ?? -1n)) state.fences.set(partition, next);
  if (isCounted) {
    result.applied += applied;
    result.tooLate += tooLate;
  }
  return state;
}

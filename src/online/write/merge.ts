/**
 * What becomes of an entity's value when rows of a view arrive: a function of bytes, the same for every store.
 *
 * Kept are the greatest row that is visible and every greater one (rule 8.1); rows of other views, and of schemas that are not known
 * here, are copied untouched.
 */
import { compareValues } from '../../definitions/value-order.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import type { OnlineLookup, StoredValue } from '../encoding/lookup.ts';
import { joinRows, nextSpan, readSpans, startOfRows } from '../encoding/row-codec.ts';
import { type RowTimes, readTimes } from '../encoding/row-head.ts';
import { clockMarginUs, visibleFromUs } from '../view.ts';
import type { Arrival } from './arrivals.ts';

export interface Merged {
  readonly value: Buffer;
  /** How many of the arriving rows it holds that were not there. */
  readonly added: number;
}

interface Candidate extends Omit<RowTimes, 'hasNulls'> {
  readonly bytes: Buffer;
  readonly isArriving: boolean;
  readonly readValues: () => readonly StoredValue[];
}

/**
 * The value that takes the stored one's place; undefined where what arrives changes nothing. The lookup is of all features of the view in
 * its order, with decoders for every schema among the rows.
 */
export function mergeRows(
  lookup: OnlineLookup,
  stored: Buffer | undefined,
  arrival: Pick<Arrival, 'value' | 'rows'>,
  nowUs: bigint,
): Merged | undefined {
  const simple = mergeAlone(lookup, stored, arrival);
  if (simple !== 'rivals') return simple;
  const untouched: Buffer[] = [];
  const arriving = readCandidates(lookup, arrival.value, true, untouched);
  const superseding = arriving.filter((row) => !row.pushed);
  const present = stored === undefined ? [] : readCandidates(lookup, stored, false, untouched);
  const remaining = present.filter((row) => !isSuperseded(row, superseding));
  const kept = keepGreatest(lookup, [...arriving, ...remaining], nowUs);
  const added = kept.reduce((count, row) => count + (row.isArriving ? 1 : 0), 0);
  if (added === 0 && remaining.length === present.length) return undefined;
  return { value: joinRows([...untouched, ...kept.map((row) => row.bytes)]), added };
}

/** The most frequent cases, without a look into any row: one row comes, and the view has none there, or that very row alone. */
function mergeAlone(
  { decoders }: OnlineLookup,
  stored: Buffer | undefined,
  { value, rows }: Pick<Arrival, 'value' | 'rows'>,
): Merged | undefined | 'rivals' {
  if (rows !== 1) return 'rivals';
  if (stored === undefined) return { value, added: 1 };
  const start = startOfRows(value);
  let isThere = false;
  for (let at = startOfRows(stored); at < stored.length; ) {
    const { schemaId, end } = nextSpan(stored, at);
    if (decoders.get(schemaId) !== undefined) {
      if (isThere || stored.compare(value, start, value.length, at, end) !== 0) return 'rivals';
      isThere = true;
    }
    at = end;
  }
  return isThere ? undefined : { value: Buffer.concat([stored, value.subarray(start)]), added: 1 };
}

/** The view's rows of a value; others, and those of schemas that are not known here, go to `untouched`. */
function readCandidates({ decoders }: OnlineLookup, value: Buffer, isArriving: boolean, untouched: Buffer[]): Candidate[] {
  const candidates: Candidate[] = [];
  for (const span of readSpans(value)) {
    const bytes = value.subarray(span.start, span.end);
    const decode = decoders.get(span.schemaId);
    if (decode === undefined) {
      untouched.push(bytes);
      continue;
    }
    const cursor = { buffer: value, at: span.body, end: span.end };
    const { hasNulls, ...times } = readTimes(cursor);
    const { at } = cursor;
    candidates.push({ ...times, bytes, isArriving, readValues: () => decode({ ...cursor, at }, hasNulls) });
  }
  return candidates;
}

/** From the greatest down to the first that everybody sees by now, without repeats. */
function keepGreatest({ view }: OnlineLookup, candidates: Candidate[], nowUs: bigint): Candidate[] {
  const kept: Candidate[] = [];
  if (candidates.length > 1) candidates.sort((a, b) => compareCandidates(view, b, a));
  for (const row of candidates) {
    const from = visibleFromUs(view.visibility, row);
    if (from === undefined || kept.at(-1)?.bytes.equals(row.bytes) === true) continue;
    kept.push(row);
    if (from <= nowUs - clockMarginUs) break;
  }
  return kept;
}

/** Of rows read from the source at equal times the one read last counts: which wins there, columns decide that are not stored here. */
function isSuperseded(stored: Candidate, arriving: readonly Candidate[]): boolean {
  if (stored.pushed) return false;
  const rivals = arriving.filter((row) => row.eventUs === stored.eventUs && row.createdUs === stored.createdUs);
  return rivals.length > 0 && !rivals.some((row) => row.bytes.equals(stored.bytes));
}

/** Event, created with null least, value; then one order for all, so that it does not matter which came first. */
function compareCandidates(view: OnlineLookup['view'], a: Candidate, b: Candidate): number {
  if (a.eventUs !== b.eventUs) return a.eventUs < b.eventUs ? -1 : 1;
  if (a.createdUs !== b.createdUs) {
    if (a.createdUs === null || b.createdUs === null) return a.createdUs === null ? -1 : 1;
    return a.createdUs < b.createdUs ? -1 : 1;
  }
  if (a.bytes.equals(b.bytes)) return Number(b.isArriving) - Number(a.isArriving);
  const left = a.readValues();
  const right = b.readValues();
  for (const at of view.valueOrder) {
    const order = compareStored(view.types[at] as ValueType, left[at], right[at]);
    if (order !== 0) return order;
  }
  return Number(b.pushed) - Number(a.pushed) || a.bytes.compare(b.bytes);
}

/** A value of another definition is less than any of today's, null included. */
function compareStored(type: ValueType, a: StoredValue, b: StoredValue): number {
  if (a === undefined || b === undefined) return Number(b === undefined) - Number(a === undefined);
  return compareValues(type, a, b);
}

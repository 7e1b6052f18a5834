/**
 * What becomes of an entity's value when rows of a view arrive: a function of bytes, the same for every store.
 *
 * Kept are the greatest row that is visible and every greater one (rule 8.1); rows of other views, and of schemas that are not known
 * here, are copied untouched.
 */
import { compareValues } from '../../definitions/value-order.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import type { OnlineLookup, StoredValue } from '../encoding/lookup.ts';
import type { OnlineRow } from '../encoding/row.ts';
import { joinRows, nextSpan, type RowEncoder, type RowTimes, readSpans, readTimes, startOfRows } from '../encoding/row-codec.ts';
import { visibleFromUs } from '../view.ts';

/** Processes' clocks may be apart: a row is taken for visible only when it has been so for this long. */
const clockMarginUs = 60_000_000n;

export interface MergeTarget {
  /** Of all features of the view in its order, with decoders for every schema among the stored rows. */
  readonly lookup: OnlineLookup;
  readonly encode: RowEncoder;
}

export interface Merged {
  readonly value: Buffer;
  /** How many of the incoming rows it holds that were not there. */
  readonly added: number;
}

interface Candidate extends Omit<RowTimes, 'hasNulls'> {
  readonly bytes: Buffer;
  readonly isIncoming: boolean;
  readonly readValues: () => readonly StoredValue[];
}

/** The value that takes the stored one's place; undefined where the incoming rows change nothing. */
export function mergeRows(
  { lookup, encode }: MergeTarget,
  stored: Buffer | undefined,
  incoming: readonly OnlineRow[],
  nowUs: bigint,
): Merged | undefined {
  const encoded = incoming.map(encode);
  if (stored !== undefined && holdsOnly(lookup, stored, encoded)) return undefined;
  const untouched: Buffer[] = [];
  const candidates: Candidate[] = [];
  for (const [at, row] of incoming.entries()) {
    const { pushed, eventUs, createdUs, availableUs, values } = row;
    const bytes = encoded[at] as Buffer;
    candidates.push({ pushed, eventUs, createdUs, availableUs, bytes, isIncoming: true, readValues: () => values });
  }
  const superseding = candidates.filter((row) => !row.pushed);
  let superseded = 0;
  for (const span of stored === undefined ? [] : readSpans(stored)) {
    const bytes = (stored as Buffer).subarray(span.start, span.end);
    const decode = lookup.decoders.get(span.schemaId);
    if (decode === undefined) untouched.push(bytes);
    else {
      const cursor = { buffer: stored as Buffer, at: span.body, end: span.end };
      const { hasNulls, ...times } = readTimes(cursor);
      const { at } = cursor;
      const readValues = () => decode({ ...cursor, at }, hasNulls);
      const row = { ...times, bytes, isIncoming: false, readValues };
      if (isSuperseded(row, superseding)) superseded += 1;
      else candidates.push(row);
    }
  }
  const kept = keepGreatest(lookup, candidates, nowUs);
  const added = kept.reduce((count, row) => count + (row.isIncoming ? 1 : 0), 0);
  return added + superseded === 0 ? undefined : { value: joinRows([...untouched, ...kept.map((row) => row.bytes)]), added };
}

/** Whether a value has the very rows already and no other of the view, which might be superseded: the most frequent case. */
function holdsOnly({ decoders }: OnlineLookup, value: Buffer, rows: readonly Buffer[]): boolean {
  let others = -rows.length;
  for (let at = startOfRows(value); at < value.length; ) {
    const { schemaId, end } = nextSpan(value, at);
    if (decoders.get(schemaId) !== undefined) others += 1;
    at = end;
  }
  return others === 0 && rows.every((row) => holdsRow(value, row));
}

function holdsRow(value: Buffer, row: Buffer): boolean {
  for (let at = startOfRows(value); at < value.length; ) {
    const { end } = nextSpan(value, at);
    if (end - at === row.length && row.compare(value, at, end) === 0) return true;
    at = end;
  }
  return false;
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
function isSuperseded(stored: Candidate, incoming: readonly Candidate[]): boolean {
  if (stored.pushed) return false;
  const rivals = incoming.filter((row) => row.eventUs === stored.eventUs && row.createdUs === stored.createdUs);
  return rivals.length > 0 && !rivals.some((row) => row.bytes.equals(stored.bytes));
}

/** Event, created with null least, value; then one order for all, so that it does not matter which came first. */
function compareCandidates(view: OnlineLookup['view'], a: Candidate, b: Candidate): number {
  if (a.eventUs !== b.eventUs) return a.eventUs < b.eventUs ? -1 : 1;
  if (a.createdUs !== b.createdUs) {
    if (a.createdUs === null || b.createdUs === null) return a.createdUs === null ? -1 : 1;
    return a.createdUs < b.createdUs ? -1 : 1;
  }
  if (a.bytes.equals(b.bytes)) return Number(b.isIncoming) - Number(a.isIncoming);
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

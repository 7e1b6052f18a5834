/** From a feature's looked-up values to its columns of the answer: status, default, event timestamp (sections 4.4 and 5). */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { interleaveColumns } from '../../arrow/interleave.ts';
import { field } from '../../arrow/schema.ts';
import { statusNames } from '../../definitions/status.ts';
import { daysOf, type Instants } from '../instants.ts';
import { found, notFound, outsideMaxAge } from '../projection/look-up.ts';
import { type FittedSteps, stepAt } from './fitted.ts';

/** Position in `statusNames`. */
export const nullValue = 1;

/** A literal as a column of one row, or steps over days; a step may be null where nothing stands in for a value. */
export type FeatureDefault = { readonly literal: Column } | { readonly fitted: FittedSteps };

export interface Completed {
  readonly value: Column;
  /** Position in `statusNames` by row. */
  readonly statuses: Uint8Array;
  /** 1 where a default replaced the value. */
  readonly isDefault: Uint8Array | undefined;
}

/** What the report says of a feature. */
export interface FeatureCounts {
  present: number;
  null_value: number;
  not_found: number;
  outside_max_age: number;
  defaults: number;
}

/** Decides each row's status and puts the default where the value is not PRESENT (rule 5.2); `counts` grows by the rows. */
export function completeFeature(
  values: Column,
  states: Uint8Array,
  times: Instants,
  fallback: FeatureDefault | undefined,
  counts: FeatureCounts,
): Completed {
  const tally = [0, 0, 0, 0];
  for (let row = 0; row < states.length; row++) tally[states[row] as number] = (tally[states[row] as number] as number) + 1;
  const missing = states.length - (tally[found] as number);
  let statuses = states;
  // Rows without a winner are null; only further nulls are values of their own.
  if (values.validity !== undefined && values.nullCount > missing) {
    statuses = markNulls(states, values.validity);
    tally[nullValue] = values.nullCount - missing;
    tally[found] = states.length - values.nullCount;
  }
  counts.present += tally[found] as number;
  counts.null_value += tally[nullValue] as number;
  counts.not_found += tally[notFound] as number;
  counts.outside_max_age += tally[outsideMaxAge] as number;
  if (fallback === undefined || tally[found] === states.length) return { value: values, statuses, isDefault: undefined };
  const isDefault = new Uint8Array(states.length);
  const value = fillDefaults(values, statuses, times, fallback, isDefault);
  for (let row = 0; row < isDefault.length; row++) counts.defaults += isDefault[row] as number;
  return { value, statuses, isDefault };
}

function markNulls(states: Uint8Array, validity: Uint8Array): Uint8Array {
  const statuses = Uint8Array.from(states);
  for (let row = 0; row < states.length; row++) {
    if (states[row] === found && !getBit(validity, row)) statuses[row] = nullValue;
  }
  return statuses;
}

function fillDefaults(
  values: Column,
  statuses: Uint8Array,
  times: Instants,
  fallback: FeatureDefault,
  isDefault: Uint8Array,
): Column {
  const source = 'literal' in fallback ? fallback.literal : fallback.fitted.values;
  const days = 'literal' in fallback ? undefined : daysOf(times.words);
  const steps = new Map<number, number>();
  const indices = new Int32Array(statuses.length);
  for (let row = 0; row < statuses.length; row++) {
    indices[row] = row;
    if (statuses[row] === found) continue;
    let at = 0;
    if (days !== undefined && 'fitted' in fallback) {
      if (times.nulls?.[row] === 1) continue;
      const day = days[row] as number;
      at = steps.get(day) ?? stepAt(fallback.fitted, day);
      steps.set(day, at);
    }
    if (at < 0 || (source.validity !== undefined && !getBit(source.validity, at))) continue;
    indices[row] = at;
    isDefault[row] = 1;
  }
  return interleaveColumns([values, { ...source, field: values.field }], isDefault, indices);
}

/**
 * The three columns that follow a feature with `statuses` (rule 4.4). Without `events` no value has an event timestamp, and beside
 * those that are NOT_FOUND none of those that are 1 in `eventNulls`.
 */
export function statusColumns(
  name: string,
  completed: Completed,
  events: Int32Array | undefined,
  eventNulls?: Uint8Array,
): Column[] {
  return [
    encodeStatuses(`${name}__status`, completed.statuses),
    encodeEvents(`${name}__event_timestamp`, completed.statuses, events, eventNulls),
    encodeFlags(`${name}__is_default`, completed.statuses.length, completed.isDefault),
  ];
}

/** The fields of those columns. */
export function statusFields(name: string) {
  return [
    field(`${name}__status`, { id: 'utf8' }),
    field(`${name}__event_timestamp`, { id: 'timestamp', unit: 'us', timezone: 'UTC' }),
    field(`${name}__is_default`, { id: 'bool' }),
  ] as const;
}

const statusBytes = statusNames.map((name) => Buffer.from(name));

function encodeStatuses(name: string, statuses: Uint8Array): Column {
  const offsets = new Int32Array(statuses.length + 1);
  for (let row = 0; row < statuses.length; row++) {
    offsets[row + 1] = (offsets[row] as number) + (statusBytes[statuses[row] as number] as Buffer).length;
  }
  const data = new Uint8Array(offsets[statuses.length] as number);
  for (let row = 0; row < statuses.length; row++) data.set(statusBytes[statuses[row] as number] as Buffer, offsets[row]);
  return column(field(name, { id: 'utf8' }), statuses.length, [new Uint8Array(offsets.buffer), data]);
}

function encodeEvents(name: string, statuses: Uint8Array, events: Int32Array | undefined, nulls: Uint8Array | undefined): Column {
  const words = events ?? new Int32Array(2 * statuses.length);
  const validity = new Uint8Array((statuses.length + 7) >> 3);
  let nullCount = 0;
  for (let row = 0; row < statuses.length; row++) {
    if (events === undefined || statuses[row] === notFound || nulls?.[row] === 1) nullCount += 1;
    else validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7));
  }
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const made = column(field(name, { id: 'timestamp', unit: 'us', timezone: 'UTC' }), statuses.length, [bytes]);
  return nullCount === 0 ? made : { ...made, nullCount, validity };
}

function encodeFlags(name: string, length: number, flags: Uint8Array | undefined): Column {
  const bits = new Uint8Array((length + 7) >> 3);
  if (flags !== undefined) {
    for (let row = 0; row < length; row++) bits[row >> 3] = (bits[row >> 3] as number) | ((flags[row] as number) << (row & 7));
  }
  return column(field(name, { id: 'bool' }), length, [bits]);
}

function column(of: Column['field'], length: number, buffers: Uint8Array[]): Column {
  return { field: of, length, nullCount: 0, buffers, children: [] };
}

/** An event source: things that happened, each at its time, from which windows are computed (semantics 6). */
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { DurationText } from './duration.ts';
import type { Stream } from './stream.ts';
import type { Table } from './table.ts';
import type { ValueTypeText } from './value-type.ts';

export interface EventColumnOptions {
  readonly type: ValueTypeText;
  /** Of a string column all values that it may have: an event with another one is invalid, and an expression with one is refused. */
  readonly values?: readonly string[];
}

export interface EventSourceOptions extends DescribedOptions {
  /** Past events: a table, or any number of them. What comes by stream or push is kept beside it, unless `archive` is false. */
  readonly history?: Table | readonly Table[];
  /** Where events are read from as they happen; they may be pushed besides. */
  readonly stream?: Stream;
  /** `false`: streamed and pushed events are not kept for training, because somebody else writes them into `history`. */
  readonly archive?: false;
  /** Bytes of one key's state in a view from which on it is kept apart, with an alarm; default: 1 MiB. */
  readonly maxStateBytes?: number;
  /** Column with the time of the event. */
  readonly eventTimestamp: string;
  /** Column with an id: events with equal ids are one event. */
  readonly eventId?: string;
  /** How late an event may come and still count online; default: the largest window, or 10 session gaps, at least 1d. */
  readonly lateness?: DurationText;
  /** IANA zone of event times that carry none; such times are refused without it (rule 1.2). */
  readonly timezone?: string;
  /** The reading of local times that do not exist or exist twice, which are otherwise refused (rule 1.2). */
  readonly ambiguousTime?: 'earlier' | 'later';
  /** Every column that keys and expressions read, but for the event time. */
  readonly columns: Readonly<Record<string, ValueTypeText | EventColumnOptions>>;
}

export interface EventSource extends EventSourceOptions {
  readonly kind: 'eventSource';
  readonly name: string;
}

/** Defines an event source: `eventSource('clicks', { history: parquet('data/clicks/*.parquet'), eventTimestamp: 'at', columns: { … } })`. */
export function eventSource(name: string, options: EventSourceOptions): EventSource {
  return freezeCopy({ ...options, kind: 'eventSource', name });
}

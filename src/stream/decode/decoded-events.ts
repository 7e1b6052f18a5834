/** What decoding makes of records: columns of typed values, and what does not fit with its reason. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { LogRecord } from '../log/log.ts';
import type { IgnoredFields } from './ignored-fields.ts';

export interface SetAsideEvent {
  readonly offset: bigint;
  /** Names the column, the value, shortened, and what is expected there. */
  readonly reason: string;
  /** The record's bytes; of one event among several of a record that event as JSON. */
  readonly value: Uint8Array | null;
}

export interface DecodedEvents {
  /** By name the event timestamp (bigint microseconds, never null) and the declared columns, in plain values. */
  readonly columns: Readonly<Record<string, readonly LiteralValue[]>>;
  /** By event the offset of its record. */
  readonly offsets: readonly bigint[];
  readonly setAside: readonly SetAsideEvent[];
  /** Of all events, those that are set aside included. */
  readonly ignored: IgnoredFields;
}

/** Never throws because of a record. */
export type DecodeEvents = (records: readonly LogRecord[]) => DecodedEvents;

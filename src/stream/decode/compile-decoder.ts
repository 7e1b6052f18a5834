/** Compiles what makes typed events of a source out of a log's records, by the format of their values. */
import { asFeatureStoreError } from '../../errors.ts';
import type { SourceDocument, StreamFormatDocument } from '../../registry/document.ts';
import type { LogRecord } from '../log/log.ts';
import { readArrowEvents } from './arrow.ts';
import { compileAvroReader } from './avro.ts';
import { compileCollector, type EventCollector } from './collect-events.ts';
import { readColumnsEvents } from './columns.ts';
import type { DecodeEvents } from './decoded-events.ts';
import { readJsonEvent } from './json.ts';

/** Those of streams, and `'columns'`, in which pushes are written: a JSON object that holds an array of values by column. */
export type EventFormat = StreamFormatDocument | 'columns';

export interface DecoderOptions {
  readonly format: EventFormat;
  /** Values of JSON may be text, which is read as the column's type; default: of Redis Streams, whose fields are. */
  readonly isText?: boolean;
  /** Larger records are set aside unread; default 1 MiB. */
  readonly maxRecordBytes?: number;
}

export const defaultMaxRecordBytes = 1_048_576;

/** Hands a record's events to the collector; throws where the record is none at all. */
export type ReadRecord = (offset: bigint, value: Uint8Array, events: EventCollector) => void;

/** INVALID_ARGUMENT where an Avro schema is none. */
export function compileDecoder(source: SourceDocument, options: DecoderOptions): DecodeEvents {
  const { format, maxRecordBytes = defaultMaxRecordBytes } = options;
  const { isText = format === 'json' && source.stream?.kind === 'redisStream' } = options;
  const collector = compileCollector(source, isText);
  const names = [source.eventTimestamp, ...(source.events?.columns ?? []).map(({ name }) => name)];
  const read = compileReadRecord(format, names, maxRecordBytes);
  return (records) => {
    const events = collector();
    for (const record of records) readOne(record, events, read, maxRecordBytes);
    return events.finish();
  };
}

function compileReadRecord(format: EventFormat, names: readonly string[], maxRecordBytes: number): ReadRecord {
  if (format === 'json') return readJsonEvent;
  if (format === 'columns') return (offset, value, events) => readColumnsEvents(offset, value, events, names);
  if (format === 'arrow') return (offset, value, events) => readArrowEvents(offset, value, events, names, maxRecordBytes);
  return compileAvroReader(format, names);
}

function readOne({ offset, value }: LogRecord, events: EventCollector, read: ReadRecord, maxRecordBytes: number): void {
  if (value === null) {
    events.setAside({ offset, reason: 'the record has no value: it is a tombstone, and no event', value });
    return;
  }
  if (value.byteLength > maxRecordBytes) {
    const reason = `the record has ${value.byteLength} bytes, and at most ${maxRecordBytes} are read`;
    events.setAside({ offset, reason, value });
    return;
  }
  try {
    read(offset, value, events);
  } catch (error) {
    events.setAside({ offset, reason: asFeatureStoreError(error).message, value });
  }
}

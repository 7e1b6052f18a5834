/** An online answer as our JSON: every value without loss, with its status, event timestamp and whether a default replaced it. */
import { formatInstantUs } from '../../definitions/format-instant.ts';
import { statusNames } from '../../definitions/status.ts';
import { formatValueType } from '../../definitions/value-type.ts';
import { deprecationWarnings } from '../../lifecycle/deprecation-warnings.ts';
import type { OnlineAnswer, OnlineColumn } from '../../online/retrieve/answer.ts';
import { encodeText, type Sink, writeAgain, writeAll, writeAscii, writeQuoted, writeShort, writeUtf8 } from './text-sink.ts';
import { writeInstant } from './write-instant.ts';
import { losslessWriter, writeValues } from './write-value.ts';

/** `statuses` false leaves out what stands beside the values. */
export function encodeAnswer(answer: OnlineAnswer, statuses: boolean): Buffer {
  return encodeText((sink) => {
    const missing = answer.views.filter((view) => !view.isMaterialized).map((view) => view.view);
    const head = `{"evaluated_at":"${formatInstantUs(answer.evaluatedAtUs)}","rows":${answer.rows}`;
    writeAscii(sink, `${head},"never_materialized":${JSON.stringify(missing)},`);
    const warnings = deprecationWarnings(answer.origin.registry, answer.origin.request);
    if (warnings.length > 0) writeUtf8(sink, `"warnings":${JSON.stringify(warnings)},`);
    writeAscii(sink, '"entities":{');
    for (const [at, { name, type, values }] of answer.entities.entries()) {
      if (at > 0) writeAscii(sink, ',');
      writeQuoted(sink, name);
      writeAscii(sink, `:{"type":"${type.kind}","values":`);
      writeValues(sink, type, values, losslessWriter(type));
      writeAscii(sink, '}');
    }
    writeAscii(sink, '},"columns":{');
    const writeEvents = statuses ? eventsWriter(writeEvent) : undefined;
    for (const [at, column] of answer.columns.entries()) {
      if (at > 0) writeAscii(sink, ',');
      writeColumn(sink, column, writeEvents);
    }
    writeAscii(sink, '}}');
  });
}

/** The same as a string. */
export function writeAnswer(answer: OnlineAnswer, statuses: boolean): string {
  return encodeAnswer(answer, statuses).toString();
}

type WriteEvents = (sink: Sink, eventUs: OnlineColumn['eventUs']) => void;

function writeColumn(sink: Sink, column: OnlineColumn, writeEvents: WriteEvents | undefined): void {
  const { name, view, feature, type } = column;
  writeAscii(sink, `"${name}":{"view":"${view}","feature":"${feature}","type":"${formatValueType(type)}","values":`);
  writeValues(sink, type, column.values, losslessWriter(type));
  if (writeEvents !== undefined) {
    writeAscii(sink, ',"statuses":');
    writeAll(sink, column.statuses, writeStatus);
    writeAscii(sink, ',"event_timestamps":');
    writeEvents(sink, column.eventUs);
    writeAscii(sink, ',"is_default":');
    writeAll(sink, column.isDefault, writeFlag);
  }
  writeAscii(sink, '}');
}

const quotedStatuses = statusNames.map((name) => Buffer.from(`"${name}"`));
const flags = ['false', 'true'].map((text) => Buffer.from(text));

export function writeStatus(sink: Sink, status: number): void {
  writeShort(sink, quotedStatuses[status] as Buffer);
}

function writeFlag(sink: Sink, flag: number): void {
  writeShort(sink, flags[flag] as Buffer);
}

function writeEvent(sink: Sink, us: bigint | null): void {
  if (us === null) writeAscii(sink, 'null');
  else writeInstant(sink, us);
}

/** The features of a view mostly share their rows, and with them the list of instants: each list is written once a text, then copied. */
export function eventsWriter(write: (sink: Sink, us: bigint | null) => void): WriteEvents {
  const written = new Map<OnlineColumn['eventUs'], readonly [start: number, end: number]>();
  return (sink, eventUs) => {
    const known = written.get(eventUs);
    if (known !== undefined) return writeAgain(sink, ...known);
    const start = sink.at;
    writeAll(sink, eventUs, write);
    written.set(eventUs, [start, sink.at]);
  };
}

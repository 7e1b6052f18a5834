/** An online answer as our JSON: every value without loss, with its status, event timestamp and whether a default replaced it. */
import { formatInstantUs } from '../../definitions/format-instant.ts';
import { statusNames } from '../../definitions/status.ts';
import { formatValueType } from '../../definitions/value-type.ts';
import type { OnlineAnswer, OnlineColumn } from '../../online/retrieve/answer.ts';
import { losslessWriter } from './write-value.ts';

/** `statuses` false leaves out what stands beside the values. */
export function writeAnswer(answer: OnlineAnswer, statuses: boolean): string {
  const writeEvent = eventWriter();
  let entities = '';
  for (const { name, type, values } of answer.entities) {
    entities += `${entities === '' ? '' : ','}"${name}":{"type":"${type.kind}","values":${writeAll(values, losslessWriter(type))}}`;
  }
  let columns = '';
  for (const column of answer.columns) {
    columns += `${columns === '' ? '' : ','}"${column.name}":${writeColumn(column, statuses ? writeEvent : undefined)}`;
  }
  const missing = answer.views.filter((view) => !view.isMaterialized).map((view) => view.view);
  const head = `{"evaluated_at":"${formatInstantUs(answer.evaluatedAtUs)}","rows":${answer.rows}`;
  return `${head},"never_materialized":${JSON.stringify(missing)},"entities":{${entities}},"columns":{${columns}}}`;
}

function writeColumn(column: OnlineColumn, writeEvent: ((us: bigint | null) => string) | undefined): string {
  const values = writeAll(column.values, losslessWriter(column.type));
  const head = `{"view":"${column.view}","feature":"${column.feature}","type":"${formatValueType(column.type)}","values":${values}`;
  if (writeEvent === undefined) return `${head}}`;
  const statuses = writeAll(column.statuses, writeStatus);
  const events = writeAll(column.eventUs, writeEvent);
  return `${head},"statuses":${statuses},"event_timestamps":${events},"is_default":${writeAll(column.isDefault, writeFlag)}}`;
}

/** `[a,b,…]`, each by one writer. */
export function writeAll<T>(values: ArrayLike<T>, write: (value: T) => string): string {
  let text = '[';
  for (let at = 0; at < values.length; at++) text += at === 0 ? write(values[at] as T) : `,${write(values[at] as T)}`;
  return `${text}]`;
}

const quotedStatuses = statusNames.map((name) => `"${name}"`);

export function writeStatus(status: number): string {
  return quotedStatuses[status] as string;
}

function writeFlag(flag: number): string {
  return flag === 1 ? 'true' : 'false';
}

/** The features of a view mostly share their rows, and with them the instant: each is written once an answer. */
function eventWriter(): (us: bigint | null) => string {
  const written = new Map<bigint, string>();
  return (us) => {
    if (us === null) return 'null';
    let text = written.get(us);
    if (text === undefined) {
      text = `"${formatInstantUs(us)}"`;
      written.set(us, text);
    }
    return text;
  };
}

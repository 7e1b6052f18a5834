/** An online answer as an Arrow IPC stream of one batch, in the columns that a training set has. */
import { columnFromValues } from '../arrow/build.ts';
import { encodeRecordBatch } from '../arrow/record-batch.ts';
import { type Field, field, type Schema } from '../arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { formatInstantUs } from '../definitions/format-instant.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { statusNames } from '../definitions/status.ts';
import type { ValueType } from '../definitions/value-type.ts';
import { featureField } from '../offline/feature-field.ts';
import type { OnlineAnswer, OnlineColumn } from '../online/retrieve/answer.ts';

export const arrowType = 'application/vnd.apache.arrow.stream';

const endOfStream = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** Entity columns, then each feature, followed by its status columns where `statuses` is true; the schema's metadata has `evaluated_at`. */
export function encodeArrowAnswer(answer: OnlineAnswer, statuses: boolean): Uint8Array {
  const columns = [
    ...answer.entities.map(({ name, type, values }) => valueColumn(name, type, values)),
    ...answer.columns.flatMap((column) => [
      valueColumn(column.name, column.type, column.values),
      ...(statuses ? statusColumns(column) : []),
    ]),
  ];
  const metadata = new Map([['featherflight.evaluated_at', formatInstantUs(answer.evaluatedAtUs)]]);
  const schema: Schema = { fields: columns.map((column) => column.field), metadata };
  const batch = encodeRecordBatch({ schema, length: answer.rows, columns });
  return Buffer.concat([
    encapsulateMessage(encodeSchemaMessage(schema)),
    encapsulateMessage(batch.header),
    ...batch.body,
    endOfStream,
  ]);
}

function valueColumn(name: string, type: ValueType, values: readonly LiteralValue[]) {
  return build(featureField(name, type), type.kind === 'date' ? values.map(daysOfDate) : values);
}

function statusColumns({ name, statuses, eventUs, isDefault }: OnlineColumn) {
  return [
    build(
      field(`${name}__status`, { id: 'utf8' }),
      Array.from(statuses, (status) => statusNames[status]),
    ),
    build(field(`${name}__event_timestamp`, { id: 'timestamp', unit: 'us', timezone: 'UTC' }), eventUs),
    build(
      field(`${name}__is_default`, { id: 'bool' }),
      Array.from(isDefault, (flag) => flag === 1),
    ),
  ];
}

function build(of: Field, values: readonly unknown[]) {
  return columnFromValues(of, values);
}

/** Days since the epoch of a date as text; the calendar's own arithmetic, in which every day has 86,400,000 ms. */
function daysOfDate(value: LiteralValue): number | null {
  return value === null ? null : Date.parse(`${value as string}T00:00:00Z`) / 86_400_000;
}

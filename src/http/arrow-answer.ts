/** An online answer as an Arrow IPC stream of one batch, in the columns that a training set has. */
import { columnFromValues } from '../arrow/build.ts';
import { encodeRecordBatch } from '../arrow/record-batch.ts';
import { field, type Schema } from '../arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { formatInstantUs } from '../definitions/format-instant.ts';
import { statusNames } from '../definitions/status.ts';
import { deprecationWarnings } from '../lifecycle/deprecation-warnings.ts';
import { valueColumn } from '../offline/value-column.ts';
import type { OnlineAnswer, OnlineColumn } from '../online/retrieve/answer.ts';

export const arrowType = 'application/vnd.apache.arrow.stream';

const endOfStream = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** Entity columns, then each feature, followed by its status columns where `statuses` is true; the schema's metadata has `evaluated_at` and warnings. */
export function encodeArrowAnswer(answer: OnlineAnswer, statuses: boolean): Uint8Array {
  const columns = [
    ...answer.entities.map(({ name, type, values }) => valueColumn(name, type, values)),
    ...answer.columns.flatMap((column) => [
      valueColumn(column.name, column.type, column.values),
      ...(statuses ? statusColumns(column) : []),
    ]),
  ];
  const metadata = new Map([['featherflight.evaluated_at', formatInstantUs(answer.evaluatedAtUs)]]);
  const warnings = deprecationWarnings(answer.origin.registry, answer.origin.request);
  if (warnings.length > 0) metadata.set('featherflight.warnings', JSON.stringify(warnings));
  const schema: Schema = { fields: columns.map((column) => column.field), metadata };
  const batch = encodeRecordBatch({ schema, length: answer.rows, columns });
  return Buffer.concat([
    encapsulateMessage(encodeSchemaMessage(schema)),
    encapsulateMessage(batch.header),
    ...batch.body,
    endOfStream,
  ]);
}

function statusColumns({ name, statuses, eventUs, isDefault }: OnlineColumn) {
  return [
    columnFromValues(
      field(`${name}__status`, { id: 'utf8' }),
      Array.from(statuses, (status) => statusNames[status]),
    ),
    columnFromValues(field(`${name}__event_timestamp`, { id: 'timestamp', unit: 'us', timezone: 'UTC' }), eventUs),
    columnFromValues(
      field(`${name}__is_default`, { id: 'bool' }),
      Array.from(isDefault, (flag) => flag === 1),
    ),
  ];
}

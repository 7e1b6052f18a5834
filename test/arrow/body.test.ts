/** Bodies at odd places of a message: how gRPC hands them over. */
import { expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { readValue } from '../../src/arrow/read-value.ts';
import { decodeRecordBatch, encodeRecordBatch } from '../../src/arrow/record-batch.ts';
import { field, type Schema } from '../../src/arrow/schema.ts';

const schema: Schema = {
  fields: [field('s', { id: 'utf8' }), field('n', { id: 'int', bits: 64, signed: true })],
  metadata: new Map(),
};
const batch = {
  schema,
  length: 3,
  columns: [
    columnFromValues(schema.fields[0] as never, ['a', null, 'ccc']),
    columnFromValues(schema.fields[1] as never, [1n, 2n, null]),
  ],
};

it.each([0, 1, 2, 3, 4, 5, 6, 7])('a body %i bytes after an aligned place, in a Buffer, is read all the same', (shift) => {
  const { header, body, bodyLength } = encodeRecordBatch(batch);
  const message = Buffer.alloc(bodyLength + 8);
  Buffer.concat(body).copy(message, shift);
  const decoded = decodeRecordBatch(schema, header, message.subarray(shift, shift + bodyLength));
  const rows = [0, 1, 2].map((row) => decoded.columns.map((column) => readValue(column, row)));
  expect(rows).toEqual([
    ['a', 1n],
    [null, 2n],
    ['ccc', null],
  ]);
});

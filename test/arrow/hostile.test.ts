/** Bytes that others wrote wrongly, by accident or on purpose: refused with our error or read within bounds, never a crash. */
import { Field as FbField } from 'apache-arrow/fb/field';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { Null } from 'apache-arrow/fb/null';
import { Schema as FbSchema } from 'apache-arrow/fb/schema';
import { Type } from 'apache-arrow/fb/type';
import fc from 'fast-check';
import { Builder } from 'flatbuffers';
import { describe, expect, test } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import type { Column } from '../../src/arrow/column.ts';
import type { Compression } from '../../src/arrow/compression.ts';
import { concatColumns } from '../../src/arrow/concat.ts';
import { finishMessage } from '../../src/arrow/message.ts';
import { toBinary, toUtf8 } from '../../src/arrow/plain.ts';
import { readValues } from '../../src/arrow/read-value.ts';
import { decodeRecordBatch, encodeRecordBatch, type RecordBatch } from '../../src/arrow/record-batch.ts';
import { type Field, field, formatType, type Schema } from '../../src/arrow/schema.ts';
import { decodeSchemaMessage, encodeSchemaMessage } from '../../src/arrow/schema-message.ts';
import { sliceColumn } from '../../src/arrow/slice.ts';
import { takeColumn } from '../../src/arrow/take.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { anyType, columnOf } from './arbitrary-columns.ts';

const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 1500) };

type Change = readonly [at: number, value: number];
const changes = fc.array(fc.tuple(fc.nat(1 << 16), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))), {
  minLength: 1,
  maxLength: 4,
});

function change(bytes: Uint8Array, list: readonly Change[]): Uint8Array {
  const changed = bytes.slice();
  if (changed.length > 0) for (const [at, value] of list) changed[at % changed.length] = value;
  return changed;
}

/** Runs what may be refused; anything thrown but our own error, or our INTERNAL one, is a bug. */
function refuseOr<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof FeatureStoreError && error.code !== 'INTERNAL') return undefined;
    throw error;
  }
}

function useColumn(column: Column): void {
  if (column.length > 100_000) return;
  readValues(column);
  sliceColumn(column, column.length >> 1, column.length);
  concatColumns([column, column]);
  const indices = Int32Array.from({ length: Math.min(20, column.length) }, (_, i) => column.length - 1 - i);
  refuseOr(() => takeColumn(column, indices));
  refuseOr(() => toUtf8(column));
  refuseOr(() => toBinary(column));
}

test('changed bytes in header or body', () => {
  const drawn = fc
    .array(
      anyType(2).chain((of) => columnOf(of, 12)),
      { minLength: 1, maxLength: 3 },
    )
    .chain((columns) =>
      fc.tuple(fc.constant(columns), fc.constantFrom(undefined, 'lz4' as const, 'zstd' as const), changes, changes, fc.nat(2)),
    );
  fc.assert(
    fc.property(drawn, ([columns, compression, inHeader, inBody, where]) => {
      const { schema, header, body } = encode(columns, compression);
      const badHeader = where === 1 ? header : change(header, inHeader);
      const badBody = where === 0 ? body : change(body, inBody);
      refuseOr(() => decodeRecordBatch(schema, badHeader, badBody, { maxDecodedBytes: 1 << 20 }))?.columns.forEach(useColumn);
    }),
    runs,
  );
});

test('changed bytes in a schema, and schemas that do not fit the batch', () => {
  const drawn = fc
    .tuple(anyType(2), anyType(2))
    .chain(([one, other]) => fc.tuple(columnOf(one, 12), fc.constant(other.field), changes));
  fc.assert(
    fc.property(drawn, ([column, other, list]) => {
      const { schema, header, body } = encode([column], undefined);
      const changed = refuseOr(() => decodeSchemaMessage(change(encodeSchemaMessage(schema), list)));
      if (changed !== undefined) {
        changed.fields.forEach(formatType);
        encodeSchemaMessage(changed);
        refuseOr(() => decodeRecordBatch(changed, header, body))?.columns.forEach(useColumn);
      }
      const wrong: Schema = { fields: [other], metadata: new Map() };
      refuseOr(() => decodeRecordBatch(wrong, header, body))?.columns.forEach(useColumn);
    }),
    runs,
  );
});

test('bytes of any kind', () => {
  const schema: Schema = { fields: [field('x', { id: 'utf8' })], metadata: new Map() };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      refuseOr(() => decodeSchemaMessage(bytes));
      refuseOr(() => decodeRecordBatch(schema, bytes, bytes));
    }),
    runs,
  );
});

describe('by name', () => {
  const text = columnFromValues(field('x', { id: 'utf8' }), ['ab', 'cd', 'ef']);
  const list = columnFromValues(field('x', { id: 'list' }, [field('item', { id: 'bool' })]), [[true], [], [false]]);

  test.each([
    ['falling offsets', text, 1, 5],
    ['negative offsets', text, 0, -1],
    ['offsets beyond the data', text, 3, 7],
    ['list offsets beyond the elements', list, 3, 3],
  ] as const)('%s', (_, column, word, value) => {
    const { schema, header, body } = encode([column], undefined);
    new Int32Array(body.buffer)[word] = value;
    expect(() => decodeRecordBatch(schema, header, body)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('a view into a buffer that is not there, but not under a null', () => {
    const views = columnFromValues(field('x', { id: 'utf8View' }), ['a text longer than twelve', null]);
    const { schema, header, body } = encode([views], undefined);
    const inNull = body.slice();
    new Int32Array(inNull.buffer).fill(0x7fffffff, 2 + 4, 2 + 8);
    expect(readValues(decodeRecordBatch(schema, header, inNull).columns[0] as Column)).toEqual([
      'a text longer than twelve',
      null,
    ]);
    new Int32Array(body.buffer)[2 + 2] = 1;
    expect(() => decodeRecordBatch(schema, header, body)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('a batch of fewer columns than its schema', () => {
    const { header, body } = encode([text], undefined);
    const two: Schema = { fields: [text.field, text.field], metadata: new Map() };
    expect(() => decodeRecordBatch(two, header, body)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('a body at an odd place in its message is read all the same', () => {
    const column = columnFromValues(field('x', { id: 'int', bits: 64, signed: true }), [1n, -2n, 3n]);
    const { schema, header, body } = encode([column], undefined);
    const message = new Uint8Array(body.length + 3);
    message.set(body, 3);
    expect(readValues(decodeRecordBatch(schema, header, message.subarray(3)).columns[0] as Column)).toEqual([1n, -2n, 3n]);
  });

  test('fields that nest without end are refused', () => {
    let deep: Field = field('x', { id: 'bool' });
    for (let depth = 0; depth < 70; depth++) deep = field('x', { id: 'list' }, [deep]);
    expect(() => decodeSchemaMessage(encodeSchemaMessage({ fields: [deep], metadata: new Map() }))).toThrow(/nest/);
  });

  test('a small schema whose shared tables unfold into 2^40 fields is refused', () => {
    const builder = new Builder();
    const empty = Null.createNull(builder);
    let at = 0;
    for (let depth = 0; depth < 40; depth++) {
      const children = FbField.createChildrenVector(builder, depth === 0 ? [] : [at, at]);
      FbField.startField(builder);
      FbField.addTypeType(builder, depth === 0 ? Type.Null : Type.Struct_);
      FbField.addType(builder, empty);
      FbField.addChildren(builder, children);
      at = FbField.endField(builder);
    }
    const fields = FbSchema.createFieldsVector(builder, [at]);
    FbSchema.startSchema(builder);
    FbSchema.addFields(builder, fields);
    const header = finishMessage(builder, MessageHeader.Schema, FbSchema.endSchema(builder), 0);
    expect(() => decodeSchemaMessage(header)).toThrow(/more fields than its bytes can hold/);
  });

  test.each(['lz4', 'zstd'] as const)('a %s body that grows beyond the limit is refused before it does', (compression) => {
    const zeros = columnFromValues(field('x', { id: 'int', bits: 64, signed: true }), new Array(100_000).fill(0n));
    const { schema, header, body } = encode([zeros], compression);
    expect(body.length).toBeLessThan(10_000);
    expect(() => decodeRecordBatch(schema, header, body, { maxDecodedBytes: 700_000 })).toThrow(
      expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }),
    );
    const lying = body.slice();
    new DataView(lying.buffer).setBigInt64(0, 1000n, true);
    expect(() => decodeRecordBatch(schema, header, lying)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(readValues(decodeRecordBatch(schema, header, body).columns[0] as Column).length).toBe(100_000);
  });
});

function encode(
  columns: readonly Column[],
  compression: Compression | undefined,
): { schema: Schema; header: Uint8Array; body: Uint8Array } {
  const length = Math.min(...columns.map((column) => column.length));
  const cut = columns.map((column) => sliceColumn(column, 0, length));
  const batch: RecordBatch = {
    schema: { fields: columns.map((column) => column.field), metadata: new Map() },
    length,
    columns: cut,
  };
  const { header, body } = encodeRecordBatch(batch, { compression });
  return { schema: batch.schema, header, body: new Uint8Array(Buffer.concat(body)) };
}

/** Avro records as typed events: written by avsc, read by our own bounded reader. */
import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AvroFormatDocument } from '../../../src/registry/document.ts';
import { compileDecoder } from '../../../src/stream/decode/compile-decoder.ts';
import { eventSourceDocument } from './event-source.ts';

const schema = {
  type: 'record',
  name: 'Click',
  fields: [
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'user_id', type: ['null', 'long', 'string'] },
    { name: 'kind', type: ['null', { type: 'enum', name: 'Kind', symbols: ['view', 'click', 'like'] }] },
    { name: 'price', type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }] },
    { name: 'day', type: ['null', { type: 'int', logicalType: 'date' }] },
    { name: 'seen_at', type: ['null', { type: 'long', logicalType: 'timestamp-micros' }] },
    { name: 'ratio', type: 'double' },
    { name: 'share', type: 'float' },
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'raw', type: { type: 'fixed', name: 'Raw', size: 2 } },
    { name: 'tags', type: { type: 'array', items: ['null', 'string'] } },
    { name: 'embedding', type: { type: 'array', items: 'float' } },
    { name: 'ignored', type: { type: 'map', values: ['null', 'Click', 'int'] } },
  ],
};

/** Writes what it is given as it stands: logical types are those of the reader. */
const writer = avsc.Type.forSchema(schema as never, { wrapUnions: true });
const atMs = 1_773_144_000_123;

const event = (changes: object = {}): object => ({
  at: atMs,
  user_id: { long: 123_456_789_012 },
  kind: { Kind: 'view' },
  price: { bytes: Buffer.from([0xff, 0x85]) },
  day: { int: 20_522 },
  seen_at: { long: 1_773_144_000_000_001 },
  ratio: Number.NaN,
  share: 0.5,
  flag: true,
  small: -5,
  raw: Buffer.from([1, 2]),
  tags: [{ string: 'ä' }, null],
  embedding: [1, 2],
  ignored: { x: { int: 3 }, y: null },
  ...changes,
});

const decodeWith = (changes: Partial<AvroFormatDocument> = {}, source = eventSourceDocument()) =>
  compileDecoder(source, { format: { avro: 'click.avsc', schema: JSON.stringify(schema), ...changes } });
const decodeOne = (value: Uint8Array, changes?: Partial<AvroFormatDocument>) => decodeWith(changes)([{ offset: 1n, value }]);

describe('Avro events', () => {
  it('are read by their schema: logical types, unions with null, enums, fixed, arrays; nested records ignored', () => {
    const value = writer.toBuffer(event({ ignored: { self: { Click: event() } } }));
    const { columns, setAside } = decodeOne(value);
    expect(setAside).toEqual([]);
    expect(columns).toEqual({
      at: [BigInt(atMs) * 1000n],
      user_id: [123_456_789_012n],
      kind: ['view'],
      price: ['-1.23'],
      day: ['2026-03-10'],
      seen_at: [1_773_144_000_000_001n],
      ratio: [Number.NaN],
      share: [0.5],
      flag: [true],
      small: [-5],
      raw: [new Uint8Array([1, 2])],
      tags: [['ä', null]],
      embedding: [[1, 2]],
    });
  });

  it('keep every int64 exact', () => {
    const plain = {
      type: 'record',
      name: 'E',
      fields: [
        { name: 'at', type: 'long' },
        { name: 'user_id', type: 'long' },
      ],
    };
    const decode = decodeWith({ schema: JSON.stringify(plain) });
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (id) => {
        const value = Buffer.concat([encodeLong(1_773_144_000_000_001n), encodeLong(id)]);
        const { columns, setAside } = decode([{ offset: 1n, value }]);
        expect(setAside).toEqual([]);
        expect(columns.user_id).toEqual([id]);
      }),
    );
    const late = decode([{ offset: 1n, value: Buffer.concat([encodeLong(1_773_144_000n), encodeLong(1n)]) }]);
    expect(late.setAside[0]?.reason).toMatch(/column "at": 1773144000 is a suspicious epoch: it looks like seconds/);
  });

  it('are set aside where a value does not fit its column', () => {
    expect(decodeOne(writer.toBuffer(event({ kind: { Kind: 'like' } }))).setAside[0]?.reason).toMatch(
      /^column "kind": "like" is not among its values/,
    );
    expect(decodeOne(writer.toBuffer(event({ user_id: { string: 'x' } }))).setAside[0]?.reason).toMatch(/"x" is no int64/);
    expect(decodeOne(writer.toBuffer(event({ kind: null, user_id: null }))).columns).toMatchObject({
      kind: [null],
      user_id: [null],
    });
  });

  it('are set aside wherever they are cut short, and where they are too long', () => {
    const value = writer.toBuffer(event());
    for (let length = 0; length < value.length; length++) {
      const { offsets, setAside } = decodeOne(value.subarray(0, length));
      expect(offsets).toEqual([]);
      expect(setAside[0]?.reason).toMatch(/^the record is no Avro of this schema: /);
    }
    expect(decodeOne(Buffer.concat([value, Buffer.of(0)])).setAside[0]?.reason).toMatch(/1 bytes more than the schema says/);
  });

  it('never throw, hang or grow, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (value) => {
        const { offsets, setAside } = decodeOne(value);
        expect(offsets.length + setAside.length).toBe(1);
      }),
      { numRuns: 2000 },
    );
    const many = { type: 'record', name: 'E', fields: [{ name: 'at', type: { type: 'array', items: 'null' } }] };
    const value = Buffer.concat([encodeLong(2n ** 31n - 1n), Buffer.of(0)]);
    expect(decodeOne(value, { schema: JSON.stringify(many) }).setAside[0]?.reason).toMatch(
      /2147483647 items, more than its bytes/,
    );
  });

  it('with the prefix of a schema registry are read where the format says so, and only then', () => {
    const value = Buffer.concat([Buffer.of(0, 0, 0, 0, 7), writer.toBuffer(event())]);
    expect(decodeOne(value, { framing: 'confluent' }).offsets).toEqual([1n]);
    expect(decodeOne(value, { framing: 'confluent', schemaId: 7 }).offsets).toEqual([1n]);
    expect(decodeOne(value, { framing: 'confluent', schemaId: 8 }).setAside[0]?.reason).toMatch(/has the id 7, and 8 is read/);
    expect(decodeOne(value).offsets).toEqual([]);
    expect(decodeOne(Buffer.of(1, 2, 3, 4, 5, 6), { framing: 'confluent' }).setAside[0]?.reason).toMatch(/begin with a zero/);
  });

  it('with local times are read by the zone of the source', () => {
    const local = {
      type: 'record',
      name: 'E',
      fields: [{ name: 'at', type: { type: 'long', logicalType: 'local-timestamp-micros' } }],
    };
    const format = { schema: JSON.stringify(local) };
    const value = encodeLong(BigInt(atMs) * 1000n);
    expect(decodeOne(value, format).setAside[0]?.reason).toMatch(/has no zone; name the source's in `timezone`/);
    const paris = eventSourceDocument({}, { timezone: 'Europe/Paris' });
    const { columns } = decodeWith(format, paris)([{ offset: 1n, value }]);
    expect(columns.at).toEqual([BigInt(atMs - 3_600_000) * 1000n]);
  });

  it('need a schema of a record', () => {
    expect(() => decodeWith({ schema: '{"type":"recrd"}' })).toThrow(/the Avro schema "click.avsc" cannot be read: /);
    expect(() => decodeWith({ schema: '"int"' })).toThrow(/the Avro schema "click.avsc" is one of int, and an event is a record/);
  });
});

/** Zigzag, seven bits a byte. */
function encodeLong(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

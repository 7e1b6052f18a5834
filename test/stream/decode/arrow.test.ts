/** Arrow records as typed events: IPC streams as apache-arrow writes them, of several events each. */
import {
  Bool,
  type DataType,
  DateDay,
  Dictionary,
  Field,
  Float32,
  Int32,
  Int64,
  List,
  makeData,
  makeVector,
  RecordBatchStreamWriter,
  Table,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDecoder } from '../../../src/stream/decode/compile-decoder.ts';
import { eventSourceDocument } from './event-source.ts';

const atUs = 1_773_144_000_000_001n;
const source = eventSourceDocument({
  user_id: 'int64',
  kind: 'string',
  flag: 'bool',
  small: 'int32',
  share: 'float32',
  day: 'date',
  tags: 'list(string)',
});
const decode = compileDecoder(source, { format: 'arrow' });
const write = (table: Table): Uint8Array => RecordBatchStreamWriter.writeAll(table).toUint8Array(true);

/** 64-bit values as they stand. */
function times(type: DataType, values: readonly (bigint | null)[]) {
  const nullBitmap = Uint8Array.of(values.reduce((bits, value, at) => bits | (value === null ? 0 : 1 << at), 0));
  const nullCount = values.filter((value) => value === null).length;
  const data = BigInt64Array.from(values, (value) => value ?? 0n);
  return makeVector(makeData({ type, length: values.length, nullCount, nullBitmap, data } as never));
}

const events = (): Table =>
  new Table({
    at: times(new TimestampMicrosecond('UTC'), [atUs, null, atUs + 1n]),
    user_id: vectorFromArray([2n ** 60n + 1n, 2n, null], new Int64()),
    kind: vectorFromArray(['view', 'click', 'buy'], new Dictionary(new Utf8(), new Int32())),
    flag: vectorFromArray([true, false, null], new Bool()),
    share: vectorFromArray([0.5, Number.NaN, null], new Float32()),
    day: vectorFromArray([new Date(0), null, null], new DateDay()),
    tags: vectorFromArray([['a', null], [], null], new List(new Field('item', new Utf8(), true))),
    ignored: vectorFromArray([1, 2, 3], new Int32()),
  } as never);

describe('Arrow events', () => {
  it('are taken and set aside one by one, with the offset of their record', () => {
    const { columns, offsets, setAside } = decode([{ offset: 9n, value: write(events()) }]);
    expect(offsets).toEqual([9n]);
    expect(columns).toEqual({
      at: [atUs],
      user_id: [2n ** 60n + 1n],
      kind: ['view'],
      flag: [true],
      small: [null],
      share: [0.5],
      day: ['1970-01-01'],
      tags: [['a', null]],
    });
    expect(setAside.map(({ offset, reason }) => [offset, reason])).toEqual([
      [9n, 'column "at": the event time is null; every event needs one'],
      [9n, 'column "kind": "buy" is not among its values; it knows "view", "click"'],
    ]);
    expect(String(setAside[0]?.value)).toMatch(/"user_id":"2","kind":"click"/);
  });

  it('are set aside as one record wherever it is cut short', () => {
    const value = write(events());
    for (let length = 0; length < value.length; length++) {
      const { offsets, setAside } = decode([{ offset: 1n, value: value.subarray(0, length) }]);
      expect(offsets).toEqual([]);
      expect(setAside.length).toBe(1);
    }
  });

  it('never throw, whatever byte is changed', () => {
    const value = write(events());
    fc.assert(
      fc.property(fc.nat(value.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = value.slice();
        changed[at] = byte;
        const { offsets, setAside } = decode([{ offset: 1n, value: changed }]);
        expect(offsets.length + setAside.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
    expect(decode([{ offset: 1n, value: Buffer.from('no Arrow at all') }]).setAside.length).toBe(1);
  });

  it('have times in the unit and zone of their type', () => {
    const only = (type: DataType, count: bigint) =>
      decode([{ offset: 1n, value: write(new Table({ at: times(type, [count]) } as never)) }]);
    expect(only(new TimestampMillisecond('UTC'), 1_773_144_000_123n).columns.at).toEqual([1_773_144_000_123_000n]);
    expect(only(new TimestampNanosecond('UTC'), atUs * 1000n).columns.at).toEqual([atUs]);
    expect(only(new TimestampNanosecond('UTC'), atUs * 1000n + 1n).setAside[0]?.reason).toMatch(/parts of a microsecond/);
    expect(only(new TimestampMicrosecond(), atUs).setAside[0]?.reason).toMatch(/has no zone/);
    expect(only(new Int64(), 1_773_144_000n).setAside[0]?.reason).toMatch(/suspicious epoch: it looks like seconds/);
  });
});

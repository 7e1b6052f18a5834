/** Fields that a source does not declare: an event with them counts all the same, and they are counted by name in every format. */
import { Int32, RecordBatchStreamWriter, Table, Utf8, vectorFromArray } from 'apache-arrow';
import avsc from 'avsc';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileDecoder, type EventFormat } from '../../../src/stream/decode/compile-decoder.ts';
import { maxIgnoredNames } from '../../../src/stream/decode/ignored-fields.ts';
import { eventSourceDocument } from './event-source.ts';

const at = '2026-03-10T12:00:00Z';
const source = eventSourceDocument({ user_id: 'int64', kind: 'string' });

function decode(format: EventFormat, ...values: readonly (Uint8Array | object)[]) {
  const records = values.map((value, place) => ({
    offset: BigInt(7 + place),
    value: value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value)),
  }));
  return compileDecoder(source, { format })(records);
}

test('of JSON: an event with them counts, and so they do where the event is set aside', () => {
  const named = { at, user_id: 1, kind: 'view' };
  const { offsets, columns, setAside, ignored } = decode(
    'json',
    { ...named, kin: 'view', __proto__x: null },
    { ...named, kin: null },
    { event_time: at, user_id: 1 },
    named,
  );
  expect(offsets).toEqual([7n, 8n, 10n]);
  expect(columns.kind).toEqual(['view', 'view', 'view']);
  expect(setAside).toMatchObject([{ offset: 9n, reason: expect.stringContaining('the event time is missing') }]);
  expect(ignored).toEqual({
    fields: [
      { name: 'kin', events: 2, offset: 8n },
      { name: '__proto__x', events: 1, offset: 7n },
      { name: 'event_time', events: 1, offset: 9n },
    ],
    others: 0,
  });
});

test('names that every object inherits are fields like others', () => {
  const text = `{"at": "${at}", "__proto__": 1, "constructor": 2, "toString": null}`;
  const { offsets, ignored } = decode('json', Buffer.from(text));
  expect(offsets).toEqual([7n]);
  expect(ignored.fields.map(({ name }) => name).sort()).toEqual(['__proto__', 'constructor', 'toString']);
});

test('of Avro by its schema, of Arrow by its columns for as many events as a record has, of pushes that wait', () => {
  const field = (name: string, type: string) => ({ name, type });
  const schema = {
    type: 'record',
    name: 'Click',
    fields: [field('at', 'string'), field('user_id', 'long'), field('page', 'string')],
  };
  const written = avsc.Type.forSchema(schema as never).toBuffer({ at, user_id: 1, page: 'x' });
  const format = { avro: 'click.avsc', schema: JSON.stringify(schema) };
  expect(decode(format, written, written).ignored).toEqual({ fields: [{ name: 'page', events: 2, offset: 8n }], others: 0 });
  const table = new Table({
    at: vectorFromArray([at, at, 'no time'], new Utf8()),
    user_idd: vectorFromArray([1, 2, 3], new Int32()),
  });
  const { offsets, ignored } = decode('arrow', RecordBatchStreamWriter.writeAll(table as never).toUint8Array(true));
  expect(offsets).toEqual([7n, 7n]);
  expect(ignored).toEqual({ fields: [{ name: 'user_idd', events: 3, offset: 7n }], others: 0 });
  const pushed = { at: [at, at], user_id: [1, 2], gone: [null, 1] };
  expect(decode('columns', pushed).ignored).toEqual({ fields: [{ name: 'gone', events: 2, offset: 7n }], others: 0 });
});

test('names beyond the first are counted together, and long ones are cut', () => {
  const long = 'n'.repeat(5000);
  const { ignored } = decode('json', { at, [long]: 1 }, { at, [`${long}else`]: 1 });
  expect(ignored.fields).toEqual([{ name: `${'n'.repeat(100)}…`, events: 2, offset: 8n }]);
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(fc.nat(150), { maxLength: 30 }), { maxLength: 30 }), (drawn) => {
      const events = drawn.map((numbers) => ({ at, ...Object.fromEntries(numbers.map((number) => [`f${number}`, number])) }));
      const { fields, others } = decode('json', ...events).ignored;
      const naive = new Map<string, number[]>();
      for (const [place, event] of events.entries())
        for (const name of Object.keys(event)) if (name !== 'at') naive.set(name, [...(naive.get(name) ?? []), place]);
      const expected = [...naive].map(([name, places]) => ({
        name,
        events: places.length,
        offset: BigInt(7 + (places.at(-1) ?? 0)),
      }));
      expect(fields).toEqual(expected.slice(0, maxIgnoredNames));
      expect(others).toBe(expected.slice(maxIgnoredNames).reduce((sum, one) => sum + one.events, 0));
    }),
    { numRuns: Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 100) },
  );
});

/** JSON records as typed events: exact values, and a reason for each event that does not fit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstantUs, type LiteralValue } from '../../../src/definitions/literal.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';
import { compileDecoder, type DecoderOptions } from '../../../src/stream/decode/compile-decoder.ts';
import { allTypes, eventSourceDocument } from './event-source.ts';

const at = '2026-03-10T12:00:00.000001Z';
const atUs = 1_773_144_000_000_001n;

function decodeTexts(texts: readonly (string | null)[], options: Partial<DecoderOptions> = {}, source?: SourceDocument) {
  const decode = compileDecoder(source ?? eventSourceDocument(), { format: 'json', ...options });
  return decode(texts.map((text, offset) => ({ offset: BigInt(offset), value: text === null ? null : Buffer.from(text) })));
}

const decodeOne = (event: object, options?: Partial<DecoderOptions>, source?: SourceDocument) =>
  decodeTexts([JSON.stringify(event)], options, source);

/** The value that a column gets, or why the event was set aside. */
function readColumn(name: string, json: string, options?: Partial<DecoderOptions>): LiteralValue | { reason: string } {
  const { columns, setAside } = decodeTexts([`{"at": "${at}", "${name}": ${json}}`], options);
  const [event] = setAside;
  return event === undefined ? (columns[name]?.[0] as LiteralValue) : { reason: event.reason };
}

describe('values that fit', () => {
  it('are plain values of the declared types, int64 exact', () => {
    const text = `{"at":"${at}","user_id":9007199254740993,"kind":"view","flag":true,"small":-2147483648,"ratio":-0.5,
      "share":0.1,"price":12.5,"day":"2026-03-10","seen_at":"2026-03-10T13:00:00+01:00","raw":"AQI=","tags":["a",null],
      "embedding":[1,0.1],"more":{"x":[1]}}`;
    const { columns, offsets, setAside } = decodeTexts([text]);
    expect(setAside).toEqual([]);
    expect(offsets).toEqual([0n]);
    expect(columns).toEqual({
      at: [atUs],
      user_id: [9_007_199_254_740_993n],
      kind: ['view'],
      flag: [true],
      small: [-2_147_483_648],
      ratio: [-0.5],
      share: [Math.fround(0.1)],
      price: ['12.50'],
      day: ['2026-03-10'],
      seen_at: [atUs - 1n],
      raw: [new Uint8Array([1, 2])],
      tags: [['a', null]],
      embedding: [[1, Math.fround(0.1)]],
    });
  });

  it('are null where a declared column is missing or null, and fields that nobody declared are ignored', () => {
    const { columns, setAside } = decodeOne({ at, kind: null, unknown: 1, __proto__x: 2 });
    expect(setAside).toEqual([]);
    expect(columns).toMatchObject({ at: [atUs], kind: [null], user_id: [null], embedding: [null] });
  });

  it('are not what every object inherits', () => {
    const source = eventSourceDocument({ constructor: 'string', toString: 'string' });
    expect(decodeOne({ at }, {}, source).columns).toMatchObject({ constructor: [null], toString: [null] });
    expect(decodeTexts([`{"at":"${at}","constructor":"x"}`], {}, source).columns).toMatchObject({ constructor: ['x'] });
  });

  it.each([
    ['ratio', '"NaN"', Number.NaN],
    ['ratio', '"-Infinity"', Number.NEGATIVE_INFINITY],
    ['share', '"Infinity"', Number.POSITIVE_INFINITY],
    ['user_id', '"9223372036854775807"', 9_223_372_036_854_775_807n],
    ['small', '-0', 0],
    ['price', '"0.10"', '0.10'],
    ['price', '-3', '-3.00'],
  ])('%s reads %s', (name, json, value) => {
    expect(readColumn(name, json)).toEqual(value);
  });
});

describe('values that do not fit set their event aside', () => {
  it.each([
    ['user_id', '"abc"', 'column "user_id": "abc" is no int64: write a whole number'],
    ['user_id', '1.5', 'column "user_id": 1.5 is no int64: write a whole number'],
    ['user_id', '9223372036854775808', 'column "user_id": 9223372036854775808 is no int64: it does not fit 64 bits'],
    ['small', '2147483648', 'column "small": 2147483648 is no int32: it does not fit 32 bits'],
    ['flag', '1', 'column "flag": 1 is no bool: write true or false'],
    ['share', '1e39', 'column "share": 1e+39 is no float32: it is larger than any float32'],
    ['ratio', '"1.5"', 'column "ratio": "1.5" is no float64: write a number, or "NaN", "Infinity", "-Infinity"'],
    ['kind', '"clik"', 'column "kind": "clik" is not among its values; did you mean "click"?'],
    ['kind', '"purchase"', 'column "kind": "purchase" is not among its values; it knows "view", "click"'],
    ['kind', '7', 'column "kind": 7 is no string: write text'],
    ['price', '1.234', 'column "price": 1.234 is no decimal(9,2): it has more than 2 digits after the point'],
    ['price', '"x"', 'column "price": "x" is no decimal(9,2): write a number as text, such as "12.50"'],
    ['day', '"2026-02-30"', 'column "day": "2026-02-30" is no date: write a date such as "2026-03-10"'],
    ['raw', '"%"', 'column "raw": "%" is no bytes: write bytes in base64'],
    ['tags', '"a"', 'column "tags": "a" is no list(string): write an array'],
    ['tags', '["a", 1]', 'column "tags": item 1: 1 is no string: write text'],
    ['embedding', '[1]', 'column "embedding": [1] is no vector(float32,2): write an array of 2 numbers'],
    ['embedding', '[1,null]', /column "embedding": item 1: null is no float32/],
    ['tags', '["\\ud800"]', /half a surrogate pair/],
    ['user_id', `"${'9'.repeat(500)}"`, /^column "user_id": "9{59}… is no int64: write a whole number$/],
  ])('%s %s', (name, json, reason) => {
    expect(readColumn(name, json)).toEqual({
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    });
  });

  it.each([
    ['null', 'column "at": the event time is null; every event needs one'],
    ['1773144000', 'column "at": 1773144000 is a suspicious epoch: it looks like seconds, and times are counted in microseconds'],
    ['1773144000.25', /looks like seconds/],
    ['1773144000000', /looks like milliseconds/],
    ['"1773144000000"', /looks like milliseconds/],
    ['1773144000000000001', /looks like nanoseconds/],
    ['"2026-03-10T12:00:00"', /write it with an offset/],
    ['"2026-13-10T12:00:00Z"', /there is no such time/],
    ['"2026-02-30T12:00:00Z"', /there is no such time/],
    ['"2026-03-10T24:00:00Z"', /there is no such time/],
    ['"2026-03-10T12:00:00.0000001Z"', /parts of a microsecond/],
    ['"yesterday"', /"yesterday" is no time/],
    ['true', /true is no time/],
    ['{}', /\{\} is no time/],
  ])('the event time %s', (json, reason) => {
    const { offsets, setAside } = decodeTexts([`{"at": ${json}}`]);
    expect(offsets).toEqual([]);
    expect(setAside[0]?.reason).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
  });

  it('the event time is missing', () => {
    expect(decodeOne({ kind: 'view' }).setAside[0]?.reason).toBe('column "at": the event time is missing; every event needs one');
  });

  it.each([
    [`{"at":"${at}"`, /^the record is no JSON/],
    ['', /cut short or empty/],
    ['[1]', 'the record is [1], and an event is an object such as {"user_id": 1}'],
    ['null', /^the record is null/],
    [`{"a": ${'['.repeat(100)}${']'.repeat(100)}}`, /nested 101 levels deep/],
    [null, 'the record has no value: it is a tombstone, and no event'],
    [`{"at":"${at}","pad":"${'x'.repeat(2_000_000)}"}`, /^the record has 2\d{6} bytes, and at most 1048576 are read$/],
    [`{"at":"${at}","ratio":1e999}`, /beyond every double/],
  ])('records that are none: %.20s', (text, reason) => {
    const { offsets, setAside } = decodeTexts([text, `{"at":"${at}"}`]);
    expect(offsets).toEqual([1n]);
    expect(setAside).toEqual([
      {
        offset: 0n,
        reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
        value: text === null ? null : Buffer.from(text),
      },
    ]);
  });

  it('bytes that are not UTF-8', () => {
    const decode = compileDecoder(eventSourceDocument(), { format: 'json' });
    const value = Buffer.concat([Buffer.from('{"kind":"'), Buffer.of(0xff), Buffer.from('"}')]);
    expect(decode([{ offset: 3n, value }]).setAside).toEqual([{ offset: 3n, reason: 'the record is not UTF-8', value }]);
  });
});

describe('local event times (rule 1.2)', () => {
  const paris = { timezone: 'Europe/Paris' };

  it("are read by the source's zone", () => {
    const { columns } = decodeOne({ at: '2026-03-10T13:00:00.000001' }, {}, eventSourceDocument({}, paris));
    expect(columns.at).toEqual([atUs]);
  });

  it('are set aside where the clocks make them unclear, unless the source says which is meant', () => {
    const event = { at: '2026-10-25T02:30:00' };
    expect(decodeOne(event, {}, eventSourceDocument({}, paris)).setAside[0]?.reason).toMatch(/exists twice/);
    const later = eventSourceDocument({}, { ...paris, ambiguousTime: 'later' });
    expect(decodeOne(event, {}, later).columns.at).toEqual([BigInt(Date.UTC(2026, 9, 25, 1, 30)) * 1000n]);
  });
});

describe('text alone, as fields of Redis Streams are', () => {
  it.each([
    ['user_id', '"17"', 17n],
    ['ratio', '"1.5"', 1.5],
    ['ratio', '"1e3"', 1000],
    ['flag', '"true"', true],
    ['tags', '"[\\"a\\"]"', ['a']],
    ['embedding', '"[1, 2]"', [1, 2]],
    ['price', '"1.5"', '1.50'],
    ['flag', '"yes"', { reason: 'column "flag": "yes" is no bool: write true or false' }],
    ['ratio', '""', { reason: expect.stringMatching(/"" is no float64/) }],
    ['tags', '"[1"', { reason: expect.stringMatching(/^column "tags": the text is no JSON/) }],
  ])('%s reads %s', (name, json, value) => {
    expect(readColumn(name, json, { isText: true })).toEqual(value);
  });
});

it('text is read by its type where the source is a stream of Redis, and nowhere else', () => {
  const stream = { kind: 'redisStream', url: 'redis://x', keys: ['a'], format: 'json', from: 'earliest' } as const;
  const event = { at, ratio: '1.5' };
  expect(decodeOne(event, {}, eventSourceDocument(allTypes, { stream })).columns.ratio).toEqual([1.5]);
  expect(decodeOne(event).setAside.length).toBe(1);
});

describe('many events in one record, as pushes write them', () => {
  const options = { format: 'columns' } as const;

  it('are taken and set aside one by one, each set aside readable by itself', () => {
    const text = `{"at":["${at}",null,"${at}"],"user_id":[1,9007199254740993,"x"],"other":[1,2,3]}`;
    const { columns, offsets, setAside } = decodeTexts([text], options);
    expect(columns).toMatchObject({ at: [atUs], user_id: [1n], kind: [null] });
    expect(offsets).toEqual([0n]);
    expect(setAside.map(({ value }) => String(value))).toEqual([
      '{"at":null,"user_id":"9007199254740993"}',
      `{"at":"${at}","user_id":"x"}`,
    ]);
  });

  it('are none where columns have several lengths', () => {
    expect(decodeTexts([`{"at":["${at}"],"user_id":[]}`], options).setAside[0]?.reason).toMatch(/columns are of one length/);
    expect(decodeTexts(['{"at":1}'], options).setAside[0]?.reason).toMatch(/column "at" is 1/);
  });
});

describe('whatever comes', () => {
  it('instants are read as they are written, the fast way and the slow way alike', () => {
    const day = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
    fc.assert(
      fc.property(day, fc.constantFrom('Z', '+00:00', 'z'), (us, zone) => {
        const text = formatInstantUs(us).replace(/Z$/, zone);
        expect(decodeOne({ at: text }, {}, eventSourceDocument({})).columns.at).toEqual([us]);
      }),
      { numRuns: 500 },
    );
  });

  it('no event throws, and each is either decoded or set aside with a reason, in order', () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constant(null),
      fc
        .record({ at: fc.oneof(fc.constant(at), fc.jsonValue()), user_id: fc.jsonValue(), kind: fc.jsonValue() })
        .map((event) => JSON.stringify(event)),
      fc.dictionary(fc.constantFrom('at', ...Object.keys(allTypes)), fc.jsonValue()).map((event) => JSON.stringify(event)),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 8 }), (texts) => {
        const { columns, offsets, setAside } = decodeTexts(texts);
        const both = [...offsets, ...setAside.map(({ offset }) => offset)].sort((a, b) => Number(a - b));
        expect(both).toEqual(texts.map((_, offset) => BigInt(offset)));
        for (const values of Object.values(columns)) expect(values.length).toBe(offsets.length);
        for (const { reason } of setAside) expect(reason.length).toBeGreaterThan(10);
      }),
      { numRuns: 1000 },
    );
  });
});

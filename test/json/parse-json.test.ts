import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectJson } from '../../src/json/inspect-json.ts';
import { parseJson } from '../../src/json/parse-json.ts';

const parse = (text: string, depth = 64) => parseJson(Buffer.from(text), depth);
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });

/** A value and its JSON text, blanks and all, written here and not by the code under test. */
interface Written {
  readonly value: unknown;
  readonly text: string;
}

const blank = fc.constantFrom('', ' ', '\n', '\t\r ');
const around = (written: fc.Arbitrary<Written>): fc.Arbitrary<Written> =>
  fc.tuple(blank, written, blank).map(([before, { value, text }, after]) => ({ value, text: before + text + after }));

const integer = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((whole) => {
  const isExact = BigInt(Number(whole)) === whole && Number.isSafeInteger(Number(whole));
  return { value: isExact ? Number(whole) : whole, text: String(whole) };
});
const other = fc
  .oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  .map((value) => ({ value: Object.is(value, -0) ? 0 : value, text: JSON.stringify(value) }))
  // A double of 16 digits before its point is written like an integer, and is one.
  .filter(({ value, text }) => typeof value !== 'number' || !/^-?\d{16,}$/.test(text));
const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '1', '"'));

const { written } = fc.letrec<{ written: Written; list: Written; record: Written }>((tie) => ({
  written: fc.oneof({ maxDepth: 4 }, around(integer), around(other), tie('list'), tie('record')),
  list: fc.array(tie('written'), { maxLength: 5 }).map((items) => ({
    value: items.map((item) => item.value),
    text: `[${items.map((item) => item.text).join(',')}]`,
  })),
  record: fc.uniqueArray(fc.tuple(name, tie('written')), { maxLength: 5, selector: ([key]) => key }).map((members) => ({
    value: Object.fromEntries(members.map(([key, item]) => [key, item.value])),
    text: `{${members.map(([key, item]) => `${JSON.stringify(key)} : ${item.text}`).join(',')}}`,
  })),
}));

describe('JSON of a request', () => {
  it('is read with every integer exact, whatever stands around it', () => {
    fc.assert(
      fc.property(written, ({ value, text }) => {
        expect(parse(text)).toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read as JSON.parse does where no number is long', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const read = JSON.parse(text);
        if (!inspectJson(Buffer.from(text)).hasLongNumbers) expect(parse(text)).toEqual(read);
      }),
    );
  });

  it('keeps what looks like a number inside a text, and floats as they are', () => {
    const long = '12345678901234567890';
    expect(parse(`["${long}", "\\"${long}", 0.12345678901234566, 1e3, -9007199254740993, 9007199254740992]`)).toEqual([
      long,
      `"${long}`,
      0.12345678901234566,
      1000,
      -9007199254740993n,
      9007199254740992n,
    ]);
  });

  it('refuses numbers beyond every double rather than make them infinite', () => {
    expect(() => parse('[1e400]')).toThrow(refusal(/the number 1e400/));
    expect(() => parse(`[${'9'.repeat(400)}.5]`)).toThrow(refusal(/beyond every double/));
    expect(parse(`[${'9'.repeat(400)}]`)).toEqual([BigInt('9'.repeat(400))]);
  });

  it('refuses what is too deep, and counts brackets in texts as text', () => {
    expect(parse(`["${'['.repeat(100)}", {"a":"]}"}]`, 2)).toEqual(['['.repeat(100), { a: ']}' }]);
    expect(() => parse('[[[1]]]', 2)).toThrow(refusal(/nested 3 levels deep, and 2/));
    expect(() => parse('['.repeat(1_000_000))).toThrow(refusal(/nested 1000000 levels/));
  });

  it('refuses what is no UTF-8 or no JSON, and quotes none of it', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), 8)).toThrow(refusal(/not UTF-8/));
    expect(() => parseJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 8)).toThrow(refusal(/not UTF-8/));
    const wrong = [
      '',
      ' ',
      '{',
      '{"a":',
      '["secret"',
      '{"secret": nope}',
      '[01]',
      '\ufeff{}',
      '"\u0001"',
      "{'a':1}",
      '[1,]',
      'NaN',
    ];
    for (const text of wrong) {
      expect(() => parse(text)).toThrow(refusal(/is no JSON/));
      expect(() => parse(text)).not.toThrow(/secret|nope/);
    }
    expect(() => parse('{"a":[NaN]}')).toThrow(/NaN and infinities are written as text/);
    expect(() => parse('{"a":')).toThrow(/cut short or empty/);
    expect(() => parse('{"a" 1}')).toThrow(/position 5/);
  });
});

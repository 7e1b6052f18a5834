import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatInstantUs } from '../../../src/definitions/format-instant.ts';
import { encodeText, writeAgain, writeAll, writeAscii, writeInteger, writeQuoted } from '../../../src/http/json/text-sink.ts';
import { writeInstant } from '../../../src/http/json/write-instant.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Where a double stops being exact, where years stop having four digits, and the epoch. */
const edges = [2n ** 53n, -(2n ** 53n), 253_402_300_800_000_000n, -62_167_219_200_000_000n, 0n];
const nearEdge = fc.bigInt({ min: -3_000_000n, max: 3_000_000n }).chain((off) => fc.constantFrom(...edges.map((at) => at + off)));
const recent = fc.bigInt({ min: -(10n ** 15n), max: 2n * 10n ** 15n });

it('writes every integer as its digits', () => {
  fc.assert(
    fc.property(fc.oneof(int64, nearEdge, recent), (value) => {
      expect(encodeText((sink) => writeInteger(sink, value)).toString()).toBe(String(value));
    }),
    { numRuns: 5_000 },
  );
  for (const value of [0, -0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])
    expect(encodeText((sink) => writeInteger(sink, value)).toString()).toBe(String(value));
});

it('writes every instant as formatInstantUs does', () => {
  fc.assert(
    fc.property(fc.oneof(int64, nearEdge, recent), (us) => {
      expect(encodeText((sink) => writeInstant(sink, us)).toString()).toBe(`"${formatInstantUs(us)}"`);
    }),
    { numRuns: 5_000 },
  );
});

it('writes every text as JSON.stringify does', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme', minLength: 60, maxLength: 70 }),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (value) => {
      expect(encodeText((sink) => writeQuoted(sink, value)).toString()).toBe(JSON.stringify(value));
    }),
    { numRuns: 5_000 },
  );
  expect(encodeText((sink) => writeQuoted(sink, '\ud800')).toString()).toBe('"\\ud800"');
});

it('writes lists with runs of equal values as any other, and again', () => {
  const value = fc.constantFrom(0, -0, 1, 22, Number.NaN, 333);
  const asText = (each: number) => (Object.is(each, -0) ? '-0' : String(each));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 40 }), (values) => {
      const written = encodeText((sink) => {
        writeAll(sink, values, (_, each) => writeAscii(sink, asText(each)));
        writeAgain(sink, 0, sink.at);
      });
      const list = `[${values.map(asText).join(',')}]`;
      expect(written.toString()).toBe(list + list);
    }),
    { numRuns: 2_000 },
  );
});

it('gives every text its own memory, however long', () => {
  const lengths = [0, 1, 12, 13, 5_000, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_000_000, 10];
  const texts = lengths.map((length) => encodeText((sink) => writeAscii(sink, 'x'.repeat(length))));
  expect(texts.map((text, at) => text.equals(Buffer.alloc(lengths[at] as number, 'x')))).toEqual(lengths.map(() => true));
});

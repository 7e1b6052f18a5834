import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { addDecoder, compileLookup } from '../../src/online/encoding/lookup.ts';
import type { OnlineRow } from '../../src/online/encoding/row.ts';
import { compileRowEncoder, joinRows, readSpans } from '../../src/online/encoding/row-codec.ts';
import { readTimes } from '../../src/online/encoding/row-head.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { type Merged, mergeRows } from '../../src/online/write/merge.ts';
import type { ViewDocument } from '../../src/registry/document.ts';
import { type DrawnView, documentOf, startUs, typedValues } from './draw-online.ts';

const drawn: DrawnView = {
  name: 'v',
  keys: ['user_id'],
  features: [
    { name: 'first', type: { kind: 'int64' }, hash: 'first' },
    { name: 'second', type: { kind: 'string' }, hash: 'second' },
  ],
  delayUs: 0n,
  ttlUs: 0n,
  hasAvailable: false,
  hasCreated: true,
  asKnown: false,
};

function target(view: DrawnView, id: number) {
  const document = documentOf([view]);
  const online = compileOnlineView(document.views[0] as ViewDocument, document);
  const lookup = compileLookup(
    online,
    online.schema.features.map(({ name }) => name),
  );
  addDecoder(lookup, id, online.schema);
  return { lookup, encode: compileRowEncoder(id, online.types) };
}

const plain = target(drawn, 7);
const minute = 60_000_000n;
const laterUs = startUs + 60n * minute;

/** Values in the view's order, which is not the source's: second, first. */
const row = (second: LiteralValue, first: LiteralValue, more: Partial<OnlineRow> = {}): OnlineRow => ({
  eventUs: startUs,
  createdUs: null,
  availableUs: null,
  pushed: false,
  values: [second, first],
  ...more,
});

/** Merges rows given value by value. */
function merge(
  { lookup, encode }: ReturnType<typeof target>,
  stored: Buffer | undefined,
  rows: readonly OnlineRow[],
): Merged | undefined {
  return mergeRows(lookup, stored, { value: joinRows(rows.map(encode)), rows: rows.length }, laterUs);
}

function readRows(value: Buffer): { event: bigint; values: readonly unknown[]; pushed: boolean }[] {
  return readSpans(value).map((span) => {
    const cursor = { buffer: value, at: span.body, end: span.end };
    const { eventUs, pushed, hasNulls } = readTimes(cursor);
    return { event: eventUs, pushed, values: plain.lookup.decoders.get(span.schemaId)?.(cursor, hasNulls) ?? [] };
  });
}

function mergeAll(...batches: OnlineRow[][]): Buffer {
  let value: Buffer | undefined;
  for (const batch of batches) value = merge(plain, value, batch)?.value ?? value;
  return value as Buffer;
}

describe('a merge', () => {
  it('breaks ties of pushed rows by the source column order, in any order of arrival (rule 8.1)', () => {
    const a = row('a', 2n, { pushed: true });
    const b = row('z', 1n, { pushed: true });
    for (const value of [mergeAll([a], [b]), mergeAll([b], [a]), mergeAll([a, b])]) {
      expect(readRows(value)).toEqual([{ event: startUs, pushed: true, values: ['a', 2n] }]);
    }
  });

  it('takes of rows read from the source at equal times the one read last: columns that are not stored decided there', () => {
    const values = mergeAll([row('a', 9n)], [row('a', 1n)]);
    expect(readRows(values)).toEqual([{ event: startUs, pushed: false, values: ['a', 1n] }]);
  });

  it('applies a correction and lets an older row go (rule 8.1)', () => {
    const first = row('a', 1n, { createdUs: startUs });
    const corrected = row('b', 0n, { createdUs: startUs + 1n });
    for (const value of [mergeAll([first], [corrected]), mergeAll([corrected], [first])]) {
      expect(readRows(value).map(({ values }) => values)).toEqual([['b', 0n]]);
    }
    expect(merge(plain, mergeAll([corrected]), [first])).toBeUndefined();
  });

  it('keeps what everybody sees beside what not everybody sees yet', () => {
    const times = [-90n, -30n, 30n].map((seconds) => laterUs + seconds * 1_000_000n);
    const value = mergeAll(times.map((eventUs) => row('a', 1n, { eventUs })));
    expect(readRows(value).map(({ event }) => event)).toEqual(times.toReversed());
    const again = merge(plain, value, [row('b', 1n, { eventUs: laterUs - 61_000_000n })]);
    expect(readRows((again as { value: Buffer }).value).map(({ event }) => event - laterUs)).toEqual([
      30_000_000n,
      -30_000_000n,
      -61_000_000n,
    ]);
  });

  it('copies rows of schemas that it does not know as they are', () => {
    const foreign = compileRowEncoder(99, [{ kind: 'string' }])(row('theirs', null));
    const value = Buffer.concat([mergeAll([row('a', 1n)]), foreign]);
    const merged = merge(plain, value, [row('b', 2n, { eventUs: startUs + 1n })]) as { value: Buffer };
    expect(merged.value.includes(foreign)).toBe(true);
    expect(readRows(merged.value).map(({ values }) => values)).toContainEqual(['b', 2n]);
  });

  it('refuses a value that is not of its feature', () => {
    for (const wrong of [row(1n, 1n), row('a', 'b'), row('a', 2n ** 63n), row('a', 0.5)]) {
      expect(() => merge(plain, undefined, [wrong])).toThrow(FeatureStoreError);
    }
  });
});

describe('damaged bytes', () => {
  const everything = target(
    { ...drawn, features: typedValues.map(({ type }, at) => ({ name: `f${at}`, type, hash: `${at}` })) },
    8,
  );
  const whole = merge(everything, undefined, [
    row(null, null, { values: typedValues.map(({ values }) => values.at(-1) as LiteralValue).toReversed() }),
  ]) as { value: Buffer };

  it('are decoded or refused, and never end in another error or no end', () => {
    const span = readSpans(whole.value)[0] as ReturnType<typeof readSpans>[number];
    fc.assert(
      fc.property(fc.nat(whole.value.length - 1), fc.nat(255), fc.nat(whole.value.length), (at, byte, length) => {
        const bytes = Buffer.from(whole.value.subarray(0, Math.max(6, length)));
        if (at < bytes.length) bytes[at] = byte;
        try {
          for (const { schemaId, body, end } of readSpans(bytes)) {
            const cursor = { buffer: bytes, at: body, end };
            const { hasNulls } = readTimes(cursor);
            everything.lookup.decoders.get(schemaId)?.(cursor, hasNulls);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FeatureStoreError);
        }
      }),
      { numRuns: 3000 },
    );
    expect(span.end).toBe(whole.value.length);
  });

  it('of a later version are refused, saying so', () => {
    expect(() => readSpans(Buffer.of(2, 0, 0))).toThrow(/version 2.*upgrade/);
    expect(() => readSpans(Buffer.alloc(0))).toThrow(FeatureStoreError);
  });
});

/** Compact keys against the tuples that they stand for (rules 2.2 and 2.3). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineKeys, concatKeys, hashKeys, type Keys, sameKey, takeKeys } from '../../../src/offline/projection/keys.ts';
import { compactKeys, identityOf, plainKeys } from './plain-keys.ts';

describe('compact keys', () => {
  test('2.2: two keys are the same exactly where every part is, and the same keys have the same hash', () => {
    fc.assert(
      fc.property(plainKeys, (plain) => {
        const keys = compactKeys(plain);
        const hashes = hashKeys(keys);
        for (const [a, left] of plain.rows.entries()) {
          for (const [b, right] of plain.rows.entries()) {
            if (left.includes(null) || right.includes(null)) continue;
            const same = identityOf(left) === identityOf(right);
            expect(sameKey(keys, a, keys, b)).toBe(same);
            if (same) expect(hashes[a]).toBe(hashes[b]);
          }
        }
      }),
    );
  });

  test('2.3: a null in any part is a null key', () => {
    fc.assert(
      fc.property(plainKeys, (plain) => {
        const { nulls } = compactKeys(plain);
        expect(plain.rows.map((_, row) => nulls?.[row] === 1)).toEqual(plain.rows.map((row) => row.includes(null)));
      }),
    );
  });

  test('some rows, and parts one after another, stay the same keys', () => {
    fc.assert(
      fc.property(plainKeys, fc.array(fc.nat(), { maxLength: 60 }), fc.nat(), (plain, picks, cut) => {
        const { types, rows } = plain;
        const keys = compactKeys(plain);
        const picked = rows.length === 0 ? [] : picks.map((pick) => pick % rows.length);
        expectSameKeys(
          takeKeys(keys, Int32Array.from(picked)),
          compactKeys({ types, rows: picked.map((row) => rows[row] ?? []) }),
        );
        const middle = cut % (rows.length + 1);
        const parts = [rows.slice(0, middle), rows.slice(middle)].map((part) => compactKeys({ types, rows: part }));
        expectSameKeys(concatKeys(parts), keys);
      }),
    );
  });
});

function expectSameKeys(left: Keys, right: Keys): void {
  expect([left.kind, left.length]).toEqual([right.kind, right.length]);
  for (let row = 0; row < left.length; row++) {
    const nulls = [left.nulls?.[row] === 1, right.nulls?.[row] === 1];
    expect(nulls[0]).toBe(nulls[1]);
    if (!nulls[0]) expect(sameKey(left, row, right, row)).toBe(true);
  }
}

test('keys of more than 2 GiB are refused before their offsets wrap', () => {
  const huge: Keys = { kind: 'bytes', length: 1, offsets: Int32Array.of(0, 1_500_000_000), data: new Uint8Array(0) };
  for (const make of [
    () => combineKeys([huge, huge], 1),
    () => concatKeys([huge, huge]),
    () => takeKeys(huge, Int32Array.of(0, 0)),
  ])
    expect(make).toThrow(expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }));
});

/** The look-up from a key to its rows against a map of tuples. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildKeyIndex, lookUpKeys } from '../../../src/offline/projection/key-index.ts';
import { hashKeys } from '../../../src/offline/projection/keys.ts';
import { compactKeys, identityOf, plainKeys } from './plain-keys.ts';

test('2.2, 2.3: each key finds the run of its own rows, a key without rows or with a null none', () => {
  fc.assert(
    fc.property(plainKeys, fc.array(fc.nat(), { maxLength: 40 }), ({ types, rows }, picks) => {
      const held = rows.filter((row, at) => !row.includes(null) && at % 3 !== 2);
      const sorted = [...held].sort((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1));
      const index = buildKeyIndex(compactKeys({ types, rows: sorted }));
      const wanted = rows.length === 0 ? [] : picks.map((pick) => rows[pick % rows.length] as readonly unknown[]);
      const keys = compactKeys({ types, rows: wanted });
      const runs = lookUpKeys(index, keys, hashKeys(keys));
      for (const [at, key] of wanted.entries()) {
        const own = sorted.flatMap((row, position) => (identityOf(row) === identityOf(key) ? [position] : []));
        const run = runs[at] as number;
        if (own.length === 0 || key.includes(null)) expect(run).toBe(-1);
        else expect([index.starts[run], index.starts[run + 1]]).toEqual([own[0], (own.at(-1) as number) + 1]);
      }
    }),
  );
});

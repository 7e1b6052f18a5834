/** The index of erasures: every key comes back from it, whoever changes it at once (rule 8.4). */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import type { KeyType } from '../../src/definitions/value-type.ts';
import { decodeEntityKey } from '../../src/online/encoding/decode-key.ts';
import { encodeEntityKey } from '../../src/online/encoding/keys.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createErasureIndex } from '../../src/online/write/erasure-index.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-erasures-'));
const store = openLmdbStore(folder);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const values: Readonly<Record<KeyType, fc.Arbitrary<NonNullable<LiteralValue>>>> = {
  int32: fc.integer(),
  int64,
  bool: fc.boolean(),
  string: fc.string({ unit: 'binary', maxLength: 90 }),
  bytes: fc.uint8Array({ maxLength: 90 }),
};
const part = fc
  .constantFrom<KeyType>('int32', 'int64', 'bool', 'string', 'bytes')
  .chain((type) => values[type].map((value) => ({ type, value })));

test('a key is read back as it was written, long text and bytes as their sha256', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      const joinKeys = parts.map(({ type }, at) => ({ name: `k${at}`, type }));
      const key = encodeEntityKey(
        'shop',
        joinKeys,
        parts.map(({ value }) => value),
      );
      expect(decodeEntityKey('shop', key)).toEqual({ joinKeys: joinKeys.map(({ name }) => name), parts: parts.map(partOf) });
    }),
  );
  expect(() => decodeEntityKey('other', encodeEntityKey('shop', [], []))).toThrow('no key of one');
});

function partOf({ type, value }: { readonly type: KeyType; readonly value: NonNullable<LiteralValue> }) {
  if (type === 'int32' || type === 'int64') return { kind: 'integer', value: BigInt(value as bigint) };
  if (type === 'bool') return { kind: 'bool', value };
  const bytes = Buffer.from(value as Uint8Array);
  if (bytes.length > 64) return { kind: `${type}Digest`, value: createHash('sha256').update(bytes).digest('hex') };
  return type === 'string' ? { kind: 'string', value } : { kind: 'bytes', value: bytes };
}

const keyOf = (id: bigint) => encodeEntityKey('shop', [{ name: 'id', type: 'int64' }], [id]);

test('erasures that begin, end and are lifted at once by several are all there, and none that was lifted', async () => {
  const indexes = [0, 1, 2].map(() => createErasureIndex(store, 'shop'));
  await Promise.all(
    Array.from({ length: 1500 }, async (_, at) => {
      const index = indexes[at % 3] as (typeof indexes)[0];
      const key = keyOf(BigInt(at));
      expect(await index.begin(key, BigInt(at))).toBe(BigInt(at));
      if (at % 2 === 0) await index.finish(key, {});
      if (at % 5 === 0) expect(await index.remove(key)).toBe(BigInt(at));
    }),
  );
  for (const index of [...indexes, createErasureIndex(store, 'shop')]) {
    const found = (await index.read()).map(({ parts, atUs, isFinished }) => [parts[0]?.value, atUs, isFinished] as const);
    found.sort((a, b) => Number(a[1] - b[1]));
    const ids = Array.from({ length: 1500 }, (_, at) => at).filter((at) => at % 5 !== 0);
    expect(found).toEqual(ids.map((at) => [BigInt(at), BigInt(at), at % 2 === 0]));
  }
});

test('an erasure that is begun again keeps its instant, and is under way until it has ended again', async () => {
  const index = createErasureIndex(store, 'again');
  const key = encodeEntityKey('again', [{ name: 'id', type: 'int64' }], [1n]);
  expect(await index.begin(key, 5n)).toBe(5n);
  await index.finish(key, { clicks: { rows: 3, timesUs: [-7n, 4n] }, orders: { rows: 0 } });
  const before = await index.read();
  expect(await index.read()).toBe(before);
  expect(await index.begin(key, 9n)).toBe(5n);
  const removed = { clicks: { rows: 3, timesUs: [-7n, 4n] } };
  expect(await index.read()).toMatchObject([{ atUs: 5n, isFinished: false, removed }]);
  // What went the first time is not forgotten where nothing was left for the second.
  await index.finish(key, {});
  expect((await index.read()).map((erasure) => erasure.removed)).toEqual([removed]);
  await index.finish(key, { clicks: { rows: 1, timesUs: [2n, 9n] }, orders: { rows: 2 } });
  expect((await index.read())[0]?.removed).toEqual({ clicks: { rows: 4, timesUs: [-7n, 9n] }, orders: { rows: 2 } });
  // Between which times all are is not known where it is not of some.
  await index.finish(key, { clicks: { rows: 1 }, orders: { rows: 1, timesUs: [1n, 1n] } });
  expect((await index.read())[0]?.removed).toEqual({ clicks: { rows: 5 }, orders: { rows: 3 } });
  expect(await index.remove(key)).toBe(5n);
  expect(await index.remove(key)).toBeUndefined();
  await index.finish(key, {});
  expect(await index.read()).toEqual([]);
});

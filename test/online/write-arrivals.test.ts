/** Rows for many keys: where nothing stood at the keys before them it is not looked, and still no row or tombstone is overwritten. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileLookup } from '../../src/online/encoding/lookup.ts';
import { compileRowEncoder } from '../../src/online/encoding/row-codec.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { encodeArrivals } from '../../src/online/write/arrivals.ts';
import { createOnlineWriter, type WrittenRow } from '../../src/online/write/writer.ts';
import type { ViewDocument } from '../../src/registry/document.ts';
import { type DrawnView, documentOf, startUs } from './draw-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-arrivals-'));
let store: OnlineStore;
beforeAll(() => {
  store = openLmdbStore(folder);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const drawn = (name: string): DrawnView => ({
  name,
  keys: ['user_id'],
  features: [{ name: 'number', type: { kind: 'int64' }, hash: name }],
  delayUs: 0n,
  ttlUs: 0n,
  hasAvailable: false,
  hasCreated: false,
  asKnown: false,
});
const document = documentOf([drawn('profile'), drawn('activity')]);
const [profile, activity] = document.views.map((view) => compileOnlineView(view as ViewDocument, document)) as [
  ReturnType<typeof compileOnlineView>,
  ReturnType<typeof compileOnlineView>,
];
const nowUs = startUs + 3_600_000_000n;
const user = [{ name: 'user_id', type: 'int64' }] as const;

const rowOf = (id: number, number: number, laterUs = 0n): WrittenRow => ({
  keys: [BigInt(id)],
  row: { eventUs: startUs + laterUs, createdUs: null, availableUs: null, pushed: false, values: [BigInt(number)] },
});
const count = 20_000;
const rows = Array.from({ length: count }, (_, id) => rowOf(id, id));

async function read(project: string, view: typeof profile, ids: readonly number[]) {
  const lookup = compileLookup(view, ['number']);
  const asked = { lookup, entities: ids.map((id) => [BigInt(id)]) };
  const answer = await createOnlineReader(store, project).read([asked], nowUs);
  return answer.rows[0]?.map((row) => row?.values[0]);
}

/** The store, and how many keys it is asked for; `before` runs ahead of each replacement. */
function watch(before: () => Promise<void> = async () => {}) {
  const seen = { keys: 0 };
  const watched: OnlineStore = {
    ...store,
    async read(keys, signal) {
      seen.keys += keys.length;
      return await store.read(keys, signal);
    },
    async replace(replacements, signal) {
      await before();
      return await store.replace(replacements, signal);
    },
  };
  return { seen, watched };
}

test('keys of a new store are hardly looked at', async () => {
  const { seen, watched } = watch();
  const report = await createOnlineWriter(watched, 'new').write(profile, rows, nowUs);
  expect(report).toEqual({ written: count, unchanged: 0, erased: 0, ignored: 0 });
  expect(seen.keys).toBeLessThan(count / 4);
  expect(await read('new', profile, [0, 4096, count - 1, count])).toEqual([0n, 4096n, BigInt(count - 1), undefined]);
  expect(await createOnlineWriter(store, 'new').write(profile, rows, nowUs)).toMatchObject({ written: 0, unchanged: count });
});

test('what stands at some of the later keys is merged with, or obeyed', async () => {
  const writer = createOnlineWriter(store, 'some');
  await writer.write(profile, [rowOf(10_000, 1, 60_000_000n), rowOf(10_001, 1, -60_000_000n)], nowUs);
  await writer.write(activity, [rowOf(10_002, 1)], nowUs);
  await writer.erase(user, [10_003n], nowUs);
  const report = await createOnlineWriter(store, 'some').write(profile, rows, nowUs);
  expect(report).toEqual({ written: count - 2, unchanged: 1, erased: 1, ignored: 0 });
  expect(await read('some', profile, [9999, 10_000, 10_001, 10_002, 10_003, 10_004])).toEqual([
    9999n,
    1n,
    10_001n,
    10_002n,
    undefined,
    10_004n,
  ]);
  expect(await read('some', activity, [10_001, 10_002])).toEqual([undefined, 1n]);
});

test('an entity that is erased, and a newer row that is written, just before a blind try, are seen (rules 8.1, 8.4)', async () => {
  const other = createOnlineWriter(store, 'meanwhile');
  let tries = 0;
  const { watched } = watch(async () => {
    // The first is the schema's, the next that of the keys that were looked at.
    if (++tries !== 3) return;
    await other.erase(user, [6000n], nowUs);
    await other.write(profile, [rowOf(6001, 1, 60_000_000n)], nowUs);
  });
  const report = await createOnlineWriter(watched, 'meanwhile').write(profile, rows, nowUs);
  expect(report).toEqual({ written: count - 2, unchanged: 1, erased: 1, ignored: 0 });
  expect(await read('meanwhile', profile, [5999, 6000, 6001])).toEqual([5999n, undefined, 1n]);
  expect(await other.readErasures(user, [[6000n]])).toEqual([nowUs]);
});

test('views are written together, and counted each by itself', async () => {
  const writer = await createOnlineWriter(store, 'together').open([profile, activity]);
  expect(writer.targets.map(({ view }) => view.name)).toEqual(['profile', 'activity']);
  await createOnlineWriter(store, 'together').write(activity, [rowOf(1, 7)], nowUs);
  const encoded = encodeBoth(writer.targets.map(({ schemaId }) => schemaId));
  expect(await writer.write(encoded, nowUs)).toEqual([
    { written: 3, unchanged: 0, erased: 0 },
    { written: 2, unchanged: 1, erased: 0 },
  ]);
  expect(await read('together', profile, [0, 1, 2])).toEqual([0n, 1n, 2n]);
  expect(await read('together', activity, [0, 1, 2])).toEqual([7n, 7n, 7n]);
});

/** Three keys, with a row of each view. */
function encodeBoth(schemaIds: readonly number[]) {
  const [first, second] = [profile, activity].map((view, at) => {
    const encode = compileRowEncoder(schemaIds[at] as number, view.types);
    const own = [0, 1, 2].map((id) => rowOf(id, at === 0 ? id : 7));
    return encodeArrivals('together', view, encode, own);
  });
  return (first ?? []).map((one, at) => ({
    ...one,
    arrivals: [...one.arrivals, ...(second?.[at]?.arrivals ?? []).map((arrival) => ({ ...arrival, view: 1 }))],
  }));
}

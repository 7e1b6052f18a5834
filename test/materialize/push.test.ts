/** Pushed rows: part of the table on both paths, once per idempotency key. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fitted } from '../../src/index.ts';
import { fitToday } from '../../src/materialize/fitted-today.ts';
import { createPushes, type Pushes } from '../../src/materialize/push.ts';
import { silentLogger } from '../../src/observe.ts';
import { readLatest } from '../../src/offline/latest.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { readFittedDefaults } from '../../src/online/retrieve/defaults.ts';
import type { SourceDocument, ViewDocument } from '../../src/registry/document.ts';
import { hourUs, noonUs, openShop, pricesOf, type Shop } from './open-shop.ts';

let shop: Shop;
let pushes: Pushes;
beforeEach(async () => {
  shop = await openShop();
  await shop.write('a.parquet', `${pricesOf(0, 100, 9)} union all ${pricesOf(0, 100, 10)}`);
  await shop.define({ source: { push: true } });
  pushes = createPushes({ history: shop.history, store: shop.store, registry: () => shop.registry, nowUs: () => shop.clockUs });
});
afterEach(() => shop.close());

const rowOf = (id: number, at: string, price: number, label = 'pushed') => ({
  item_id: [id],
  event_timestamp: [at],
  created_timestamp: [at],
  price: [price],
  label: [label],
});

/** What the offline path has at the clock's time. */
async function readOffline(id: bigint) {
  const [view] = shop.registry.views as [ViewDocument];
  const [source] = shop.registry.sources as [SourceDocument];
  const { signal } = new AbortController();
  const projection = await shop.history.openProjection(view, source, signal);
  try {
    for await (const block of readLatest(projection, {
      delayUs: 0n,
      asKnown: false,
      endUs: shop.clockUs,
      visibleAtUs: shop.clockUs,
    }))
      for (const row of block.read(0, block.owners.length)) if (row.keys[0] === id) return row.values;
    return undefined;
  } finally {
    projection.release();
  }
}

test('a push is served online and is part of history, and a retried one counts once', async () => {
  const row = rowOf(7, '2026-03-10T11:30:00Z', 1.5);
  const report = await pushes.pushRows('prices', row, { idempotencyKey: 'a' });
  expect(report).toEqual({ rows: 1, archived: true, written: 1, unchanged: 0, erased: 0 });
  expect(await shop.read(7n)).toEqual([1.5, 'pushed']);
  expect(await readOffline(7n)).toEqual([1.5, 'pushed']);
  expect(await pushes.pushRows('prices', row, { idempotencyKey: 'a' })).toMatchObject({ archived: false, unchanged: 1 });
  const { views } = await shop.materialize({});
  expect(views[0]).toMatchObject({ rows: 100, of: 201 });
  expect(await shop.read(7n)).toEqual([1.5, 'pushed']);
  expect(await shop.read(8n)).toEqual([8.1, 'item 8 day 10']);
});

test('older rows never undo newer ones, and corrections apply', async () => {
  await shop.materialize({});
  await pushes.pushRows('prices', rowOf(7, '2026-03-10T09:00:00Z', 1));
  expect([await shop.read(7n), await readOffline(7n)]).toEqual([
    [7.1, 'item 7 day 10'],
    [7.1, 'item 7 day 10'],
  ]);
  const correction = { ...rowOf(7, '2026-03-10T10:00:00Z', 2), created_timestamp: ['2026-03-10T11:59:00Z'] };
  await pushes.pushRows('prices', correction);
  expect([await shop.read(7n), await readOffline(7n)]).toEqual([
    [2, 'pushed'],
    [2, 'pushed'],
  ]);
});

test('a push goes where it is told', async () => {
  expect(await pushes.pushRows('prices', rowOf(1, '2026-03-10T11:30:00Z', 1), { to: 'online' })).toMatchObject({
    archived: false,
  });
  expect([await shop.read(1n), await readOffline(1n)]).toEqual([
    [1, 'pushed'],
    [1.1, 'item 1 day 10'],
  ]);
  expect(await pushes.pushRows('prices', rowOf(2, '2026-03-10T11:30:00Z', 1), { to: 'offline' })).toMatchObject({
    archived: true,
    written: 0,
  });
  expect([await shop.read(2n), await readOffline(2n)]).toEqual([undefined, [1, 'pushed']]);
});

test('only sources that take pushes get them, and a table may consist of pushes alone', async () => {
  await pushes.pushRows('prices', rowOf(7, '2026-03-10T11:30:00Z', 1.5));
  rmSync(join(shop.root, 'data', 'a.parquet'));
  await shop.define({ source: { push: true } });
  expect(await readOffline(7n)).toEqual([1.5, 'pushed']);
  expect(await readOffline(8n)).toBeUndefined();
  expect((await shop.materialize({})).views[0]).toMatchObject({ of: 1 });
  await shop.write('a.parquet', pricesOf(0, 100, 10));
  await shop.define({});
  await expect(pushes.pushRows('prices', rowOf(1, '2026-03-10T11:30:00Z', 1))).rejects.toThrow(
    /takes no pushed rows; define it with push: true/,
  );
  await expect(pushes.pushRows('price', {})).rejects.toThrow('did you mean "prices"?');
});

test('rows of a view are written by its own names, online alone', async () => {
  const rows = {
    item_id: [7, 8],
    price: ['NaN', null],
    label: ['a', null],
    event_timestamp: ['2026-03-10T11:30:00Z', '2026-03-10T11:30:00Z'],
  };
  expect(await pushes.writeToOnlineStore('item_prices', { ...rows, created_timestamp: rows.event_timestamp })).toMatchObject({
    written: 2,
  });
  expect([await shop.read(7n), await shop.read(8n)]).toEqual([
    [Number.NaN, 'a'],
    [null, null],
  ]);
  expect(await readOffline(7n)).toEqual([7.1, 'item 7 day 10']);
  await expect(pushes.writeToOnlineStore('item_prices', { ...rows, prize: [1, 2] })).rejects.toThrow('did you mean "price"?');
});

test("today's fitted defaults are computed once a day, pushes included (rule 5.3)", async () => {
  const features = {
    price: { type: 'float64', default: fitted('mean') },
    label: { type: 'string', default: fitted('mode') },
  } as const;
  await shop.define({ source: { push: true }, view: { features } });
  await pushes.pushRows('prices', rowOf(1000, '2026-03-09T11:30:00Z', 10_000));
  const parts = {
    history: shop.history,
    store: shop.store,
    registry: () => shop.registry,
    logger: silentLogger,
    nowUs: () => shop.clockUs,
  };
  const { signal } = new AbortController();
  expect(await fitToday(parts, signal)).toEqual({ computed: ['item_prices:price', 'item_prices:label'], known: 0, failed: [] });
  expect(await fitToday(parts, signal)).toEqual({ computed: [], known: 2, failed: [] });
  const read = async () => [...(await readFittedDefaults(createOnlineRecords(shop.store, 'shop'), shop.registry.views)).values()];
  const mean = (4950 + 9 + 10_000) / 101;
  expect(await read()).toEqual([
    { day: '2026-03-10', value: expect.closeTo(mean, 6) },
    { day: '2026-03-10', value: 'item 0 day 9' },
  ]);
  shop.clockUs = noonUs + 24n * hourUs;
  expect((await fitToday(parts, signal)).computed).toHaveLength(2);
  expect((await read())[0]).toEqual({ day: '2026-03-11', value: expect.closeTo((2 * 4950 + 9 + 10 + 10_000) / 201, 6) });
});

/** The newest event that the store holds of a view, as materialization and pushes tell it, is that of the rows which they bring. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPushes } from '../../src/materialize/push.ts';
import { readNewestEvents } from '../../src/online/newest-events.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { hourUs, noonUs, openShop, pricesOf, type Shop } from './open-shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
  await shop.write('a.parquet', `${pricesOf(0, 300, 8)} union all ${pricesOf(0, 100, 9)}`);
  await shop.define({ source: { push: true } });
});
afterEach(() => shop.close());

/** How many hours it lies before noon of the 10th. */
async function hoursAgo(): Promise<number | undefined> {
  const [us] = await readNewestEvents(createOnlineRecords(shop.store, 'shop'), shop.registry.views);
  return us === undefined ? undefined : Number(noonUs - us) / Number(hourUs);
}

test('materialization tells it also of ranges that it skips, and of nothing that it leaves out', async () => {
  expect(await hoursAgo()).toBeUndefined();
  await shop.materialize({ endUs: noonUs - 30n * hourUs });
  expect(await hoursAgo()).toBe(50);
  await shop.materialize({});
  expect(await hoursAgo()).toBe(26);
  const { views } = await shop.materialize({});
  expect(views[0]).toMatchObject({ skipped: 300, written: 0 });
  expect(await hoursAgo()).toBe(26);
  await shop.materialize({ startUs: noonUs - 60n * hourUs, endUs: noonUs - 40n * hourUs });
  expect(await hoursAgo()).toBe(26);
  await shop.write('b.parquet', `${pricesOf(7, 8, 10)}`);
  await shop.materialize({});
  expect(await hoursAgo()).toBe(2);
});

test('another definition of its features begins anew, and an objective is none', async () => {
  await shop.materialize({});
  await shop.define({ source: { push: true }, view: { freshness: '24h', description: 'Prices.' } });
  expect(await hoursAgo()).toBe(26);
  await shop.define({ source: { push: true }, view: { features: { price: { type: 'float64' } } } });
  expect(await hoursAgo()).toBeUndefined();
  await shop.materialize({});
  expect(await hoursAgo()).toBe(26);
});

test('a push tells it too, and never an older one', async () => {
  const pushes = createPushes({ history: shop.history, store: shop.store, registry: () => shop.registry, nowUs: () => noonUs });
  const push = (at: string) =>
    pushes.pushRows('prices', {
      ...{ item_id: [7, 8], event_timestamp: [at, '2026-03-01T00:00:00Z'], created_timestamp: [at, at] },
      ...{ price: [1, 2], label: ['pushed', 'pushed'] },
    });
  await push('2026-03-10T09:00:00Z');
  expect(await hoursAgo()).toBe(3);
  await shop.materialize({});
  expect(await hoursAgo()).toBe(3);
  await push('2026-03-10T08:00:00Z');
  expect(await hoursAgo()).toBe(3);
  await push('2026-03-10T11:00:00Z');
  expect(await hoursAgo()).toBe(1);
});

/** What a server does by itself: scheduled materialization and today's fitted defaults. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fitted } from '../../src/index.ts';
import { createMaterialize } from '../../src/materialize/materialize.ts';
import { readWatermarks } from '../../src/materialize/view-state.ts';
import type { Logger } from '../../src/observe.ts';
import { takeLease } from '../../src/online/lease.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { readFittedDefaults } from '../../src/online/retrieve/defaults.ts';
import { type Schedule, type ScheduleParts, startSchedule } from '../../src/serve/schedule.ts';
import { openShop, pricesOf, type Shop } from '../materialize/open-shop.ts';

let shop: Shop;
let schedule: Schedule | undefined;
let logged: string[];

beforeEach(async () => {
  shop = await openShop();
  logged = [];
  await shop.write('a.parquet', pricesOf(0, 1000, 9));
  await shop.define();
});
afterEach(async () => {
  await schedule?.stop();
  schedule = undefined;
  await shop.close();
});

function start(plan: ScheduleParts['plan']): void {
  const log = (_: object, message: string) => void logged.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const online = { history: shop.history, store: shop.store, registry: () => shop.registry, logger, nowUs: () => shop.clockUs };
  schedule = startSchedule({ ...online, plan, materialize: createMaterialize(online) });
}

const everySecond = { schedule: '* * * * * *' };
const records = () => createOnlineRecords(shop.store, 'shop');

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20);
}

test('views are materialized at each tick, and what is new at the next', async () => {
  start(everySecond);
  await until(async () => (await shop.read(7n)) !== undefined);
  await shop.write('b.parquet', pricesOf(5000, 5010, 9));
  await until(async () => (await shop.read(5007n)) !== undefined);
  expect((await readWatermarks(records(), ['item_prices']))[0]?.endUs).toBe(shop.clockUs);
});

test('a failure is logged and tried again at the next tick', async () => {
  rmSync(join(shop.root, 'data', 'a.parquet'));
  start(everySecond);
  await until(() => logged.includes('scheduled materialization failed; the next tick tries again'));
  await shop.write('a.parquet', pricesOf(0, 1000, 9));
  await until(async () => (await shop.read(7n)) !== undefined);
});

test('a view at which another process is, is left to it until it is done', async () => {
  const lease = await takeLease(records(), { name: 'item_prices', work: 'feature view "item_prices" is being tested' });
  start(everySecond);
  await until(() => logged.includes('scheduled materialization left to another process'));
  expect(await shop.read(7n)).toBeUndefined();
  await lease.release();
  await until(async () => (await shop.read(7n)) !== undefined);
});

test('stopping ends a run that is under way, and frees its view', async () => {
  await shop.write('many.parquet', pricesOf(0, 100_000, 8));
  start(everySecond);
  await until(async () => (await records().read('lease', 'item_prices')) !== undefined);
  await schedule?.stop();
  expect(await records().read('lease', 'item_prices')).toBeUndefined();
  expect((await readWatermarks(records(), ['item_prices']))[0]).toBeUndefined();
  const { views } = await shop.materialize({});
  expect(views[0]).toMatchObject({ keys: 100_000 });
});

test('fitted defaults are there after the start, and after definitions were applied (rule 5.3)', async () => {
  start(undefined);
  expect(await schedule?.fitDefaults()).toEqual({ computed: [], known: 0, failed: [] });
  const features = { price: { type: 'float64', default: fitted('mean') }, label: { type: 'string' } } as const;
  await shop.define({ view: { features } });
  expect(await schedule?.fitDefaults()).toMatchObject({ computed: ['item_prices:price'] });
  const [found] = (await readFittedDefaults(records(), shop.registry.views)).values();
  expect(found).toEqual({ day: '2026-03-10', value: expect.closeTo(499.5 + 0.09, 6) });
});

/** Materialization into an embedded store: what is served, what is sent again and what is not. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { batchSource, featureView, parquet } from '../../src/index.ts';
import type { ViewProgress } from '../../src/materialize/view-run.ts';
import { readWatermarks } from '../../src/materialize/view-state.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { createOnlineWriter } from '../../src/online/write/writer.ts';
import { hourUs, item, noonUs, openShop, pricesOf, type Shop } from './open-shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
  await shop.write('a.parquet', `${pricesOf(0, 5000, 9)} union all ${pricesOf(0, 2500, 10)}`);
  await shop.define();
});
afterEach(() => shop.close());

async function run(request: Parameters<Shop['materialize']>[0] = {}): Promise<ViewProgress> {
  const { views } = await shop.materialize(request);
  return views[0] as ViewProgress;
}

const watermark = async () => (await readWatermarks(createOnlineRecords(shop.store, 'shop'), ['item_prices']))[0];

test('the newest row of each key is served, and counted', async () => {
  const seen: ViewProgress[] = [];
  const report = await shop.materialize({}, { onProgress: (progress) => seen.push(progress) });
  expect(report.views).toEqual([
    {
      ...{ view: 'item_prices', scanned: 7500, of: 7500, keys: 5000, rows: 5000 },
      ...{ written: 5000, unchanged: 0, skipped: 0, erased: 0, sentRanges: expect.any(Number) },
    },
  ]);
  expect(seen.at(-1)).toEqual(report.views[0]);
  expect(await shop.read(7n)).toEqual([7.1, 'item 7 day 10']);
  expect(await shop.read(4000n)).toEqual([4000.09, 'item 4000 day 9']);
  expect(await shop.read(5000n)).toBeUndefined();
  expect((await watermark())?.endUs).toBe(noonUs);
});

test('nothing is sent again while nothing changes, and of what changes only its ranges', async () => {
  const first = await run();
  expect(await run()).toMatchObject({ written: 0, unchanged: 0, skipped: 5000, sentRanges: 0 });
  await shop.write('b.parquet', pricesOf(70, 80, 10, 1));
  const again = await run();
  expect(again).toMatchObject({ written: 10, keys: 5000 });
  expect(again.sentRanges).toBeLessThanOrEqual(10);
  expect(first.sentRanges).toBeGreaterThan(1000);
  expect(await shop.read(75n)).toEqual([76.1, 'item 75 day 10']);
});

test('a correction behind the watermark is found, whatever its event time', async () => {
  await run();
  await shop.write('late.parquet', pricesOf(4000, 4001, 9, 5));
  expect(await run()).toMatchObject({ written: 1 });
  expect(await shop.read(4000n)).toEqual([4005.09, 'item 4000 day 9']);
});

test('the end leaves later rows out, and the watermark never goes back', async () => {
  expect(await run({ endUs: noonUs - 24n * hourUs })).toMatchObject({ keys: 5000, written: 5000 });
  expect(await shop.read(7n)).toEqual([7.09, 'item 7 day 9']);
  expect(await run()).toMatchObject({ written: 2500 });
  expect(await shop.read(7n)).toEqual([7.1, 'item 7 day 10']);
  const earlier = await run({ endUs: noonUs - 24n * hourUs });
  expect(earlier).toMatchObject({ written: 0, unchanged: 5000, skipped: 0 });
  expect((await watermark())?.endUs).toBe(noonUs);
  expect(await run()).toMatchObject({ skipped: 5000 });
});

test('an end in the future is reached no earlier than it comes', async () => {
  expect(await run({ endUs: noonUs + 1000n * hourUs })).toMatchObject({ keys: 5000, written: 5000 });
  expect((await watermark())?.endUs).toBe(noonUs);
  expect(await run()).toMatchObject({ skipped: 5000, written: 0 });
  shop.clockUs = noonUs + hourUs;
  await run();
  expect((await watermark())?.endUs).toBe(noonUs + hourUs);
});

test('a range run sends all of its rows, and moves no watermark', async () => {
  expect(await run({ startUs: noonUs - 24n * hourUs, endUs: noonUs })).toMatchObject({ rows: 2500, written: 2500 });
  expect(await watermark()).toBeUndefined();
  expect(await shop.read(4000n)).toBeUndefined();
  await run();
  expect(await run({ startUs: noonUs - 24n * hourUs, endUs: noonUs })).toMatchObject({ unchanged: 2500, skipped: 0 });
  expect((await watermark())?.endUs).toBe(noonUs);
  await expect(shop.materialize({ startUs: noonUs, endUs: noonUs - 1n })).rejects.toThrow(/start .* after its end/);
});

test('rows that become visible later wait beside the visible one (rules 8.1, 8.2)', async () => {
  await shop.define({ view: { delay: '3h' } });
  await run();
  expect(await shop.read(7n)).toEqual([7.09, 'item 7 day 9']);
  shop.clockUs = noonUs + hourUs;
  expect(await shop.read(7n)).toEqual([7.1, 'item 7 day 10']);
});

test('as-known-at, a row waits for its created timestamp', async () => {
  await shop.define({ view: { asKnown: true } });
  shop.clockUs = noonUs - hourUs - 1n;
  await run();
  expect(await shop.read(7n)).toEqual([7.09, 'item 7 day 9']);
  shop.clockUs = noonUs - hourUs;
  expect(await shop.read(7n)).toEqual([7.1, 'item 7 day 10']);
});

test('definitions that change send everything again, and old values are not served as new ones (rule 8.3)', async () => {
  await run();
  await shop.define({
    view: { features: { price: { type: 'float64', column: 'price' }, label: { type: 'string', column: 'label' } } },
  });
  expect(await run()).toMatchObject({ skipped: 5000 });
  await shop.define({ view: { features: { price: { type: 'float64' }, label: { type: 'float64', column: 'price' } } } });
  expect(await shop.read(7n)).toEqual([7.1, undefined]);
  expect(await run()).toMatchObject({ skipped: 0, written: 5000 });
  expect(await shop.read(7n)).toEqual([7.1, 7.1]);
});

test('an erased entity stays erased (rule 8.4)', async () => {
  await run();
  const writer = createOnlineWriter(shop.store, 'shop');
  await writer.erase([{ name: 'item_id', type: 'int64' }], [7n], noonUs);
  expect(await run({ startUs: 0n })).toMatchObject({ erased: 1, unchanged: 4999 });
  expect(await shop.read(7n)).toBeUndefined();
});

test('a store that lost its content is filled again, also where that happens in the middle of a run', async () => {
  await run();
  await empty();
  expect(await run()).toMatchObject({ written: 5000, skipped: 0 });
  await shop.write('many.parquet', pricesOf(0, 60_000, 8));
  let isEmptied = false;
  const { views } = await shop.materialize(
    {},
    {
      onProgress: () => {
        if (isEmptied) return;
        isEmptied = true;
        emptying = empty();
      },
    },
  );
  await emptying;
  expect(views[0]).toMatchObject({ keys: 60_000 });
  await run();
  for (const id of [0n, 1n, 30_000n, 59_999n]) expect(await shop.read(id)).toBeDefined();
  expect(await run()).toMatchObject({ skipped: 60_000, written: 0 });
});
let emptying: Promise<void> | undefined;

async function empty(): Promise<void> {
  for await (const keys of shop.store.scan(Buffer.from('shop'))) {
    const values = await shop.store.read(keys);
    await shop.store.replace(keys.map((key, at) => ({ key, expected: values[at], value: undefined })));
  }
}

test('two runs of a view at once: one of them, and the other is told who is at it', async () => {
  const results = await Promise.allSettled([run(), run()]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const failed = results.find((result) => result.status === 'rejected');
  expect(failed?.reason).toMatchObject({ code: 'ABORTED', details: { reason: 'busy', view: 'item_prices' } });
  expect(String(failed?.reason)).toMatch(/is being materialized by process \d+ on /);
  expect(await run()).toMatchObject({ skipped: 5000 });
});

test('a source that changes while it is read is read again, and what it holds at the end is served', async () => {
  let version = 0;
  const change = () => shop.write('changing.parquet', pricesOf(0, 50_000, 10, ++version));
  await change();
  let isOver = false;
  const changing = (async () => {
    while (!isOver && version < 6) {
      await change();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    }
  })();
  expect(await run()).toMatchObject({ keys: 50_000 });
  isOver = true;
  await changing;
  await run();
  for (const id of [0n, 7n, 49_999n]) expect((await shop.read(id))?.[0]).toBeCloseTo(Number(id) + 0.1 + version, 6);
  expect(await run()).toMatchObject({ skipped: 50_000, written: 0 });
});

test('an aborted run ends at once, and the next one goes on where it was', async () => {
  await shop.write('many.parquet', pricesOf(0, 100_000, 8));
  const controller = new AbortController();
  const aborted = shop.materialize({}, { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) });
  await expect(aborted).rejects.toThrow('enough');
  const rest = await run();
  expect(rest.skipped).toBeGreaterThanOrEqual(16_384);
  expect(rest.skipped + rest.written + rest.unchanged).toBe(100_000);
  expect(rest.unchanged).toBeLessThan(60_000);
});

test('views that do not exist, or have nothing to materialize, are named; one that fails does not stop the others', async () => {
  await expect(shop.materialize({ views: ['item_price'] })).rejects.toThrow('did you mean "item_prices"?');
  rmSync(join(shop.root, 'data'), { recursive: true });
  await expect(shop.materialize({})).rejects.toMatchObject({ code: 'NOT_FOUND', details: { materialized: [] } });
});

describe('views with the same join keys', () => {
  /** Stock of items 2500 up to 7500, and the item that has the greatest key of all. */
  const stockOf = (level: number) => `
    select i::bigint as item_id, timestamptz '2026-03-10 09:00:00+00' + to_seconds(${level}) as event_timestamp, ${level}::bigint as level
    from (select * from range(2500, 7500) union all select 9223372036854775807) as t(i)`;
  const stock = batchSource('stock', { table: parquet('stock/*.parquet'), eventTimestamp: 'event_timestamp' });
  const itemStock = featureView('item_stock', { entities: [item], source: stock, features: { level: { type: 'int64' } } });
  const writeStock = async (level: number) => {
    await shop.write('stock.parquet', stockOf(level));
    renameSync(join(shop.root, 'data', 'stock.parquet'), join(shop.root, 'stock', `${level}.parquet`));
  };
  const read = async (id: bigint) => [await shop.read(id), await shop.read(id, 'item_stock')];

  beforeEach(async () => {
    mkdirSync(join(shop.root, 'stock'));
    await writeStock(1);
    await shop.define({ more: [stock, itemStock] });
  });

  test('are written in one pass, each row of each view, whichever keys they have in common', async () => {
    const { views } = await shop.materialize({});
    expect(views).toMatchObject([
      { view: 'item_prices', keys: 5000, written: 5000, unchanged: 0 },
      { view: 'item_stock', keys: 5001, written: 5001, unchanged: 0 },
    ]);
    expect(await read(7n)).toEqual([[7.1, 'item 7 day 10'], undefined]);
    expect(await read(4000n)).toEqual([[4000.09, 'item 4000 day 9'], [1n]]);
    expect(await read(7000n)).toEqual([undefined, [1n]]);
    expect(await read(2n ** 63n - 1n)).toEqual([undefined, [1n]]);
    expect((await shop.materialize({})).views).toMatchObject([{ skipped: 5000 }, { skipped: 5001, sentRanges: 0 }]);
  });

  test('change each by itself, beside rows of the other and of an erased entity', async () => {
    await shop.materialize({ views: ['item_stock'] });
    await createOnlineWriter(shop.store, 'shop').erase([{ name: 'item_id', type: 'int64' }], [4000n], noonUs);
    await writeStock(2);
    const { views } = await shop.materialize({ views: ['item_stock', 'item_prices'] });
    expect(views).toMatchObject([
      { view: 'item_stock', written: 5000, erased: 1 },
      { view: 'item_prices', written: 4999, erased: 1 },
    ]);
    expect(await read(4000n)).toEqual([undefined, undefined]);
    expect(await read(4001n)).toEqual([[4001.09, 'item 4001 day 9'], [2n]]);
  });

  test('do not stop each other: what one of them fails with is told when the other is written', async () => {
    rmSync(join(shop.root, 'stock'), { recursive: true });
    const failed = shop.materialize({});
    await expect(failed).rejects.toMatchObject({ code: 'NOT_FOUND', details: { materialized: ['item_prices'] } });
    expect(await shop.read(7n)).toEqual([7.1, 'item 7 day 10']);
  });
});

/** Ticks of SQL sources by range and by the clock, read by training and online alike (semantics 11). */

import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { formatInstantUs, parseInstantUs } from '../../src/definitions/literal.ts';
import { type BatchSource, batchSource, featureView, parquet, type SqlSourceOptions, sqlSource } from '../../src/index.ts';
import { createErasures } from '../../src/materialize/erase.ts';
import { createErasedRows } from '../../src/materialize/erased-rows.ts';
import { createMaterialize } from '../../src/materialize/materialize.ts';
import { createRunTicks, describeTicks } from '../../src/materialize/run-ticks.ts';
import { silentLogger } from '../../src/observe.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import type { SourceDocument } from '../../src/registry/document.ts';
import { startTickSchedule } from '../../src/serve/schedule-ticks.ts';
import { hourUs, item, noonUs, openShop, pricesOf, type Shop } from './open-shop.ts';

const dayUs = 24n * hourUs;
const midnightUs = noonUs - 12n * hourUs;
const utc = (text: string) => parseInstantUs(`${text}Z`);
let shop: Shop | undefined;
afterEach(async () => {
  await shop?.close();
  shop = undefined;
});

/** Items' prices of every day of March until the 20th, and how many each item has had, by day. */
async function openCounts(options: Partial<SqlSourceOptions> = {}) {
  const ticksDirectory = join(mkdtempSync(join(tmpdir(), 'ticks-')), 'sql');
  const store = openLmdbStore(mkdtempSync(join(tmpdir(), 'online-')));
  const readErased = createErasedRows({ store: () => store, registry: () => shop?.registry });
  const opened = await openShop({ ticksDirectory, store, readErased });
  shop = opened;
  for (let day = 1; day <= 20; day++) await opened.write(`${String(day).padStart(2, '0')}.parquet`, pricesOf(0, 3, day));
  const define = async (more: Partial<SqlSourceOptions> = {}) => {
    const prices: BatchSource = batchSource('all_prices', {
      table: parquet('data/*.parquet'),
      eventTimestamp: 'event_timestamp',
    });
    const counts = sqlSource('price_counts', {
      inputs: [prices],
      every: '1d',
      offset: '3h',
      sql: 'select item_id, count(*) as n from all_prices group by item_id',
      ...options,
      ...more,
    });
    const view = featureView('counts', { entities: [item], source: counts, ttl: '3d', features: { n: { type: 'int64' } } });
    await opened.define({ more: [prices, counts, view] });
  };
  await define();
  const parts = {
    history: opened.history,
    store,
    registry: () => opened.registry,
    logger: silentLogger,
    nowUs: () => opened.clockUs,
  };
  const runTicks = createRunTicks(parts);
  return {
    shop: opened,
    store,
    define,
    parts,
    ticksDirectory,
    runTicks,
    materialize: createMaterialize({ ...parts, runTicks }),
    source: () => opened.registry.sources.find(({ name }) => name === 'price_counts') as SourceDocument,
    ticks: async () => {
      const source = opened.registry.sources.find(({ name }) => name === 'price_counts') as SourceDocument;
      return ((await opened.history.ticks?.list(source)) ?? []).map((us) => formatInstantUs(us).slice(0, 10));
    },
  };
}

describe('ticks', () => {
  it('of a range run once, whatever of it has run before, and those that are not due yet are left out', async () => {
    const { runTicks, ticks, shop, source } = await openCounts();
    const first = await runTicks({
      source: 'price_counts',
      startUs: utc('2026-03-05T00:00:00'),
      endUs: utc('2026-03-06T23:00:00'),
    });
    expect(first).toMatchObject({ of: 2, ran: 2, skipped: 0, rows: 6, notDue: 0, firstUs: utc('2026-03-05T00:00:00') });
    // The tick of the 10th is due at 03:00 of that day, and that of the 11th is not.
    const whole = await runTicks({
      source: 'price_counts',
      startUs: utc('2026-03-03T00:00:01'),
      endUs: utc('2026-03-12T00:00:00'),
    });
    expect(whole).toMatchObject({ of: 7, ran: 5, skipped: 2, notDue: 2, lastUs: midnightUs });
    expect(await ticks()).toEqual([4, 5, 6, 7, 8, 9, 10].map((day) => `2026-03-${String(day).padStart(2, '0')}`));
    shop.clockUs = midnightUs + 3n * hourUs - 1n + dayUs;
    expect(await runTicks({ source: 'price_counts' })).toMatchObject({ of: 0, ran: 0, firstUs: undefined });
    shop.clockUs += 1n;
    expect(await runTicks({ source: 'price_counts' })).toMatchObject({ of: 1, ran: 1, tickUs: midnightUs + dayUs });
    const { history } = shop;
    expect(history.ticks && (await describeTicks(history.ticks, source()))).toEqual({
      firstUs: utc('2026-03-04T00:00:00'),
      lastUs: utc('2026-03-11T00:00:00'),
      count: 8,
      missing: 0,
    });
    await runTicks({ source: 'price_counts', startUs: utc('2026-03-01T00:00:00'), endUs: utc('2026-03-01T00:00:00') });
    expect(history.ticks && (await describeTicks(history.ticks, source()))).toMatchObject({ count: 9, missing: 2 });
  });

  it('run again are known from the wall clock on, and no earlier', async () => {
    const { runTicks, shop, materialize } = await openCounts();
    const range = { source: 'price_counts', startUs: midnightUs, endUs: midnightUs };
    await runTicks(range);
    await materialize({ views: ['counts'] });
    expect(await shop.read(1n, 'counts')).toEqual([9n]);
    await shop.write('late.parquet', pricesOf(1, 2, 4, 60));
    expect(await runTicks(range)).toMatchObject({ ran: 0, skipped: 1 });
    expect(await runTicks({ ...range, again: true })).toMatchObject({ ran: 1, skipped: 0 });
    await materialize({ views: ['counts'] });
    expect(await shop.read(1n, 'counts')).toEqual([10n]);
    expect(await shop.read(2n, 'counts')).toEqual([9n]);
  });

  it('are run by materialize before it writes, and served from tick + offset on', async () => {
    const { shop, materialize, ticks } = await openCounts();
    shop.clockUs = noonUs + dayUs;
    await materialize({ views: ['counts'], startUs: utc('2026-03-08T00:00:00'), endUs: utc('2026-03-11T12:00:00') });
    expect(await ticks()).toEqual(['2026-03-08', '2026-03-09', '2026-03-10', '2026-03-11']);
    expect(await shop.read(1n, 'counts')).toEqual([10n]);
    shop.clockUs = noonUs + 2n * dayUs;
    await materialize({ views: ['counts'] });
    expect(await shop.read(1n, 'counts')).toEqual([11n]);
  });

  it('of a definition that has changed are none, and materialize runs the latest', async () => {
    const { runTicks, define, ticks, materialize } = await openCounts();
    await runTicks({ source: 'price_counts', startUs: midnightUs - dayUs });
    expect(await ticks()).toEqual(['2026-03-09', '2026-03-10']);
    await define({ sql: 'select item_id, count(*) * 2 as n from all_prices group by item_id' });
    expect(await ticks()).toEqual([]);
    await materialize({ views: ['counts'] });
    expect(await ticks()).toEqual(['2026-03-10']);
    expect(await shop?.read(1n, 'counts')).toEqual([18n]);
    await define();
    expect(await ticks()).toEqual(['2026-03-09', '2026-03-10']);
  });

  it('that fail keep the views of their source waiting, and no others', async () => {
    const { materialize, shop } = await openCounts({
      sql: 'select item_id, count(*) as n, ln(min(price) - 1e9) as l from all_prices group by item_id',
    });
    await expect(materialize({})).rejects.toMatchObject({
      message: expect.stringContaining('source "price_counts", tick 2026-03-10T00:00:00'),
      details: { materialized: ['item_prices'] },
    });
    expect((await shop.read(1n))?.[1]).toBe('item 1 day 10');
    expect(await shop.read(1n, 'counts')).toBeUndefined();
  });

  it('8.4: hold no row of an erased entity, and are rewritten without it', async () => {
    const { runTicks, materialize, parts, shop, source, ticksDirectory } = await openCounts();
    await runTicks({ source: 'price_counts', startUs: midnightUs - dayUs });
    await materialize({ views: ['counts'] });
    const erasures = createErasures(parts);
    mkdirSync(join(ticksDirectory, 'price_counts', 'of a former definition'));
    const report = await erasures.erase('item', { item_id: '1' });
    expect(report.archives).toEqual([{ source: 'price_counts', files: 2, rows: 2 }]);
    expect(report.foreign.map(({ source }) => source)).toEqual(['prices']);
    expect(readdirSync(join(ticksDirectory, 'price_counts'))).toHaveLength(1);
    const folder = join(ticksDirectory, 'price_counts', String(source().query?.hash.slice(0, 16)));
    const files = readdirSync(folder).map((name) => `'${join(folder, name)}'`);
    const [left] = await shop.history.engine.session(undefined, (session) =>
      session.rows(`select count(*) as rows, count(*) filter (where item_id = 1) as erased from read_parquet([${files}])`),
    );
    expect(left).toEqual({ rows: 4n, erased: 0n });
    // The inputs still have it, and so does a tick that runs now; nobody reads it.
    await runTicks({ source: 'price_counts', startUs: midnightUs, again: true });
    await materialize({ views: ['counts'] });
    expect(await shop.read(1n, 'counts')).toBeUndefined();
    expect(await shop.read(2n, 'counts')).toEqual([9n]);
  });

  it('are refused for what is no SQL source, by name', async () => {
    const { runTicks } = await openCounts();
    await expect(runTicks({ source: 'prices' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(runTicks({ source: 'price_count' })).rejects.toMatchObject({ message: expect.stringContaining('price_counts') });
    await expect(runTicks({ source: 'price_counts', startUs: 2n, endUs: 1n })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('the schedule', () => {
  it('runs what is due, catches up with what it missed, and writes the views', async () => {
    const { shop, parts, runTicks, materialize, ticks } = await openCounts();
    const start = () => startTickSchedule({ ...parts, runTicks, materialize, plan: {} });
    const first = start();
    await expect.poll(() => shop.read(1n, 'counts'), { timeout: 20_000 }).toEqual([9n]);
    await first.stop();
    expect(await ticks()).toEqual(['2026-03-10']);
    shop.clockUs = noonUs + 3n * dayUs;
    const second = start();
    await expect.poll(() => shop.read(1n, 'counts'), { timeout: 20_000 }).toEqual([12n]);
    await second.stop();
    expect(await ticks()).toEqual(['2026-03-10', '2026-03-11', '2026-03-12', '2026-03-13']);
  });
});

/** Fitted defaults that were not there, or were another day's, each planted alone (rule 5.3); and a file that was written over. */
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatDay } from '../../../src/definitions/day.ts';
import { fitted } from '../../../src/index.ts';
import { silentLogger } from '../../../src/observe.ts';
import { createOnlineRecords } from '../../../src/online/records.ts';
import { writeFittedDefault } from '../../../src/online/retrieve/defaults.ts';
import { createOnlineFacts } from '../../../src/online/retrieve/facts.ts';
import { createOnlineFeatures } from '../../../src/online/retrieve/retrieve.ts';
import type { Erasure } from '../../../src/online/write/erasure-index.ts';
import type { FeatureDocument, SourceDocument, ViewDocument } from '../../../src/registry/document.ts';
import { servedFromAnswer } from '../../../src/validate/parity/from-answer.ts';
import type { ServedBatch } from '../../../src/validate/parity/pairs.ts';
import type { LookAgain } from '../../../src/validate/parity/parts.ts';
import type { ParityReport } from '../../../src/validate/parity/report.ts';
import { runParity } from '../../../src/validate/parity/run.ts';
import { noonUs, openShop, pricesOf, type Shop } from '../../materialize/open-shop.ts';

const { signal } = new AbortController();
const dayUs = 86_400_000_000n;
const today = Number(noonUs / dayUs);
let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  for (const day of [7, 8, 9]) await shop.write(`${day}.parquet`, pricesOf(0, 10, day, day));
  for (const day of [7, 8, 9]) utimesSync(join(shop.root, 'data', `${day}.parquet`), 1, 1);
  await shop.define({ view: { features: { price: { type: 'float64', default: fitted('mean') } } } });
  await shop.materialize({});
});
afterEach(() => shop.close());

/** Item 3 has a price, 99 has none. */
async function serve(atUs = noonUs): Promise<ServedBatch> {
  const registry = () => shop.registry;
  const facts = createOnlineFacts({
    ...{ store: shop.store, project: 'shop', registry, logger: silentLogger },
    readMaterialized: async (views) => views.map(() => true),
  });
  await facts.load();
  facts.close();
  const online = createOnlineFeatures({ store: shop.store, project: 'shop', registry, facts, nowUs: () => atUs });
  const answer = await online.get({ features: ['item_prices:price'], entities: { item_id: [3n, 99n] } });
  return servedFromAnswer(answer, () => [{ watermarkUs: noonUs, finishedUs: noonUs }]);
}

async function check(batch: ServedBatch, lookAgain?: LookAgain, erasures: readonly Erasure[] = []) {
  async function* batches() {
    yield batch;
  }
  const parts = {
    history: shop.history,
    registry: shop.registry,
    readDocument: () => undefined,
    erasures: async () => erasures,
    lookAgain,
  };
  return await runParity(parts, batches(), { mode: 'live', nowUs: noonUs, advice: '', signal });
}

async function keepDefault(day: number): Promise<void> {
  const view = shop.registry.views[0] as ViewDocument;
  const feature = view.features[0] as FeatureDocument;
  const value = await shop.history.fittedDefault(view, shop.registry.sources[0] as SourceDocument, feature, day, signal);
  await writeFittedDefault(createOnlineRecords(shop.store, 'shop'), view, feature, { day: formatDay(day), value });
}

test('the default of today raises nothing', async () => {
  await keepDefault(today);
  expect(await check(await serve())).toMatchObject({ result: 'PASS', summary: { differences: 0 } });
});

test('a default that was not computed yet is told', async () => {
  const report = await check(await serve());
  expect(report.summary, JSON.stringify(report)).toMatchObject({ differences: 1, causes: { default_not_computed: 1 } });
  expect(report.features[0]?.worst[0]).toMatchObject({
    keys: { item_id: '99' },
    evidence: { text: 'no fitted default was computed yet' },
  });
});

test("an earlier day's default is told with its day", async () => {
  await keepDefault(today - 1);
  const report = await check(await serve());
  expect(report.summary).toMatchObject({ differences: 1, causes: { default_not_computed: 1 } });
  expect(report.features[0]?.worst[0]?.evidence.text).toContain(`the fitted default of ${formatDay(today - 1)} was served`);
});

test('a number that is the default of no day is a bug', async () => {
  const view = shop.registry.views[0] as ViewDocument;
  const records = createOnlineRecords(shop.store, 'shop');
  await writeFittedDefault(records, view, view.features[0] as FeatureDocument, { day: formatDay(today), value: 1e9 });
  expect((await check(await serve())).summary).toMatchObject({ differences: 1, causes: { bug: 1 } });
});

/** Of an item, or of another entity, with a row at noon of a day. */
function erased(atUs: bigint, rowDay: number, joinKey = 'item_id'): Erasure {
  const us = noonUs + BigInt(rowDay - today) * dayUs;
  const removed = { [shop.registry.sources[0]?.name as string]: { rows: 1, timesUs: [us, us] } } as const;
  return { joinKeys: [joinKey], parts: [{ kind: 'integer', value: 7n }], atUs, isFinished: true, removed };
}

test('what was erased explains a fitted default that was computed before, of rows from before its day', async () => {
  const view = shop.registry.views[0] as ViewDocument;
  const records = createOnlineRecords(shop.store, 'shop');
  await writeFittedDefault(records, view, view.features[0] as FeatureDocument, { day: formatDay(today), value: 40 });
  const batch = await serve();
  const causes = async (erasure: Erasure) => (await check(batch, undefined, [erasure])).summary.causes;
  expect(await causes(erased(noonUs + dayUs, today - 5))).toEqual({ erased: 1 });
  expect(await causes(erased(noonUs - 1n, today - 5))).toEqual({ erased: 1 });
  // The numbers of the days since were computed without the rows.
  expect(await causes(erased(noonUs - 3n * dayUs, today - 5))).toEqual({ bug: 1 });
  expect(await causes(erased(noonUs + dayUs, today))).toEqual({ bug: 1 });
});

test('what was erased is no cause where another is found in the data', async () => {
  await keepDefault(today);
  const batch = await serve();
  await shop.write('9.parquet', pricesOf(3, 4, 9, 50));
  const after = await check(batch, undefined, [erased(noonUs + dayUs, today - 1, 'shop_id')]);
  expect(causeOf(after, '3'), JSON.stringify(after)).toBe('correction');
});

test('a file that was written over after it was read is a correction, and says that what it held is not known', async () => {
  await keepDefault(today);
  const batch = await serve();
  await shop.write('9.parquet', pricesOf(3, 4, 9, 50));
  const report = await check(batch);
  expect(causeOf(report, '3'), JSON.stringify(report)).toBe('correction');
});

test('a served value that happened after the end of the run is none that a file held before it was written over: it is a bug', async () => {
  await keepDefault(today);
  const batch = await serve();
  await shop.write('9.parquet', pricesOf(3, 4, 9, 50));
  const [output] = batch.outputs as [ServedBatch['outputs'][number]];
  const online = { ...output.online, eventUs: [noonUs + 1n, ...output.online.eventUs.slice(1)] };
  const report = await check({ ...batch, outputs: [{ ...output, online }] });
  expect(causeOf(report, '3'), JSON.stringify(report)).toBe('bug');
});

test('what looks like a correction and is not over once the file was materialized was edited', async () => {
  await keepDefault(today);
  const batch = edit(await serve());
  await shop.write('9.parquet', pricesOf(3, 4, 9, 50));
  const seconds = Number(noonUs / 1_000_000n);
  utimesSync(join(shop.root, 'data', '9.parquet'), seconds + 1, seconds + 1);
  await shop.materialize({});
  const later = await serve(noonUs + 2_000_000n);
  const now = { ...later, knownAt: () => [{ watermarkUs: noonUs, finishedUs: noonUs + 2_000_000n }] };
  const causeAfter = async (again: ServedBatch) => causeOf(await check(batch, async () => again), '3');
  expect(await causeAfter(now)).toBe('correction');
  expect(await causeAfter(edit(now))).toBe('bug');
});

function causeOf({ features }: ParityReport, item: string) {
  return features[0]?.worst.find(({ keys }) => (keys as { item_id: string }).item_id === item)?.cause;
}

/** The price of item 3 as nobody ever wrote it. */
function edit(batch: ServedBatch): ServedBatch {
  const [output] = batch.outputs as [ServedBatch['outputs'][number]];
  return {
    ...batch,
    outputs: [{ ...output, online: { ...output.online, values: [123, ...output.online.values.slice(1)] } }],
  };
}

/** The right to erasure as a whole (rule 8.4), over LMDB and over a real Redis. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { entity } from '../../src/index.ts';
import { createErasures, type Erasures } from '../../src/materialize/erase.ts';
import { createErasedRows } from '../../src/materialize/erased-rows.ts';
import { createPushes, type Pushes } from '../../src/materialize/push.ts';
import type { SourceDocument, ViewDocument } from '../../src/registry/document.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { openShop, pricesOf, type Shop } from './open-shop.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

let shop: Shop;
let pushes: Pushes;
let erasures: Erasures;
afterEach(() => shop.close());

async function open(kind: string, options: Parameters<Shop['define']>[0] = {}): Promise<void> {
  const store = kind === 'Redis' ? openTestRedis({ url: `redis://${redis.address}` }) : undefined;
  const readErased = createErasedRows({ store: () => shop.store, registry: () => shop.registry });
  shop = await openShop({ readErased, ...(store === undefined ? {} : { store }) });
  if (store !== undefined) await redis.command('flushall');
  await shop.write('a.parquet', pricesOf(0, 20, 10));
  await shop.define({ ...options, source: { push: true } });
  const parts = { history: shop.history, store: shop.store, registry: () => shop.registry, nowUs: () => shop.clockUs };
  pushes = createPushes(parts);
  erasures = createErasures(parts);
}

const rowOf = (id: number, at = '2026-03-10T11:30:00Z') => ({
  item_id: [id],
  event_timestamp: [at],
  created_timestamp: [at],
  price: [id / 2],
  label: [`pushed ${id}`],
});

/** The labels of the source's rows that training reads, sorted. */
async function trainingLabels(): Promise<string[]> {
  const [view] = shop.registry.views as [ViewDocument];
  const [source] = shop.registry.sources as [SourceDocument];
  const projection = await shop.history.openProjection(view, source, new AbortController().signal);
  try {
    expect(projection.rows).toBeGreaterThan(0);
    const { files, archived, erased } = projection.state;
    const own = files.map((file) => `select label from '${file.absolutePath}'`);
    const pushed = archived.map((file) => `select label from '${file.absolutePath}' where (${erased ?? 'false'}) is not true`);
    const rows = await shop.history.engine.session(undefined, (session) => session.rows([...own, ...pushed].join(' union all ')));
    expect(rows).toHaveLength(projection.rows);
    return rows.map(({ label }) => label as string).sort();
  } finally {
    projection.release();
  }
}

const foreign = (of: readonly number[]) => of.map((id) => `item ${id} day 10`);
const all = Array.from({ length: 20 }, (_, id) => id);

describe.each(['LMDB', 'Redis'])('over %s', (kind) => {
  test('an entity is out of the online store and of what was pushed, on both paths, until that is lifted', async () => {
    await open(kind);
    for (const id of [7, 8, 7]) await pushes.pushRows('prices', rowOf(id));
    expect(await trainingLabels()).toEqual([...foreign(all), 'pushed 7', 'pushed 7', 'pushed 8'].sort());
    await shop.materialize({});
    expect(await erasures.erase('item', { item_id: '7' })).toEqual({
      entity: 'item',
      erased_at: '2026-03-10T12:00:00.000000Z',
      online: { keys: 1, rows: { item_prices: 1 } },
      archives: [{ source: 'prices', files: 2, rows: 2 }],
      feature_log: { files: 0, rows: 0 },
      datasets: [],
      foreign: [{ source: 'prices', format: 'parquet', paths: ['data/*.parquet'], views: ['item_prices'] }],
    });
    expect(readdirSync(join(shop.root, '.projections'))).toEqual([]);
    expect(await shop.read(7n)).toBeUndefined();
    expect(await trainingLabels()).toEqual([...foreign(all), 'pushed 8'].sort());
    expect(await pushes.pushRows('prices', rowOf(7))).toMatchObject({ archived: true, written: 0, erased: 1 });
    expect((await shop.materialize({})).views[0]).toMatchObject({ erased: 1 });
    expect([await shop.read(7n), await shop.read(8n)]).toEqual([undefined, [4, 'pushed 8']]);
    expect(await trainingLabels()).toEqual([...foreign(all), 'pushed 8'].sort());
    const shown = { entities: ['item'], keys: { item_id: '7' }, erased_at: '2026-03-10T12:00:00.000000Z', finished: true };
    expect(await erasures.list()).toEqual([shown]);
    shop.clockUs += 1n;
    expect(await erasures.erase('item', { item_id: 7 })).toMatchObject({ erased_at: shown.erased_at, archives: [] });

    expect(await erasures.lift('item', { item_id: 7n })).toEqual({ lifted: true, erased_at: shown.erased_at });
    expect(await erasures.lift('item', { item_id: 7n })).toEqual({ lifted: false, erased_at: null });
    expect(await erasures.list()).toEqual([]);
    expect(await shop.read(7n)).toBeUndefined();
    expect(await trainingLabels()).toEqual([...foreign(all), 'pushed 8'].sort());
    // What foreign tables have of it is taken again.
    await shop.materialize({});
    expect(await shop.read(7n)).toEqual([7.1, 'item 7 day 10']);
  });

  test('pushes, readers and erasures at once: nobody fails, nothing is lost, and no one who is erased is left', async () => {
    await open(kind);
    const ids = Array.from({ length: 60 }, (_, at) => 100 + (at % 12));
    let isDone = false;
    const pushing = Promise.all(
      [0, 1].map(async (lane) => {
        for (const [at, id] of ids.entries()) if (at % 2 === lane) await pushes.pushRows('prices', rowOf(id));
      }),
    ).finally(() => {
      isDone = true;
    });
    const reading = (async () => {
      while (!isDone) {
        const [view] = shop.registry.views as [ViewDocument];
        const [source] = shop.registry.sources as [SourceDocument];
        const projection = await shop.history.openProjection(view, source, new AbortController().signal);
        await projection.bucket(0).finally(projection.release);
      }
    })();
    const erased = [100, 105, 111];
    const erasing = (async () => {
      for (const id of erased) await erasures.erase('item', { item_id: id });
    })();
    await Promise.all([pushing, reading, erasing]);
    const left = ids.filter((id) => !erased.includes(id));
    expect(await trainingLabels()).toEqual([...foreign(all), ...left.map((id) => `pushed ${id}`)].sort());
    expect(await Promise.all(erased.map((id) => shop.read(BigInt(id))))).toEqual([undefined, undefined, undefined]);
    // Also on the disk: a later lift finds nothing to remove.
    expect(await shop.history.archive?.erase('prices')).toEqual({ files: 0, rows: 0 });
  });
});

test('keys that contain the entity go with it, whether or not their view names it', async () => {
  const pair = entity('pair', { joinKeys: { label: 'string', item_id: 'int64' } });
  const more = [pair, entity('word', { joinKeys: { label: 'string' } })];
  await open('LMDB', { more });
  const paired = { ...shop.registry.views[0], name: 'paired', entities: ['pair'] } as ViewDocument;
  const keys = [
    { name: 'label', type: 'string', column: 'label' },
    { name: 'item_id', type: 'int64', column: 'item_id' },
  ] as const;
  const price = paired.features.filter(({ name }) => name === 'price');
  shop.registry = { ...shop.registry, views: [...shop.registry.views, { ...paired, keys, features: price }] };
  const both = {
    item_id: [7, 8],
    price: [1, 2],
    label: ['x', 'y'],
    event_timestamp: ['2026-03-10T11:00:00Z', '2026-03-10T11:00:00Z'],
  };
  await pushes.pushRows('prices', both);
  const report = await erasures.erase('word', { label: 'x' });
  expect(report).toMatchObject({ online: { rows: { paired: 1 } }, archives: [{ source: 'prices', files: 1, rows: 1 }] });
  expect(await pushes.pushRows('prices', { ...both, price: [3, 4] })).toMatchObject({ erased: 1 });
  expect(await trainingLabels()).toEqual([...foreign(all), 'y', 'y'].sort());
});

test('a source to which nothing was pushed is not read anew', async () => {
  await open('LMDB');
  await trainingLabels();
  const kept = readdirSync(join(shop.root, '.projections'));
  expect(await erasures.erase('item', { item_id: 1 })).toMatchObject({ archives: [], foreign: [{ source: 'prices' }] });
  await trainingLabels();
  expect(readdirSync(join(shop.root, '.projections'))).toEqual(kept);
  expect(kept).toHaveLength(1);
});

test.each([
  [{}, 'has the join keys item_id: give each once'],
  [{ item_id: 1, more: 2 }, 'has the join keys item_id: give each once'],
  [{ item_id: 1.5 }, 'write a whole number'],
  [{ item_id: null }, 'write a whole number'],
  [{ item_id: '9223372036854775808' }, 'write a whole number'],
])('keys %j are refused, and nothing is erased', async (keys, reason) => {
  await open('LMDB');
  await expect(erasures.erase('item', keys)).rejects.toThrow(reason);
  await expect(erasures.erase('itme', { item_id: 1 })).rejects.toThrow('did you mean "item"?');
  expect(await erasures.list()).toEqual([]);
});

/** Plans of rows: what is read for them, and what of a dataset is refused before any row is. */
import { describe, expect, it } from 'vitest';
import { planRows } from '../../src/dataset/open-rows.ts';
import { createRowCaches } from '../../src/dataset/row-caches.ts';
import { parseRowsRequest } from '../../src/dataset/rows-request.ts';
import type { Engine } from '../../src/offline/duckdb/engine.ts';
import { type DatasetShop, openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const rowsOf = (dense: readonly object[], rest = {}) => parseRowsRequest({ type: 'get_dataset', dataset: 'x', dense, ...rest });
const limits = { blockBytes: 0, vocabularyBytes: 2 ** 20 };

/** The shop's engine, and how often it was asked. */
function countSessions({ history }: DatasetShop): { readonly engine: Engine; readonly asked: () => number } {
  let asked = 0;
  const session: Engine['session'] = async (signal, work) => {
    asked += 1;
    return await history.engine.session(signal, work);
  };
  return { engine: { ...history.engine, session }, asked: () => asked };
}

describe('vocabularies of plans', () => {
  const city = rowsOf([{ name: 'm', columns: ['city'], type: 'int64' }]);

  it('are read once for all streams of an identity, as long as they fit', async () => {
    const shop = await openDatasetShop(5);
    await shop.create({ name: 'one' }, userFrame(10));
    await shop.create({ name: 'other' }, userFrame(8));
    const [one, other] = [await shop.datasets.find('one'), await shop.datasets.find('other')];
    const { engine, asked } = countSessions(shop);
    const caches = createRowCaches(limits);
    await Promise.all(Array.from({ length: 5 }, () => planRows(engine, one, city, caches)));
    await planRows(engine, one, city, caches);
    expect(asked()).toBe(1);
    await planRows(engine, other, city, caches);
    expect(asked()).toBe(2);
    const none = createRowCaches({ ...limits, vocabularyBytes: 100 });
    await planRows(engine, one, city, none);
    await planRows(engine, one, city, none);
    expect(asked()).toBe(4);
  });
});

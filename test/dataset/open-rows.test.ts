/** Plans of rows: what is read for them, and what of a dataset is refused before any row is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Column } from '../../src/arrow/column.ts';
import { readValues } from '../../src/arrow/read-value.ts';
import { type ArrowType, type Field, field } from '../../src/arrow/schema.ts';
import { diffDatasets } from '../../src/dataset/diff.ts';
import { planRows, readVocabulary, streamRows } from '../../src/dataset/open-rows.ts';
import { createRowCaches } from '../../src/dataset/row-caches.ts';
import { parseRowsRequest } from '../../src/dataset/rows-request.ts';
import type { FeatureStoreError } from '../../src/errors.ts';
import type { Engine } from '../../src/offline/duckdb/engine.ts';
import { type DatasetShop, firstUs, frameOf, instant, int64, openDatasetShop, userFrame } from '../support/dataset-shop.ts';

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

describe('ids of text', () => {
  it('are those of its vocabulary, whatever it begins with', async () => {
    const shop = await openDatasetShop(5);
    const texts = ['a', '\ufeffa', 'ä', '\ufeff', '', '\0'];
    const numbers = texts.map((_, row) => BigInt(row));
    const columns = [
      [field('user_id', int64), numbers],
      [field('event_timestamp', instant), numbers.map(() => firstUs)],
      [field('text', { id: 'utf8' }), texts],
    ] as const;
    await shop.create({ name: 'texts' }, frameOf(columns));
    const dataset = await shop.datasets.find('texts');
    const caches = createRowCaches(limits);
    const { engine } = shop.history;
    const plan = await planRows(engine, dataset, rowsOf([{ name: 'm', columns: ['text'], type: 'int64' }]), caches);
    const vocabulary = await readVocabulary(engine, dataset, 'text');
    const ids = [];
    for await (const { batch } of streamRows(dataset, plan, caches, new AbortController().signal))
      ids.push(...readValues(batch.columns[0] as Column).flat());
    expect(ids.map((id) => vocabulary[Number(id) - 1])).toEqual(texts);
  });
});

describe('a file of blocks that is damaged', () => {
  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -3)],
    ['changed', (bytes: Buffer) => bytes.fill(7, 200)],
  ])('since it was %s is named within its dataset', async (_, damage) => {
    const shop = await openDatasetShop(5);
    await shop.create({ name: 'one' }, userFrame(10));
    const dataset = await shop.datasets.find('one');
    const path = join(dataset.directory, 'blocks/all.arrow');
    const caches = createRowCaches(limits);
    const plan = await planRows(shop.history.engine, dataset, rowsOf([]), caches);
    writeFileSync(path, damage(readFileSync(path)));
    const read = streamRows(dataset, plan, caches, new AbortController().signal).next();
    const error: FeatureStoreError = await read.then(
      () => expect.fail('it was read'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'DATA_LOSS', message: expect.stringContaining('blocks/all.arrow') });
    expect(error.message).toContain('one@1');
    expect(error.message).not.toContain(shop.root);
  });
});

describe('a column that cannot become a tensor', () => {
  const int32: ArrowType = { id: 'int', bits: 32, signed: true };
  const uint64: ArrowType = { id: 'int', bits: 64, signed: false };
  const pair: ArrowType = { id: 'fixedSizeList', size: 2 };
  const floats = [field('item', { id: 'float', bits: 32 })];
  const sample: readonly (readonly [Field, unknown])[] = [
    [field('whole', int64), 2n ** 24n + 1n],
    [field('round', int64), 2n ** 30n],
    [field('large', int64), -(2n ** 53n)],
    [field('positive', uint64), 2n ** 63n],
    [field('lacking', int32), null],
    [field('pair', pair, floats), [1, null]],
    [field('fine', int32), 7],
  ];
  /** Two rows, of which the second, in another part, has what is in the way. */
  const columns = [
    [field('user_id', int64), [1n, 2n]] as const,
    [field('event_timestamp', instant), [firstUs, firstUs + 1n]] as const,
    ...sample.map(([each, value]) => {
      const first = each.type === pair ? [1, 2] : each.type === int64 || each.type === uint64 ? 1n : 1;
      return [each, [first, value]] as const;
    }),
  ];
  const cases: readonly (readonly [string, string, RegExp | undefined])[] = [
    [
      'whole',
      'float32',
      /"whole" \(int64\) holds 1 values between 1 and 16777217 that float32 has not .*: ask for float64 or int64/,
    ],
    ['whole', 'float64', undefined],
    ['round', 'float32', undefined],
    ['large', 'float64', /holds -9007199254740992, which float64 has not the digits for: ask for int64, or leave it out/],
    ['large', 'int64', undefined],
    ['whole', 'int32', undefined],
    ['large', 'int32', /which is outside int32: ask for int64/],
    ['positive', 'int64', /holds 9223372036854775808, which is outside int64/],
    ['lacking', 'int32', /has 1 nulls, which integers have no place for: of a feature give `fill`.*; else leave it out/],
    ['lacking', 'float32', undefined],
    ['pair', 'float32', /has lists with nulls in them: leave it out/],
    ['fine', 'float32', undefined],
  ];

  it('is refused by name with the ways out when the rows are planned, not in the middle of an epoch', async () => {
    const shop = await openDatasetShop(5);
    const split = { time: { boundaries: [{ name: 'train', until: '2026-03-01T00:00:00.000001Z' }, { name: 'test' }] } };
    await shop.create({ name: 'odd', features: ['user:age'], split }, frameOf(columns));
    const dataset = await shop.datasets.find('odd');
    const caches = createRowCaches(limits);
    for (const [column, type, words] of cases) {
      // Its nulls alone are counted by split.
      const split = column === 'lacking' ? 'test' : 'train';
      const plan = planRows(shop.history.engine, dataset, rowsOf([{ name: 'm', columns: [column], type }], { split }), caches);
      if (words === undefined) await plan;
      else
        await expect(plan, `${column} as ${type}`).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringMatching(words),
        });
    }
    const filled = rowsOf([{ name: 'm', columns: ['lacking'], type: 'int32', fill: 0 }], { split: 'test' });
    await planRows(shop.history.engine, dataset, filled, caches);
  });

  it('is none of a split that has no nulls, such as labels that the newest rows do not have yet', async () => {
    const shop = await openDatasetShop(5);
    const split = { time: { boundaries: [{ name: 'train', until: '2026-03-01T00:00:00.000001Z' }, { name: 'test' }] } };
    const created = await shop.create({ name: 'odd', features: ['user:age'], labels: ['lacking'], split }, frameOf(columns));
    const label = created.manifest.columns.find(({ name }) => name === 'lacking');
    expect(label?.statistics).toMatchObject({ nulls: 1, nulls_by_split: { test: 1 } });
    const dataset = await shop.datasets.find('odd');
    const labels = rowsOf([{ name: 'lacking', columns: ['lacking'], type: 'int64' }], { split: 'train' });
    await planRows(shop.history.engine, dataset, labels, createRowCaches(limits));
    const whole = await shop.create({ name: 'odd', features: ['user:age'], labels: ['lacking'] }, frameOf(columns));
    expect(diffDatasets(created.manifest, whole.manifest)).toMatchObject({ rows: expect.anything(), statistics: [] });
  });
});

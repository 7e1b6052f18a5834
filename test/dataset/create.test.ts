/** Saving: what a version holds, and that nothing is left of one that failed. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { field } from '../../src/arrow/schema.ts';
import { createDataset } from '../../src/dataset/create.ts';
import { readVocabulary } from '../../src/dataset/open-rows.ts';
import { parseDatasetRequest } from '../../src/dataset/request.ts';
import { dayUs, firstUs, frameOf, instant, int64, openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const time = { time: { boundaries: [{ name: 'train', until: '2026-03-02T00:00:00Z' }, { name: 'test' }] } };

describe('createDataset', () => {
  it('writes rows, statistics, vocabularies and a recipe as version 1, and answers it again for the same', async () => {
    const shop = await openDatasetShop();
    const { manifest, created } = await shop.create({ name: 'ranker', labels: ['clicked'] }, userFrame(200));
    expect(created).toBe(true);
    expect(manifest).toMatchObject({ name: 'ranker', version: 1, rows: 200, block_rows: 16_384 });
    expect(manifest.splits).toMatchObject([{ name: 'all', rows: 200, files: [{ path: 'data/all-00000.parquet', rows: 200 }] }]);
    expect(manifest.columns.map(({ name, role }) => [name, role])).toEqual([
      ['user_id', 'key'],
      ['event_timestamp', 'timestamp'],
      ['clicked', 'label'],
      ['age', 'feature'],
      ['score', 'feature'],
      ['city', 'feature'],
    ]);
    const city = manifest.columns[5];
    expect(city).toMatchObject({
      vocabulary: { path: 'vocabulary/city.parquet', rows: 5 },
      statistics: { distinct: 5, distinct_exact: true },
    });
    expect(manifest.columns[3]?.statistics).toMatchObject({ nulls: 0, present: 200, min: '0' });
    expect(manifest.columns[4]?.statistics).toMatchObject({ defaults: 32, null_value: 32 });
    expect(manifest.recipe.sources).toMatchObject([
      { source: 'users', views: ['user'], files: [{ path: 'users/part-0.parquet' }] },
    ]);
    const again = await shop.create({ name: 'ranker', labels: ['clicked'] }, userFrame(200));
    expect(again).toMatchObject({ created: false, manifest: { version: 1, id: manifest.id } });
    const forced = await shop.create({ name: 'ranker', labels: ['clicked'], force_new: true }, userFrame(200));
    expect(forced).toMatchObject({ created: true, manifest: { version: 2, id: manifest.id } });
    expect(forced.manifest.splits).toEqual(manifest.splits);
    const other = await shop.create({ name: 'ranker', labels: ['clicked'], split: time }, userFrame(200));
    expect(other).toMatchObject({ created: true, manifest: { version: 3 } });
    expect(other.manifest.id).not.toBe(manifest.id);
    expect(readdirSync(shop.datasets.directory)).toEqual(['ranker']);
    expect(readdirSync(join(shop.datasets.directory, 'ranker/3')).sort()).toEqual([
      'blocks',
      'data',
      'frame.arrows',
      'manifest.json',
      'vocabulary',
    ]);
  });

  it('splits by time, and names the row that has none', async () => {
    const shop = await openDatasetShop();
    const { manifest } = await shop.create({ name: 'timed', split: time }, userFrame(100));
    expect(manifest.splits.map(({ name, rows }) => [name, rows])).toEqual([
      ['train', 24],
      ['test', 76],
    ]);
    expect(manifest.columns.at(-1)).toMatchObject({ name: '__row', role: 'row' });
    const frame = frameOf([
      [field('user_id', int64), [1n, 2n]],
      [field('event_timestamp', instant), [firstUs + dayUs, null]],
    ]);
    await expect(shop.create({ name: 'timed', split: time }, frame)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('row 1 has no "event_timestamp"'),
    });
    expect(readdirSync(shop.datasets.directory)).toEqual(['timed']);
  });

  it('saves nothing where a gate that must hold is broken, and says so of one that only warns', async () => {
    const shop = await openDatasetShop();
    const expectations = {
      age: { min: 0, max: 300 },
      score: { max_null_rate: 0, on_failure: 'warn' },
      city: { values: ['city 0', 'city 1'], on_failure: 'warn' },
      user_id: { unique: true, on_failure: 'warn' },
    };
    await expect(shop.create({ name: 'gated', expectations }, userFrame(100))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/"age" must be between 0 and 300, and \d+ of 100 rows are not, such as row 30 with 301/),
    });
    expect(readdirSync(shop.datasets.directory)).toEqual([]);
    const { manifest } = await shop.create(
      { name: 'gated', expectations: { ...expectations, age: { max: 1000 } } },
      userFrame(100),
    );
    expect(manifest.gates.map(({ column, expectation, ok, rows, example }) => [column, expectation, ok, rows, example])).toEqual([
      ['age', 'range', true, 0, null],
      ['score', 'null_rate', true, 0, null],
      ['city', 'values', false, 60, { row: 2, value: 'city 2' }],
      ['user_id', 'unique', false, 50, { row: 50, value: '0' }],
    ]);
  });

  it('asks of a feature what its definition expects, unless the request says otherwise', async () => {
    const shop = await openDatasetShop();
    const views = shop.registry.views.map((view) => ({
      ...view,
      features: view.features.map((feature) =>
        feature.name === 'score' ? { ...feature, expect: { min: 1, maxNullRate: 0, onFailure: 'warn' as const } } : feature,
      ),
    }));
    const defined = { ...shop, parts: { ...shop.parts, registry: { ...shop.registry, views } } };
    const request = (name: string, rest = {}) =>
      parseDatasetRequest({ name, features: ['user:score'], full_feature_names: true, upload: 'x', ...rest });
    const create = async (asked: ReturnType<typeof request>) =>
      await createDataset(defined.parts, asked, userFrame(100), new AbortController().signal, () => {});
    const { manifest } = await create(request('defined'));
    expect(manifest.gates.map(({ column, expectation, ok, rows }) => [column, expectation, ok, rows])).toEqual([
      ['user__score', 'range', false, 16],
      ['user__score', 'null_rate', true, 0],
    ]);
    const other = await create(request('defined', { expectations: { user__score: { min: 0 } } }));
    expect(other.manifest.gates).toMatchObject([{ expectation: 'range', ok: true }]);
  });

  it.each([
    [{ labels: ['click'] }, 'labels: the frame has no column "click"; did you mean "clicked"'],
    [{ labels: ['user_id'] }, 'labels: "user_id" is a join key'],
    [{ expectations: { ages: { min: 1 } } }, 'the dataset has no column "ages"'],
    [{ expectations: { city: { min: 1 } } }, 'a range is of numbers and times'],
    [{ expectations: { age: { min: 'young' } } }, '"young" is no value of column "age", which is int32'],
    [{ expectations: { age: {} } }, 'nothing is expected of column "age"'],
    [{ split: { random: { parts: { train: 0.5 } } } }, "the parts' shares are 0.5 together"],
    [{ split: { entity: { keys: ['item'], parts: { a: 1 } } } }, 'the frame has no column "item"'],
    [{ split: {} }, 'say one of `time`, `entity` and `random`'],
    [{ name: 'Ranker' }, 'name: "Ranker" is none'],
  ])('refuses %j', async (request, message) => {
    const shop = await openDatasetShop(5);
    const made = (async () => await shop.create({ name: 'bad', ...request }, userFrame(10)))();
    await expect(made).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) });
    expect(readdirSync(shop.datasets.directory)).toEqual([]);
  });

  it('takes nothing for a column from how its folder is named', async () => {
    const storage = mkdtempSync(join(tmpdir(), 'featherflight-hive-'));
    try {
      const shop = await openDatasetShop(50, join(storage, 'city=nowhere/__row=1/id=1'));
      const { manifest } = await shop.create(
        { name: 'placed', expectations: { city: { values: ['city 0'], on_failure: 'warn' } } },
        userFrame(100),
      );
      expect(manifest.columns.find(({ name }) => name === 'city')?.statistics).toMatchObject({ distinct: 5 });
      expect(manifest.gates).toMatchObject([{ rows: 80, example: { row: 1, value: 'city 1' } }]);
      const city = await readVocabulary(shop.history.engine, await shop.datasets.find('placed'), 'city');
      expect(city).toEqual(['city 0', 'city 1', 'city 2', 'city 3', 'city 4']);
    } finally {
      rmSync(storage, { recursive: true, force: true });
    }
  });

  it('refuses columns of the frame that have a name which is used inside', async () => {
    const shop = await openDatasetShop(5);
    for (const name of ['__row', 'File_Row_Number']) {
      const frame = frameOf([
        [field('user_id', int64), [1n]],
        [field('event_timestamp', instant), [firstUs]],
        [field(name, int64), [9n]],
      ]);
      await expect(shop.create({ name: 'named' }, frame)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(`a dataset cannot hold a column "${name}"`),
      });
    }
    expect(readdirSync(shop.datasets.directory)).toEqual([]);
  });

  it('saves a frame without rows', async () => {
    const shop = await openDatasetShop(5);
    const { manifest } = await shop.create({ name: 'empty', split: { random: { parts: { a: 0.5, b: 0.5 } } } }, userFrame(0));
    expect(manifest).toMatchObject({
      rows: 0,
      splits: [
        { rows: 0, files: [] },
        { rows: 0, files: [] },
      ],
    });
  });

  it('leaves nothing behind when it is stopped', async () => {
    const shop = await openDatasetShop();
    const stopping = new AbortController();
    const frame = userFrame(5000, 50, 100);
    const { batches } = frame;
    const stopped = {
      ...frame,
      async *batches(maxRows: number, signal: AbortSignal) {
        let count = 0;
        for await (const batch of batches(maxRows, signal)) {
          if (count++ === 20) stopping.abort(new Error('enough'));
          yield batch;
        }
      },
    };
    await expect(shop.create({ name: 'stopped' }, stopped, stopping.signal)).rejects.toThrow('enough');
    expect(readdirSync(shop.datasets.directory)).toEqual([]);
  });
});

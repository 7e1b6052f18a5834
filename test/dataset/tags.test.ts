/** Models that were trained on a version, tagged by several at once. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatasets } from '../../src/dataset/datasets.ts';
import { writeTag } from '../../src/dataset/tags.ts';
import { openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const at = '2026-03-01T00:00:00Z';
const tagOf = (model: string, version: string | null = null) => ({ model, version, at, by: null });

async function openShop() {
  const shop = await openDatasetShop(5);
  await shop.create({ name: 'tagged' }, userFrame(10));
  return { ...shop, elsewhere: await openDatasets(join(shop.root, 'storage')) };
}

describe('tags of a dataset', () => {
  it('are all there where many tag and untag at once, here and elsewhere', async () => {
    const { datasets, elsewhere } = await openShop();
    const reference = { name: 'tagged', version: 1 };
    const models = Array.from({ length: 20 }, (_, model) => `model ${model}`);
    for (const model of models) await datasets.tag('tagged', tagOf(model, 'old'));
    await Promise.all([
      ...models.map((model) => datasets.tag('tagged', tagOf(model, '1'))),
      ...models.map((model) => elsewhere.tag('tagged', tagOf(model, '2'))),
      ...models.map((model) => elsewhere.untag('tagged', model, 'old')),
      ...models.map((model) => datasets.tag('tagged', tagOf(model, '2'))),
    ]);
    const found = (await datasets.tags(reference)).map(({ model, version }) => `${model}@${version}`);
    expect(found.toSorted()).toEqual(models.flatMap((model) => [`${model}@1`, `${model}@2`]).toSorted());
  });

  it('stand in the order in which they came, whatever models are called, and go by model or by version', async () => {
    const { datasets } = await openShop();
    const names = ['b/../c', 'a', 'x'.repeat(200), 'ä "quoted"'];
    for (const [day, model] of names.entries())
      await datasets.tag('tagged', { ...tagOf(model), at: `2026-03-0${day + 1}T00:00:00Z` });
    const tags = await datasets.tag('tagged', { ...tagOf('a', '2'), at: '2026-03-09T00:00:00Z' });
    expect(tags.map(({ model }) => model)).toEqual([...names, 'a']);
    expect(await datasets.tag('tagged', { ...tagOf('a'), at: '2026-04-01T00:00:00Z' })).toEqual(tags);
    expect((await datasets.untag('tagged', 'a', '2')).map(({ model }) => model)).toEqual(names);
    expect((await datasets.untag('tagged', 'a')).map(({ model }) => model)).toEqual(names.filter((name) => name !== 'a'));
    await expect(datasets.untag('tagged', 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are named where one is damaged, and the list goes on', async () => {
    const { datasets } = await openShop();
    await datasets.tag('tagged', tagOf('ctr'));
    const { directory } = await datasets.find('tagged');
    const [file] = readdirSync(join(directory, 'tags')) as [string];
    writeFileSync(join(directory, 'tags', file), '{');
    await expect(datasets.tags({ name: 'tagged', version: 1 })).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: `tags/${file} of dataset tagged@1 is damaged; remove it and tag the dataset again`,
    });
    expect(await datasets.survey()).toMatchObject([{ name: 'tagged', tags: [], problem: expect.stringContaining(file) }]);
    await expect(datasets.remove('tagged@1', { by: null, force: false })).rejects.toMatchObject({ code: 'DATA_LOSS' });
    await datasets.remove('tagged@1', { by: null, force: true });
  });

  it('are told that the version is gone, where it is deleted by force meanwhile', async () => {
    const { datasets, elsewhere } = await openShop();
    const tagging = datasets.reading('tagged', async ({ directory }) => {
      await elsewhere.remove('tagged@1', { by: null, force: true });
      return await writeTag(directory, tagOf('ctr'));
    });
    await expect(tagging).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('dataset tagged@1 was deleted at'),
    });
  });
});

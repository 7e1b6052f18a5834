/** What a token for certain views is told of datasets that it may not see. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDraft } from '../../src/dataset/folder.ts';
import type { DatasetManifest } from '../../src/dataset/manifest.ts';
import { everybody, openDatasetActions, readerOf } from '../support/dataset-doors.ts';
import { openDatasetShop, userFrame } from '../support/dataset-shop.ts';

/** `ranker@1` of view `user`, `ranker@2` and `rankers@1` of another one besides. */
async function openShop() {
  const shop = await openDatasetShop(5);
  const { manifest } = await shop.create({ name: 'ranker' }, userFrame(10));
  const { version: _, ...made } = manifest;
  for (const name of ['ranker', 'rankers']) {
    const other: Omit<DatasetManifest, 'version'> = { ...made, name, recipe: { ...made.recipe, views: ['user', 'secret'] } };
    await (await createDraft(shop.datasets.directory)).publish(other);
  }
  return { ...shop, actions: await openDatasetActions(shop) };
}

describe('a token for certain views', () => {
  const some = readerOf('user');

  it('is told of no name and no version that it may not see', async () => {
    const { actions } = await openShop();
    const told = async (reference: string, caller = some) =>
      (await actions.describe(reference, caller).catch((error: { message: string }) => error)) as { message: string };
    expect((await told('rankerss', everybody)).message).toContain('did you mean "rankers"');
    expect((await told('rankerss')).message).toContain('did you mean "ranker"?');
    expect(await told('rankerss')).toMatchObject({ code: 'NOT_FOUND', details: { datasets: ['ranker'] } });
    expect((await told('ranker@9', everybody)).message).toContain('there are ranker@1, ranker@2');
    expect(await told('ranker@9')).toMatchObject({
      message: 'dataset ranker@9 does not exist; there is ranker@1',
      details: { versions: [1] },
    });
    expect(await told('rankers@9')).toMatchObject({ details: { datasets: ['ranker'] } });
    expect(await told('ranker@2')).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('is told when what it might see was deleted, and of nothing else that it went', async () => {
    const { actions } = await openShop();
    for (const gone of ['ranker@1', 'rankers@1']) await actions.remove(gone, false, everybody);
    const told = async (reference: string) => await actions.describe(reference, some).catch((error: Error) => error.message);
    expect(await told('ranker@1')).toMatch(/^dataset ranker@1 was deleted at 2.*; there is no other version$/);
    expect(await told('rankers@1')).toBe('there is no dataset "rankers"');
  });

  it('is told of a version that is damaged no more than of one that it may not see', async () => {
    const { actions, datasets } = await openShop();
    for (const [name, version] of [
      ['rankers', 1],
      ['ranker', 2],
    ] as const)
      writeFileSync(join(datasets.directory, name, String(version), 'manifest.json'), '{"format": 1');
    for (const reference of ['rankers', 'rankers@1', 'ranker@2', 'ranker']) {
      await expect(actions.describe(reference, everybody)).rejects.toMatchObject({ code: 'DATA_LOSS' });
      for (const told of [
        () => actions.describe(reference, some),
        () => actions.vocabulary(reference, 'city', some),
        () => actions.reproduce(reference, some, new AbortController().signal, () => {}),
        () => actions.remove(reference, true, some),
      ])
        await expect(told()).rejects.toMatchObject({
          code: 'PERMISSION_DENIED',
          message: expect.not.stringContaining('manifest'),
          details: { views: ['user'], token: 'user' },
        });
    }
    expect(await actions.describe('ranker@1', some)).toMatchObject({ version: 1 });
  });

  it('lists, reads and deletes nothing of it', async () => {
    const { actions } = await openShop();
    expect((await actions.list('ranker', some)).map(({ name }) => name)).toEqual(['ranker@1']);
    await expect(actions.remove('ranker@2', true, some)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(actions.vocabulary('rankers', 'city', some)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect((await actions.list('ranker', everybody)).map(({ name }) => name)).toEqual(['ranker@1', 'ranker@2']);
  });
});

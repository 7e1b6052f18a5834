/** A version computed once more: bit for bit the same, or what has changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diffDatasets } from '../../src/dataset/diff.ts';
import { type ReproduceParts, reproduceDataset } from '../../src/dataset/reproduce.ts';
import { type DatasetShop, openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const splits = [
  null,
  { random: { parts: { a: 0.5, b: 0.5 }, seed: 3 } },
  { entity: { keys: ['user_id'], parts: { a: 0.9, b: 0.1 } } },
];

async function reproduce(shop: DatasetShop, reference: string, parts: Partial<ReproduceParts> = {}) {
  const { history, registry, datasets } = shop;
  return await reproduceDataset(
    { history, readDocument: () => registry, versions: 'featherflight test', directory: datasets.directory, ...parts },
    await datasets.find(reference),
    new AbortController().signal,
    () => {},
  );
}

describe('reproduceDataset', () => {
  it.each(splits)('gives the very bytes again, split by %j', async (split) => {
    const shop = await openDatasetShop();
    await shop.create({ name: 'again', split, statuses: true, timestamp: 'event_timestamp' }, userFrame(20_000, 50, 777));
    expect(await reproduce(shop, 'again')).toEqual({
      ...{ dataset: 'again@1', same: true, same_identity: true, reasons: [], sources: [], rows: 20_000, columns: [] },
    });
  });

  it('names the file that changed, with the columns and rows that differ for it', async () => {
    const shop = await openDatasetShop();
    const { manifest } = await shop.create({ name: 'moved' }, userFrame(120));
    await shop.rewrite(1);
    const found = await reproduce(shop, 'moved');
    expect(found).toMatchObject({
      ...{ same: false, same_identity: false, columns: [{ column: 'age', rows: 120 }] },
      reasons: ['source "users" is not as it was: changed users/part-0.parquet'],
    });
    const again = await shop.create({ name: 'moved' }, userFrame(120));
    expect(again).toMatchObject({ created: true, manifest: { version: 2 } });
    const diff = diffDatasets(manifest, again.manifest);
    expect(diff).toMatchObject({ same: false, recipe: [], statistics: [{ column: 'age' }] });
    expect(diff.sources).toEqual([{ source: 'users', added: [], removed: [], changed: ['users/part-0.parquet'], erased: false }]);
  });

  it('says that another release, or another version of the definitions, is here', async () => {
    const shop = await openDatasetShop();
    await shop.create({ name: 'aged' }, userFrame(10));
    expect(await reproduce(shop, 'aged', { versions: 'featherflight next' })).toMatchObject({
      ...{ same: true, same_identity: false },
      reasons: ['it was made by featherflight test, and this is featherflight next'],
    });
    expect(await reproduce(shop, 'aged', { readDocument: () => undefined })).toMatchObject({
      ...{ same: false, reasons: ['version 1 of the definitions is not kept here'] },
    });
  });

  it('refuses a frame that is not the one that was saved', async () => {
    const shop = await openDatasetShop();
    await shop.create({ name: 'framed' }, userFrame(10));
    const { directory } = await shop.datasets.find('framed');
    const path = join(directory, 'frame.arrows');
    const bytes = readFileSync(path);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1;
    writeFileSync(path, bytes);
    await expect(reproduce(shop, 'framed')).rejects.toMatchObject({ code: 'DATA_LOSS', details: { path: 'frame.arrows' } });
  });
});

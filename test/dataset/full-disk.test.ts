/** A disk that is full while a dataset is saved: a small one of its own, where this process may mount it. */
import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatasetShop, userFrame } from '../support/dataset-shop.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

const disk = mountSmallDisk(6) ?? '';

describe.skipIf(disk === '')('a full disk (skipped where no disk may be mounted)', () => {
  it('is told with its folder, and nothing of the dataset is left; with room it is saved', async () => {
    const shop = await openDatasetShop(50, disk);
    await shop.create({ name: 'small' }, userFrame(100));
    await expect(shop.create({ name: 'large' }, userFrame(300_000, 50, 65_536))).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining(`the disk under "${join(disk, 'datasets')}" is full, so the dataset was not saved`),
    });
    expect(readdirSync(join(disk, 'datasets'))).toEqual(['small']);
    expect(await shop.create({ name: 'small' }, userFrame(200))).toMatchObject({ created: true, manifest: { version: 2 } });
  });

  it('leaves nothing of a delete that it has no room to announce', async () => {
    const shop = await openDatasetShop(50, disk);
    await shop.create({ name: 'kept' }, userFrame(10));
    const filler = join(disk, 'filler');
    expect(() => {
      for (;;) appendFileSync(filler, Buffer.alloc(4096));
    }).toThrow('ENOSPC');
    await expect(shop.datasets.remove('kept@1', { by: null, force: false })).rejects.toThrow('ENOSPC');
    expect(readdirSync(join(disk, 'datasets/kept'))).toEqual(['1']);
    rmSync(filler);
  });
});

/** A disk that is full while a dataset is saved: a small one of its own, where this process may mount it. */
import { execFileSync } from 'node:child_process';
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

  it('is told to readers and deletes, which have no room to say what they are at, and leaves nothing of them', async () => {
    const shop = await openDatasetShop(50, disk);
    await shop.create({ name: 'kept' }, userFrame(10));
    const filler = join(disk, 'filler');
    expect(() => {
      for (;;) appendFileSync(filler, Buffer.alloc(4096));
    }).toThrow('ENOSPC');
    await expect(shop.datasets.remove('kept@1', { by: null, force: false })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'dataset kept@1 cannot be deleted: whoever does says so in the storage, and it is full; free some space',
    });
    await expect(shop.datasets.open('kept')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'dataset kept@1 cannot be read: whoever does says so in the storage, and it is full; free some space',
    });
    await expect(shop.create({ name: 'other' }, userFrame(10))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await expect.poll(() => readdirSync(join(disk, 'datasets/.readers'))).toEqual([]);
    expect(readdirSync(join(disk, 'datasets')).filter((name) => name.startsWith('.draft-'))).toEqual([]);
    expect(readdirSync(join(disk, 'datasets/kept'))).toEqual(['1']);
    rmSync(filler);
    (await shop.datasets.open('kept')).release();
  });

  it('is told apart from one that may not be written to', async () => {
    const shop = await openDatasetShop(50, disk);
    await shop.create({ name: 'read' }, userFrame(10));
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const opening = shop.datasets.open('read').finally(() => execFileSync('mount', ['-o', 'remount,rw', disk]));
    await expect(opening).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('dataset read@1 cannot be read: '),
    });
  });
});

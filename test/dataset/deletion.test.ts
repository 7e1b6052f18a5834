/** Versions deleted while others begin to read them, tag them, or sweep. */
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatasets } from '../../src/dataset/datasets.ts';
import { announceDeletion } from '../../src/dataset/deletion.ts';
import { readManifest, readTombstone } from '../../src/dataset/folder.ts';
import { describeOwner } from '../../src/dataset/owner.ts';
import { verifyDataset } from '../../src/dataset/verify.ts';
import { openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const tombstone = { id: 'x', views: ['user'], deleted_at: '2026-03-01T00:00:00Z', by: null };
const free = { by: null, force: false };

async function openShop() {
  const shop = await openDatasetShop(5);
  await shop.create({ name: 'held' }, userFrame(10));
  return { ...shop, elsewhere: await openDatasets(join(shop.root, 'storage')) };
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((done) => setTimeout(() => done(false), 200)),
  ]);
}

describe('a deletion that is announced', () => {
  it('keeps whoever begins to read waiting, and its files from being swept; taken back, they are read', async () => {
    const { datasets, elsewhere } = await openShop();
    const deletion = await announceDeletion(datasets.directory, 'held', 1, tombstone);
    const opening = elsewhere.open('held');
    expect(await isSettled(opening)).toBe(false);
    expect((await elsewhere.list()).length).toBe(1);
    await elsewhere.sweep();
    await deletion.withdraw();
    const opened = await opening;
    await verifyDataset(opened);
    opened.release();
    expect(readdirSync(join(datasets.directory, 'held'))).toEqual(['1']);
  });

  it('tells whoever waited that it is gone, once it is done', async () => {
    const { datasets, elsewhere } = await openShop();
    const deletion = await announceDeletion(datasets.directory, 'held', 1, tombstone);
    const opening = elsewhere.open('held');
    const tagging = elsewhere.tag('held', { model: 'ctr', version: '1', at: '2026-03-01T00:00:00Z', by: null });
    const told = Promise.allSettled([opening, tagging]);
    expect(await isSettled(told)).toBe(false);
    await deletion.commit();
    expect(await told).toMatchObject([{ reason: { code: 'NOT_FOUND' } }, { reason: { code: 'NOT_FOUND' } }]);
    await elsewhere.sweep();
    expect(readdirSync(join(datasets.directory, 'held'))).toEqual(['1.deleted']);
  });

  it('is refused for a tag that was written before anybody looked', async () => {
    const { datasets, elsewhere } = await openShop();
    await elsewhere.tag('held', { model: 'ctr', version: null, at: '2026-03-01T00:00:00Z', by: null });
    await expect(datasets.remove('held@1', free)).rejects.toMatchObject({ details: { models: ['model ctr'] } });
    expect((await datasets.find('held')).manifest.version).toBe(1);
  });

  it('by a process that died is nobody’s, and is swept; the version stays', async () => {
    const { datasets } = await openShop();
    const leave = (name: string, owner: object | undefined, ageMs = 0) => {
      const path = join(datasets.directory, 'held', name);
      writeFileSync(path, owner === undefined ? '' : JSON.stringify(owner));
      const at = new Date(Date.now() - ageMs);
      utimesSync(path, at, at);
      return path;
    };
    const dead = leave('1.deleting-dead', { ...describeOwner(), pid: 2 ** 22 + 1 });
    const old = leave('1.deleting-old', { host: 'elsewhere', pid: 1 }, 3_600_000);
    const empty = leave('1.deleting-empty', undefined, 60_000);
    (await datasets.open('held')).release();
    await datasets.sweep();
    expect([dead, old, empty].map(existsSync)).toEqual([false, false, false]);
    await verifyDataset(await datasets.find('held'));
  });

  it('makes no version damaged for whoever reads its manifest while its files go', async () => {
    const { datasets } = await openShop();
    const { directory } = await datasets.find('held');
    const text = readFileSync(join(directory, 'manifest.json'));
    for (let turn = 0; turn < 500; turn++) {
      const reading = readManifest(datasets.directory, 'held', 1);
      for (let wait = 0; wait < turn % 10; wait++) await new Promise(setImmediate);
      writeFileSync(`${directory}.deleted`, JSON.stringify(tombstone));
      rmSync(join(directory, 'manifest.json'));
      expect((await reading)?.version ?? 1).toBe(1);
      writeFileSync(join(directory, 'manifest.json'), text);
      rmSync(`${directory}.deleted`);
    }
  });

  it('is done by one of two that were announced, whose tombstone stays', async () => {
    const { datasets } = await openShop();
    const announce = (by: string) => announceDeletion(datasets.directory, 'held', 1, { ...tombstone, by });
    const [first, second] = [await announce('first'), await announce('second')];
    expect([await second.commit(), await first.commit()]).toEqual([true, false]);
    for (const one of [first, second]) await one.withdraw();
    await datasets.sweep();
    expect(readdirSync(join(datasets.directory, 'held'))).toEqual(['1.deleted']);
    expect((await readTombstone(datasets.directory, 'held', 1))?.by).toBe('second');
  });

  it('is taken back where it is refused, and done once by one of many', async () => {
    const { datasets, elsewhere } = await openShop();
    const reader = await elsewhere.open('held');
    await expect(datasets.remove('held@1', free)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(readdirSync(join(datasets.directory, 'held'))).toEqual(['1']);
    reader.release();
    await expect.poll(() => readdirSync(join(datasets.directory, '.readers'))).toEqual([]);
    const told = await Promise.allSettled(Array.from({ length: 5 }, () => datasets.remove('held@1', free)));
    const refused = told.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
    expect(refused).toEqual(Array(4).fill('NOT_FOUND'));
    expect(readdirSync(join(datasets.directory, 'held'))).toEqual(['1.deleted']);
  });
});

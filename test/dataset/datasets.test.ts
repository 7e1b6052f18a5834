/** Versions in a folder: found, listed, deleted, swept, and told of where one is damaged. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatasets } from '../../src/dataset/datasets.ts';
import { findEntity } from '../../src/dataset/find-entity.ts';
import { createDraft } from '../../src/dataset/folder.ts';
import type { DatasetManifest } from '../../src/dataset/manifest.ts';
import { formatReference } from '../../src/dataset/name.ts';
import { describeOwner } from '../../src/dataset/owner.ts';
import { surveyedRow } from '../../src/dataset/shown.ts';
import type { SurveyedDataset } from '../../src/dataset/survey.ts';
import { verifyDataset } from '../../src/dataset/verify.ts';
import { openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const free = { by: null, force: false };

describe('datasets in a folder', () => {
  it('give each of many at once a number of its own, and none twice', async () => {
    const { datasets, create } = await openDatasetShop(5);
    const made = await create({ name: 'raced' }, userFrame(10));
    const { version: _, ...manifest } = made.manifest;
    const others = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const draft = await createDraft(datasets.directory);
        return (await draft.publish(manifest)).version;
      }),
    );
    expect(others.sort()).toEqual([2, 3, 4, 5, 6, 7]);
    await datasets.remove('raced@7', free);
    const draft = await createDraft(datasets.directory);
    expect((await draft.publish(manifest)).version).toBe(8);
    expect((await datasets.find('raced')).manifest.version).toBe(8);
    expect((await datasets.list('raced')).map((one) => one.version)).toEqual([1, 2, 3, 4, 5, 6, 8]);
  });

  it('are listed by their newest versions, of those that are wanted, and an older one that is damaged hides none', async () => {
    const { datasets, create } = await openDatasetShop(5);
    for (const name of ['b', 'a', 'b', 'b', 'c']) await create({ name, force_new: true }, userFrame(10));
    const newest = async (isWanted = (_?: { name: string; version: number }) => true) =>
      (await datasets.newestOfEach(isWanted)).map(({ name, version }) => `${name}@${version}`);
    expect(await newest()).toEqual(['a@1', 'b@3', 'c@1']);
    expect(await newest((one) => one?.name !== 'c' && one?.version !== 3)).toEqual(['a@1', 'b@2']);
    writeFileSync(join(datasets.directory, 'b/1/manifest.json'), 'nothing');
    expect(await newest()).toEqual(['a@1', 'b@3', 'c@1']);
    await datasets.remove('b@3', free);
    expect(await newest()).toEqual(['a@1', 'b@2', 'c@1']);
  });

  it('name the nearest, the versions that there are, and when one was deleted', async () => {
    const { datasets, create } = await openDatasetShop(5);
    await create({ name: 'ranker' }, userFrame(10));
    await create({ name: 'ranker', force_new: true }, userFrame(10));
    const find = (reference: string) => expect(datasets.find(reference)).rejects;
    await find('rankr').toMatchObject({ code: 'NOT_FOUND', message: 'there is no dataset "rankr"; did you mean "ranker"?' });
    await find('ranker@9').toMatchObject({ message: 'dataset ranker@9 does not exist; there are ranker@1, ranker@2' });
    await find('ranker@x').toMatchObject({ code: 'INVALID_ARGUMENT' });
    await datasets.remove('ranker@2', free);
    await find('ranker@2').toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/^dataset ranker@2 was deleted at 2\d+-.*; there is ranker@1$/),
    });
    await datasets.remove('ranker@1', free);
    await find('ranker@1').toMatchObject({
      message: expect.stringMatching(/^dataset ranker@1 was deleted at 2\d+-.*; there is no other version$/),
      details: { versions: [], deleted_at: expect.any(String) },
    });
    await find('ranker').toMatchObject({ message: 'there is no dataset "ranker"' });
  });

  it('are not deleted while somebody reads them, in this process or another, or a model names them', async () => {
    const { datasets, create, root } = await openDatasetShop(5);
    await create({ name: 'held' }, userFrame(10));
    const elsewhere = await openDatasets(join(root, 'storage'));
    const here = await datasets.open('held');
    const there = await elsewhere.open('held@1');
    expect(await datasets.readers('held@1')).toEqual({ streams: 1, processes: 1 });
    await expect(datasets.remove('held@1', free)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('is being read by 1 stream of this server and 1 other process;'),
    });
    here.release();
    await expect(datasets.remove('held@1', free)).rejects.toMatchObject({ details: { streams: 0, processes: 1 } });
    there.release();
    await expect.poll(() => readdirSync(join(datasets.directory, '.readers'))).toEqual([]);
    expect(await datasets.readers('held@1')).toEqual({ streams: 0, processes: 0 });
    const tag = { model: 'ctr', version: '5', at: '2026-03-01T00:00:00Z', by: null };
    await datasets.tag('held', tag);
    expect(await datasets.tag('held', tag)).toEqual([tag]);
    await expect(datasets.remove('held@1', free)).rejects.toMatchObject({ details: { models: ['model ctr@5'] } });
    await expect(datasets.untag('held', 'ctr', '6')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await datasets.remove('held@1', { by: 'me', force: true });
    await expect(datasets.open('held@1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are swept of drafts and readers whose processes died, and of nobody else’s', async () => {
    const { datasets, create } = await openDatasetShop(5);
    await create({ name: 'kept' }, userFrame(10));
    const alive = await createDraft(datasets.directory);
    const leave = (name: string, owner: object, ageMs = 0) => {
      const path = join(datasets.directory, name);
      mkdirSync(path);
      writeFileSync(join(path, 'owner.json'), JSON.stringify(owner));
      const at = new Date(Date.now() - ageMs);
      utimesSync(join(path, 'owner.json'), at, at);
      return path;
    };
    const dead = leave('.draft-dead', { ...describeOwner(), pid: 2 ** 22 + 1 });
    const other = leave('.draft-other', { host: 'elsewhere', pid: 1 });
    const container = leave('.draft-container', { ...describeOwner(), processes: 'others', pid: 2 ** 22 + 1 });
    const old = leave('.draft-old', { host: 'elsewhere', pid: 1 }, 3_600_000);
    mkdirSync(join(datasets.directory, '.readers'), { recursive: true });
    writeFileSync(join(datasets.directory, '.readers/kept@1.dead.0'), JSON.stringify({ ...describeOwner(), pid: 2 ** 22 + 1 }));
    await datasets.sweep();
    expect([dead, old].map(existsSync)).toEqual([false, false]);
    expect([alive.path, other, container].map(existsSync)).toEqual([true, true, true]);
    expect(readdirSync(join(datasets.directory, '.readers'))).toEqual([]);
    expect((await datasets.list()).map(({ name }) => name)).toEqual(['kept']);
    await alive.discard();
    for (const path of [other, container]) rmSync(path, { recursive: true });
  });

  it('are swept also where something cannot be removed, which is told', async () => {
    const { datasets, create } = await openDatasetShop(5);
    await create({ name: 'stuck' }, userFrame(10));
    await create({ name: 'swept' }, userFrame(10));
    // A folder where a file is expected.
    const stuck = join(datasets.directory, 'stuck', '7.deleting-dead');
    mkdirSync(stuck);
    const swept = join(datasets.directory, 'swept', '1');
    writeFileSync(`${swept}.deleted`, '');
    const old = new Date(Date.now() - 3_600_000);
    utimesSync(stuck, old, old);
    expect(await datasets.sweep()).toMatchObject([{ path: stuck, error: { code: 'ERR_FS_EISDIR' } }]);
    expect(existsSync(swept)).toBe(false);
  });

  it('carry the mark of who writes them until they are versions', async () => {
    const { datasets, create } = await openDatasetShop(5);
    const { version: _, ...manifest } = (await create({ name: 'marked' }, userFrame(10))).manifest;
    writeFileSync(join(datasets.directory, 'taken'), '');
    const draft = await createDraft(datasets.directory);
    await expect(draft.publish({ ...manifest, name: 'taken' })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readdirSync(draft.path)).toEqual(['owner.json']);
    await draft.publish(manifest);
    expect(readdirSync(join(datasets.directory, 'marked/2'))).toEqual(['manifest.json']);
  });

  it('name a file that was changed, cut short or lost', async () => {
    const { datasets, create } = await openDatasetShop(5);
    const { manifest } = await create({ name: 'lossy' }, userFrame(10));
    const dataset = await datasets.find('lossy');
    await verifyDataset(dataset);
    for (const path of filesOf(manifest)) {
      const file = join(dataset.directory, path);
      const bytes = readFileSync(file);
      const refused = async (what: string) =>
        await expect(verifyDataset(dataset)).rejects.toMatchObject({
          code: 'DATA_LOSS',
          message: expect.stringContaining(`dataset lossy@1: "${path}" ${what}`),
        });
      const flipped = Buffer.from(bytes);
      flipped[flipped.length - 3] = (flipped[flipped.length - 3] as number) ^ 1;
      writeFileSync(file, flipped);
      await refused('is not what it was');
      writeFileSync(file, bytes.subarray(1));
      await refused(`has ${bytes.length - 1} bytes, and had ${bytes.length}`);
      rmSync(file);
      await refused('is gone');
      writeFileSync(file, bytes);
    }
    writeFileSync(join(dataset.directory, 'manifest.json'), '{"format": 1');
    await expect(datasets.find('lossy')).rejects.toMatchObject({ code: 'DATA_LOSS' });
    writeFileSync(join(dataset.directory, 'manifest.json'), '{"format": 2}');
    await expect(datasets.find('lossy')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    rmSync(join(dataset.directory, 'manifest.json'));
    await expect(datasets.find('lossy')).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining('is gone'),
    });
  });
});

describe('a damaged version', () => {
  it.each([
    ['cut short', (path: string) => writeFileSync(path, '{"format": 1'), 'is damaged; restore it, or delete this version'],
    ['lost', (path: string) => rmSync(path), 'is gone; restore it, or delete this version'],
    ['of a later release', (path: string) => writeFileSync(path, '{"format": 2}'), 'is of another release'],
    [
      'a folder',
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
      'cannot be read (EISDIR); restore it, or delete this version',
    ],
  ])('whose manifest is %s hides no other, is told as what it is, and is deleted', async (_, damage, problem) => {
    const { datasets, create } = await openDatasetShop(5);
    await create({ name: 'first' }, userFrame(10));
    await create({ name: 'ranker' }, userFrame(10));
    await create({ name: 'ranker', force_new: true }, userFrame(10));
    const { directory } = await datasets.find('ranker@2');
    damage(join(directory, 'manifest.json'));
    const found = await datasets.survey();
    expect(found.map(({ name, version, problem: what }) => [name, version, what === undefined])).toEqual([
      ['first', 1, true],
      ['ranker', 1, true],
      ['ranker', 2, false],
    ]);
    expect(found[2]?.problem).toContain(problem);
    expect(surveyedRow(found[2] as SurveyedDataset)).toMatchObject({ name: 'ranker@2', rows: null, damaged: found[2]?.problem });
    expect((await datasets.list()).map(formatReference)).toEqual(['first@1', 'ranker@1']);
    await expect(datasets.find('ranker')).rejects.toThrow(problem);
    await expect(datasets.open('ranker@2')).rejects.toThrow(problem);
    const keys = [{ joinKey: 'user_id', value: 1n }];
    expect(await findEntity(datasets, keys)).toEqual([
      { dataset: 'first@1', rows: 1 },
      { dataset: 'ranker@1', rows: 1 },
      { dataset: 'ranker@2', rows: null, problem: expect.stringContaining(problem) },
    ]);
    // The next version is a new one: nobody knows whether the damaged one was the same.
    expect(await create({ name: 'ranker' }, userFrame(10))).toMatchObject({ created: true, manifest: { version: 3 } });
    await datasets.remove('ranker@2', free);
    expect((await datasets.survey('ranker')).map(({ version }) => version)).toEqual([1, 3]);
    await expect(datasets.find('ranker@2')).rejects.toMatchObject({ message: expect.stringContaining('was deleted at') });
  });

  it('that has the manifest of another is told as such', async () => {
    const { datasets, create } = await openDatasetShop(5);
    await create({ name: 'ranker' }, userFrame(10));
    await create({ name: 'ranker', force_new: true }, userFrame(10));
    const [one, two] = await Promise.all(['ranker@1', 'ranker@2'].map((reference) => datasets.find(reference)));
    copyFileSync(join(one?.directory as string, 'manifest.json'), join(two?.directory as string, 'manifest.json'));
    await expect(datasets.find('ranker@2')).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining('is that of ranker@1'),
    });
  });

  it('whose rows cannot be read is told to whoever looks for an entity', async () => {
    const { datasets, create } = await openDatasetShop(5);
    await create({ name: 'first' }, userFrame(10));
    const { manifest } = await create({ name: 'second' }, userFrame(10));
    const { directory } = await datasets.find('first');
    rmSync(join(directory, manifest.splits[0]?.files[0]?.path as string));
    expect(await findEntity(datasets, [{ joinKey: 'user_id', value: 1n }])).toEqual([
      { dataset: 'first@1', rows: null, problem: expect.stringMatching(/./) },
      { dataset: 'second@1', rows: 1 },
    ]);
  });

  it('stays deleted where its tombstone is damaged', async () => {
    const { datasets, create } = await openDatasetShop(5);
    await create({ name: 'first' }, userFrame(10));
    await create({ name: 'ranker' }, userFrame(10));
    const { directory } = await datasets.find('ranker');
    await datasets.remove('ranker@1', free);
    writeFileSync(`${directory}.deleted`, '');
    expect((await datasets.list()).map(formatReference)).toEqual(['first@1']);
    expect(await create({ name: 'ranker' }, userFrame(10))).toMatchObject({ manifest: { version: 2 } });
    await expect(datasets.find('ranker@1')).rejects.toMatchObject({ message: expect.stringContaining('was deleted at 2') });
  });
});

function filesOf({ splits, recipe, columns }: DatasetManifest): string[] {
  const vocabularies = columns.flatMap(({ vocabulary }) => (vocabulary === null ? [] : [vocabulary.path]));
  const rows = splits.flatMap(({ files, blocks }) => [...files.map(({ path }) => path), blocks.path]);
  return [...rows, recipe.frame.path, ...vocabularies];
}

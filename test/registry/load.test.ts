import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as featherflight from '../../src/index.ts';
import { language, loadConfig, loadRepository } from '../../src/registry/load.ts';
import type { Problem } from '../../src/registry/problems.ts';
import { makeRepository, writeRepository } from './repository-folder.ts';

const user = `import { entity } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });`;
const view = `import { batchSource, featureView, parquet } from 'featherflight';
import { user } from './user';
export const profiles = batchSource('profile', { table: parquet('p.parquet'), eventTimestamp: 'at' });
export const profile = featureView('profile', { entities: [user], source: profiles, features: { age: { type: 'int32' } } });
export const someNumber: number = 3;`;

const problemsOf = async (root: string): Promise<readonly Problem[]> => {
  const error = await loadRepository(root).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  return (error as { details: { problems: Problem[] } }).details.problems;
};

describe('loadRepository', () => {
  it('finds every exported definition once, wherever it is exported again, and shares it between files', async () => {
    const root = makeRepository({
      'features/user.ts': user,
      'features/deep/view.ts': view.replace('./user', '../user'),
      'features/zz.ts': "export * from './user';",
    });
    const { config, definitions } = await loadRepository(root);
    expect(config.project).toBe('test');
    expect(definitions.map(({ definition, file }) => `${definition.kind} ${definition.name} in ${file}`).sort()).toEqual([
      'batchSource profile in features/deep/view.ts',
      'entity user in features/user.ts',
      'featureView profile in features/deep/view.ts',
    ]);
    const found = definitions.find(({ definition }) => definition.kind === 'featureView')
      ?.definition as featherflight.FeatureView;
    expect(definitions.some(({ definition }) => definition === found.entities[0])).toBe(true);
  });

  it('counts definitions in exported arrays and default exports', async () => {
    const root = makeRepository({
      'features/all.ts': `import { entity } from 'featherflight';
        export const all = ['a', 'b'].map((name) => entity(name, { joinKeys: { id: 'string' } }));
        export default entity('c', { joinKeys: { id: 'string' } });`,
    });
    expect((await loadRepository(root)).definitions.map(({ definition }) => definition.name).sort()).toEqual(['a', 'b', 'c']);
  });

  it.each(['ts', 'mts', 'js', 'mjs'])('reads .%s files as they are at each load', async (extension) => {
    const root = makeRepository({ [`features/user.${extension}`]: user });
    expect((await loadRepository(root)).definitions[0]?.definition.name).toBe('user');
    writeRepository(root, { [`features/user.${extension}`]: user.replace("'user'", "'person'") });
    expect((await loadRepository(root)).definitions[0]?.definition.name).toBe('person');
  });

  it('leaves tests, declarations, hidden folders and node_modules alone', async () => {
    const broken = 'throw new Error();';
    const root = makeRepository({
      'features/user.ts': user,
      'features/user.test.ts': broken,
      'features/types.d.ts': 'export interface X { y: number }',
      'features/.cache/x.ts': broken,
      'features/node_modules/m/index.js': broken,
    });
    expect((await loadRepository(root)).definitions).toHaveLength(1);
  });

  it('gives files the very exports of the package', () => {
    expect(Object.keys(language).sort()).toEqual(Object.keys(featherflight).sort());
    for (const [name, value] of Object.entries(featherflight)) expect(language[name]).toBe(value);
  });

  it('names both files of a name defined twice, and allows a source and a view to share one', async () => {
    const root = makeRepository({ 'features/user.ts': user, 'features/view.ts': view, 'features/other.ts': user });
    expect(await problemsOf(root)).toEqual([
      {
        file: 'features/user.ts',
        message: 'entity "user" is defined in features/other.ts and in features/user.ts; rename one of them',
      },
    ]);
  });

  it('names every file that cannot be loaded, with the reason', async () => {
    const root = makeRepository({
      'features/a.ts': 'export const = 3;',
      'features/b.ts': "throw new Error('no network');",
      'features/c.ts': "import { entty } from 'featherflight'; export const x = entty('x', {});",
      'features/d.ts': "import './missing';",
    });
    const problems = await problemsOf(root);
    expect(problems.map(({ file }) => file)).toEqual(['features/a.ts', 'features/b.ts', 'features/c.ts', 'features/d.ts']);
    expect(problems[1]?.message).toBe('cannot be loaded: no network');
    expect(problems[2]?.message).toContain('entty');
    expect(problems[3]?.message).toContain('missing');
  });

  it('says when there is no repository, or no folder of definitions', async () => {
    const root = makeRepository({});
    rmSync(join(root, 'features'), { recursive: true });
    await expect(loadRepository(root)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('"features"'),
    });
    rmSync(join(root, 'featherflight.config.ts'));
    await expect(loadRepository(root)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('featherflight init'),
    });
  });
});

describe('loadConfig', () => {
  it('reads the config alone, under the environment', async () => {
    const root = makeRepository({ 'features/broken.ts': 'export const = 3;' });
    expect((await loadConfig(root, { FEATHERFLIGHT_PROJECT: 'other' })).project).toBe('other');
  });

  it('names the file when it cannot be loaded', async () => {
    const root = makeRepository({ 'featherflight.config.ts': 'export default {' });
    await expect(loadConfig(root)).rejects.toThrow('featherflight.config.ts: cannot be loaded');
  });

  it('refuses a config that exports nothing', async () => {
    const root = makeRepository({ 'featherflight.config.ts': 'export const x = 3;' });
    await expect(loadConfig(root)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

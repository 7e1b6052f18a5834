/** Rule 7.4: a transform is bundled with all that it imports, the same wherever the repository stands. */
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { openBundler } from '../../../src/registry/bundle/bundle-transform.ts';
import { makeRepository } from '../repository-folder.ts';

const clock = `
import { batchSource, entity, featureService, featureView, onDemandFeatureView, parquet } from 'featherflight';
import { hourOf } from '../shared/hours.ts';

const user = entity('user', { joinKeys: { user_id: 'int64' }, description: 'A DESCRIPTION' });
const source = batchSource('users', { table: parquet(process.env.USERS ?? 'x'), eventTimestamp: 'at' });
export const profile = featureView('profile', { entities: [user], source, ttl: '30d', features: { age: { type: 'int32' } } });
const step: number = 2;
export const clock = onDemandFeatureView('clock', {
  inputs: [profile.select('age')], features: { hour: 'int32' }, description: 'A DESCRIPTION',
  transform: ({ now, features }) => ({ hour: hourOf(now.epochMicros) * step + features.profile.age }),
});
export const other = onDemandFeatureView('other', { features: { one: 'int32' }, transform() { return { one: 1 }; } });
export const ranker = featureService('ranker', { features: [profile, clock.as('home')] });
`;
const hours = `
import sizes from './big.json';
export function hourOf(us: bigint): number { return Number(us / BigInt(sizes.big)); }
export function unused(): string { return 'NOT USED'; }
`;
const files = { 'features/clock.ts': clock, 'shared/hours.ts': hours, 'shared/big.json': '{ "big": "3600000000" }' };

async function bundle(files: Readonly<Record<string, string>>, name = 'clock', file = 'features/clock.ts') {
  return await bundleAt(makeRepository(files), name, file);
}

async function bundleAt(root: string, name = 'clock', file = 'features/clock.ts') {
  const bundler = openBundler(root);
  try {
    return await bundler.bundle(file, name);
  } finally {
    await bundler.close();
  }
}

function load(text: string): Record<string, (row: unknown) => unknown> {
  return runInNewContext(`${text}\nfeatherflight.transforms`) as Record<string, (row: unknown) => unknown>;
}

describe('a bundle', () => {
  it('is one script that hands out the one transform, with what it imports', async () => {
    const { bundle: text, hash } = await bundle(files);
    const transforms = load(text);
    expect(Object.keys(transforms)).toEqual(['clock']);
    const row = { now: { epochMicros: 7_200_000_000n }, features: { profile: { age: 3 } } };
    expect({ ...(transforms.clock?.(row) as object) }).toEqual({ hour: 7 });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps the form of a method', async () => {
    const { bundle: text } = await bundle(files, 'other');
    expect({ ...(load(text).other?.({}) as object) }).toEqual({ one: 1 });
  });

  it('holds nothing of the other definitions, and so changes only with the transform', async () => {
    const before = await bundle(files);
    expect(before.bundle).not.toMatch(/DESCRIPTION|NOT USED|process|user_id|30d/);
    const after = await bundle({
      ...files,
      'features/clock.ts': clock
        .replace("ttl: '30d'", "ttl: '7d'")
        .replaceAll('A DESCRIPTION', 'another')
        .replace('one: 1', 'one: 2'),
      'shared/hours.ts': hours.replace('NOT USED', 'still not'),
    });
    expect(after.hash).toBe(before.hash);
    for (const changed of [
      { ...files, 'features/clock.ts': clock.replace('step: number = 2', 'step: number = 3') },
      { ...files, 'shared/hours.ts': hours.replace('us / BigInt', 'us % BigInt') },
      { ...files, 'shared/big.json': '{ "big": "60000000" }' },
    ])
      expect((await bundle(changed)).hash).not.toBe(before.hash);
  });

  it('is the same wherever the repository stands', async () => {
    const root = makeRepository(files);
    const before = await bundleAt(root);
    const link = `${root}-link`;
    symlinkSync(root, link);
    expect(await bundleAt(link)).toEqual(before);
    mkdirSync(`${root}-deep/er`, { recursive: true });
    renameSync(root, join(`${root}-deep/er`, 'moved'));
    expect(await bundleAt(join(`${root}-deep/er`, 'moved'))).toEqual(before);
  });

  it('of a view that a function makes works without being stripped', async () => {
    const text = `
      import { entity, onDemandFeatureView } from 'featherflight';
      const make = (name: string, by: number) => {
        const entity = (value: number) => value * 2;
        return onDemandFeatureView(name, { features: { n: 'int32' }, transform: () => ({ n: entity(by) }) });
      };
      export const both = [make('one', 1), make('two', 2)];
      export const e = entity('e', { joinKeys: { id: 'int64' } });
    `;
    const { bundle: script } = await bundle({ 'features/clock.ts': text }, 'two');
    expect({ ...(load(script).two?.({}) as object) }).toEqual({ n: 4 });
  });
});

describe('what cannot be bundled is refused by name', () => {
  it.each([
    [
      "import { readFileSync } from 'node:fs';\nconst used = readFileSync;",
      /features\/clock\.ts:\d+: "node:fs" is imported: a transform is pure/,
    ],
    ["import os from 'os';\nconst used = os;", /"os" is imported/],
    ["import { x } from './missing.ts';\nconst used = x;", /Could not resolve ".\/missing.ts"/],
    ["import { inventd } from 'featherflight';\nconst used = inventd;", /inventd/],
  ])('%s', async (line, message) => {
    const text = clock.replace('const step: number = 2', `${line}\nconst step: number = String(used).length`);
    await expect(bundle({ ...files, 'features/clock.ts': text })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });

  it('also deep in what it imports', async () => {
    const text = hours.replace('import', "import 'node:child_process';\nimport");
    await expect(bundle({ ...files, 'shared/hours.ts': text })).rejects.toMatchObject({
      message: expect.stringMatching(/shared\/hours\.ts:2: "node:child_process"/),
    });
  });
});

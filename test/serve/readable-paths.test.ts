import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveReadable } from '../../src/serve/readable-paths.ts';

describe('paths that clients name', () => {
  let root: string;
  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'featherflight-paths-')));
    await mkdir(join(root, 'data'));
    await mkdir(join(root, 'database'));
    await writeFile(join(root, 'data', 'frame.parquet'), '');
    await writeFile(join(root, 'database', 'secret.parquet'), '');
    await symlink(join(root, 'database', 'secret.parquet'), join(root, 'data', 'link.parquet'));
    await symlink(join(root, 'data'), join(root, 'alias'));
  });
  const ask = (path: string, readable = [join(root, 'data')]) => resolveReadable(path, root, readable);

  it('are read inside the readable folders, also through a readable link', async () => {
    expect(await ask('data/frame.parquet')).toBe(join(root, 'data', 'frame.parquet'));
    expect(await ask(join(root, 'data', 'frame.parquet'))).toBe(join(root, 'data', 'frame.parquet'));
    expect(await ask('alias/frame.parquet', [join(root, 'alias')])).toBe(join(root, 'data', 'frame.parquet'));
  });

  it.each([
    ['outside', 'database/secret.parquet'],
    ['outside by dots', 'data/../database/secret.parquet'],
    ['outside by a link', 'data/link.parquet'],
    ['outside though it does not exist', '/etc/nothing'],
    ['in a folder whose name only begins alike', 'database'],
  ])('are denied %s', async (_, path) => {
    await expect(ask(path)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('are denied when nothing is readable, not found when missing, refused as patterns', async () => {
    await expect(ask('data/frame.parquet', [])).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(ask('data/missing.parquet')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask('data/*.parquet')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

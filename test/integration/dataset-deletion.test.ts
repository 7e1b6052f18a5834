/** Versions that several processes read, delete and sweep at once: whoever reads one has its files to the end. */
import { spawn } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createDraft } from '../../src/dataset/folder.ts';
import { verifyDataset } from '../../src/dataset/verify.ts';
import { openDatasetShop, userFrame } from '../support/dataset-shop.ts';

interface Told {
  readonly read?: number;
  readonly deleted?: number;
  readonly refused?: number;
  readonly failed?: number;
  readonly why?: string;
}

const script = fileURLToPath(new URL('dataset-apart.mjs', import.meta.url));
const versions = 30;

it('readers, deletes and sweeps of several processes never meet in one version', async () => {
  const { datasets, create, root } = await openDatasetShop(50);
  const { manifest } = await create({ name: 'raced' }, userFrame(2_000));
  const { version: _, ...made } = manifest;
  const first = join(datasets.directory, 'raced/1');
  for (let version = 2; version <= versions; version++) {
    const draft = await createDraft(datasets.directory);
    for (const folder of ['data', 'blocks', 'vocabulary', 'frame.arrows'])
      cpSync(join(first, folder), join(draft.path, folder), { recursive: true });
    await draft.publish(made);
  }
  const start = (role: string) => {
    const child = spawn(process.execPath, [script, join(root, 'storage'), role], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const told = (): Told[] =>
      said
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Told);
    return { told, ended };
  };
  const held = await datasets.open('raced@1');
  const readers = ['read', 'read', 'read'].map(start);
  await expect
    .poll(() => readers.every(({ told }) => told().some(({ read }) => read !== undefined)), { timeout: 120_000 })
    .toBe(true);
  const others = ['delete', 'delete', 'sweep'].map(start);
  const all = [...readers, ...others];
  const standing = () => readdirSync(join(datasets.directory, 'raced')).filter((name) => !name.endsWith('.deleted'));
  await expect.poll(standing, { timeout: 240_000 }).toEqual(['1']);
  await expect
    .poll(() => others.flatMap(({ told }) => told()).some(({ refused }) => refused === 1), { timeout: 120_000 })
    .toBe(true);
  await verifyDataset(held);
  held.release();
  expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(all.map(() => 0));
  expect(all.flatMap(({ told }) => told()).filter(({ failed }) => failed !== undefined)).toEqual([]);
  const deleted = others.flatMap(({ told }) => told()).flatMap((one) => one.deleted ?? []);
  expect([...new Set(deleted)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: versions }, (_, at) => at + 1));
  expect(standing()).toEqual([]);
}, 600_000);

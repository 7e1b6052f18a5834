/** A folder that several processes push to and merge at the same time, as servers that share their storage do. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { listArchive } from '../../../src/offline/archive/manifest.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';

const script = fileURLToPath(new URL('../push-apart.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'featherflight-shared-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const source: SourceDocument = {
  name: 'numbers',
  kind: 'batch',
  table: { format: 'parquet', paths: ['data/*.parquet'], hivePartitioning: false, options: {} },
  eventTimestamp: 'at',
  push: true,
  columns: [
    { name: 'id', type: 'BIGINT' },
    { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
  ],
  tags: {},
  file: 'features/numbers.ts',
};

/** Pushes until it is killed; gives the numbers that it was told are kept. */
function startPushing(from: number): { readonly first: Promise<void>; kill(): Promise<number[]> } {
  const args = [script, directory, String(from), JSON.stringify(source)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const first = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  return {
    first,
    async kill() {
      child.kill('SIGKILL');
      await ended;
      return said.split('\n').slice(0, -1).map(Number);
    },
  };
}

test('keeps every row once, whoever merges it and whoever is killed meanwhile', async () => {
  const kept: number[] = [];
  let from = 0;
  const start = () => {
    from += 100_000;
    return startPushing(from);
  };
  const pushing = [start(), start(), start()];
  await Promise.all(pushing.map(({ first }) => first));
  for (let kills = 0; kills < 6; kills++) {
    await sleep(Math.random() * 300);
    const next = start();
    kept.push(...(await (pushing.shift() as (typeof pushing)[number]).kill()));
    await next.first;
    pushing.push(next);
  }
  for (const one of pushing) kept.push(...(await one.kill()));
  expect(kept.length).toBeGreaterThan(60);
  const counts = await countIds();
  expect(kept.filter((id) => counts.get(id) !== 2)).toEqual([]);
  expect([...counts.values()].filter((count) => count !== 2)).toEqual([]);
}, 120_000);

async function countIds(): Promise<Map<number, number>> {
  const folder = join(directory, 'numbers');
  const files = (await listArchive(folder)).names.map((name) => `'${join(folder, name)}'`);
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    const sql = `select id, count(*) from read_parquet([${files.join(', ')}]) group by id`;
    return new Map((await connection.runAndReadAll(sql)).getRows().map(([id, count]) => [Number(id), Number(count)]));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

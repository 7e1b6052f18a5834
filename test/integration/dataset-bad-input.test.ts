/** What is wrong with a dataset, or with what is asked of one, at the doors of a real server. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { call, post } from '../support/http-client.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore, writeTables } from './make-store.ts';

const disk = mountSmallDisk(24) ?? '';

describe('storage that is no directory', () => {
  it.each(['s3://bucket/featherflight', 'gs://bucket'])('%s is refused, and told what is possible', async (storage) => {
    const directory = await makeStore();
    const environment = { FEATHERFLIGHT_STORAGE: storage };
    const words =
      '"storage" is a URL, and only a path is possible: of this machine, or of a file system that every server mounts';
    const refused = await runCommand(['-C', directory, 'dataset', 'list'], { environment });
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(words) });
    await expect(startServer(directory, { environment })).rejects.toThrow(words);
  });
});

describe.skipIf(disk === '')('a full disk (skipped where no disk may be mounted)', () => {
  let directory: string;
  let server: ServerProcess;
  const environment = { FEATHERFLIGHT_STORAGE: disk };

  beforeAll(async () => {
    directory = await makeStore();
    const rows = (count: number) =>
      `select (i % 1000)::bigint as user_id, timestamptz '2026-03-03' as event_timestamp, hash(i) as noise from range(0, ${count}) as r(i)`;
    await writeTables(directory, [
      ['frames/large.parquet', rows(1_500_000)],
      ['frames/small.parquet', rows(1000)],
    ]);
    server = await startServer(directory, { environment });
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('is told with its folder by HTTP and by a command, leaves nothing, and with room the dataset is saved', async () => {
    const asked = (path: string) => ({ name: 'full', features: ['user_profile:age'], path });
    const refused = await post(`${server.http}/api/v1/datasets`, asked('frames/large.parquet'));
    const words = `the disk under "${join(disk, 'datasets')}" is full, so the dataset was not saved, and nothing is left of it`;
    expect(refused.json()).toMatchObject({ error: { code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining(words) } });
    const args = ['dataset', 'create', 'full', '--entities', 'frames/large.parquet', '--features', 'user_profile:age'];
    const there = { environment: { FEATHERFLIGHT_URL: server.url } };
    const here = await runCommand(['-C', directory, ...args], { environment });
    expect(here).toMatchObject({ status: 1, stderr: expect.stringContaining(words) });
    expect(readdirSync(join(disk, 'datasets')).filter((name) => !name.startsWith('.readers'))).toEqual([]);
    expect((await call(`${server.http}/api/v1/datasets`)).json()).toMatchObject({ rows: [] });
    expect((await post(`${server.http}/api/v1/datasets`, asked('frames/small.parquet'))).status).toBe(200);
    expect((await runCommand(['-C', directory, 'dataset', 'list'], there)).stdout).toContain('full@1');
  });
});

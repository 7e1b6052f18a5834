/** Scans of many events: in order, beyond memory, and never short of their end. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { History } from '../../../src/offline/history.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';
import { openTestHistory } from '../../support/answer-with-engine.ts';
import { activity, clicks } from './clicks.ts';

const events = 1_500_000;
let root: string;
let history: History;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'scan-events-'));
  await write('part-0');
  const engine = { threads: 2, memory: '100MB', spillDirectory: join(root, '.spill'), spillLimit: '1GB' };
  history = await openTestHistory(root, { engine });
}, 60_000);
afterAll(async () => {
  await history?.close();
  rmSync(root, { recursive: true, force: true });
});

async function write(file: string): Promise<void> {
  mkdirSync(join(root, 'data'), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run("set timezone = 'UTC'");
  const columns = [
    'make_timestamptz(cast(hash(i + 1) % 1000000 as bigint)) as "at"',
    'cast(hash(i) % 10000 as bigint) as user_id',
    "'view' as kind",
    'i as n',
    'i / 3 as x',
    'i as id',
  ];
  const typed = `select ${columns.join(', ')} from range(${events}) r(i)`;
  await connection.run(`copy (${typed}) to '${join(root, 'data', `${file}.parquet`)}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}

const { tables: _, ...rest } = clicks;
const source: SourceDocument = {
  ...rest,
  table: { format: 'parquet', paths: ['data/*.parquet'], hivePartitioning: false, options: {} },
};

test('all events come in the order of key and time, with less memory than they take', async () => {
  let count = 0;
  let sum = 0n;
  let last: readonly [bigint, bigint] = [-1n, -1n];
  let ordered = true;
  for await (const chunk of history.scanEvents(activity, source, {}, new AbortController().signal)) {
    const [keys] = chunk.keys as [readonly bigint[]];
    const [values] = chunk.values as readonly [readonly bigint[]];
    expect(chunk.count).toBeLessThanOrEqual(65_536);
    for (let row = 0; row < chunk.count; row++) {
      const [key, time] = [keys[row] as bigint, chunk.timesUs[row] as bigint];
      ordered &&= key > last[0] || (key === last[0] && time >= last[1]);
      last = [key, time];
      sum += values[row] as bigint;
    }
    count += chunk.count;
  }
  expect({ count, sum, ordered }).toEqual({ count: events, sum: (BigInt(events) * BigInt(events - 1)) / 2n, ordered: true });
}, 60_000);

test('a scan that is aborted rejects, and one whose table changes meanwhile says so at its end', async () => {
  const controller = new AbortController();
  const aborted = async () => {
    for await (const _chunk of history.scanEvents(activity, source, {}, controller.signal)) controller.abort(new Error('enough'));
  };
  await expect(aborted()).rejects.toThrow('enough');
  let seen = 0;
  const changed = async () => {
    for await (const { count } of history.scanEvents(activity, source, {}, new AbortController().signal)) {
      if (seen === 0) await write('part-1');
      seen += count;
    }
  };
  await expect(changed()).rejects.toMatchObject({
    code: 'ABORTED',
    message: expect.stringMatching(/source "clicks" changed while it was read/),
  });
  expect(seen).toBe(events);
}, 60_000);

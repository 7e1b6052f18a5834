/** What projections are built of: buckets by measured bytes, years that occur, and times that cannot be read. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { field } from '../../../src/arrow/schema.ts';
import type { ValueType } from '../../../src/definitions/value-type.ts';
import { openEngine } from '../../../src/offline/duckdb/engine.ts';
import { readColumns } from '../../../src/offline/duckdb/read-columns.ts';
import type { History } from '../../../src/offline/history.ts';
import { openBuckets } from '../../../src/offline/projection/bucket-file.ts';
import { columnBytes } from '../../../src/offline/projection/held-columns.ts';
import { answerWithEngine, openTestHistory } from '../../support/answer-with-engine.ts';
import type { Scenario, ScenarioSource } from '../../support/scenario.ts';
import { registryOf, sourceDocument, viewDocument } from '../../support/scenario-registry.ts';
import { pythonPath } from '../../support/start-python.ts';

const bucketBytes = 1024 * 1024;
let root: string;
let history: History;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'build-'));
  history = await openTestHistory(root, { bucketBytes });
});
afterEach(async () => {
  await history.close();
  rmSync(root, { recursive: true, force: true });
});

async function copyRows(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`copy (${sql}) to '${join(root, 'rows.parquet')}' (format parquet, compression zstd)`);
  connection.closeSync();
  instance.closeSync();
}

async function answer(type: ValueType, source: Partial<ScenarioSource> = {}): Promise<unknown> {
  const rows: ScenarioSource = { name: 'rows', columns: [], event: 'at', rows: [], format: 'parquet', files: 1, ...source };
  const scenario: Scenario = {
    views: [
      {
        name: 'view',
        source: rows,
        keys: [{ name: 'item', type: 'int64', column: 'item' }],
        features: [{ name: 'value', column: 'value', type }],
      },
    ],
    frame: {
      rows: 1,
      columns: [
        { field: field('item', { id: 'int', bits: 64, signed: true }), values: [7n] },
        { field: field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' }), values: [10n ** 15n] },
      ],
      batchRows: 10,
    },
    features: [{ view: 'view', feature: 'value' }],
  };
  const table = { format: 'parquet', paths: ['rows.parquet'], hivePartitioning: false, options: {} } as const;
  const document = sourceDocument(rows, table, await history.describeTable(table, 'rows'));
  const [view] = scenario.views;
  if (view === undefined) return undefined;
  const answered = await answerWithEngine(history, registryOf([document], [viewDocument(view, document)]), scenario);
  return answered.columns[0]?.values[0];
}

function bucketSizes(): number[] {
  const [name] = readdirSync(join(root, '.projections')).filter((entry) => entry.startsWith('view-'));
  const folder = join(root, '.projections', name as string);
  const { buckets } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { buckets: { bytes: number }[] };
  return buckets.map((bucket) => bucket.bytes);
}

describe('buckets', () => {
  const words = { kind: 'list', element: { kind: 'string' } } as const;
  test.each([
    ['text that compresses to nothing', `repeat('x', 500)`, { kind: 'string' }],
    ['embeddings', `array_value(${Array(64).fill('1.5::float').join(', ')})`, { kind: 'vector', element: 'float32', length: 64 }],
    ['lists of numbers', 'list_transform(range(64), e -> e)', { kind: 'list', element: { kind: 'int64' } }],
    ['lists of text', `list_transform(range(8), e -> repeat('y', 60))`, words],
  ] as const)('of %s stay near the size they should have', async (_, value, type) => {
    await copyRows(`select i % 3000 as item, make_timestamptz(i) as at, ${value} as value from range(12000) r(i)`);
    expect(statSync(join(root, 'rows.parquet')).size).toBeLessThan(bucketBytes);
    await answer(type);
    const sizes = bucketSizes();
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThan(2 * bucketBytes);
  });

  test('whose files cannot all be opened leave none open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const schema = { fields: [field('event', { id: 'int', bits: 64, signed: true })], metadata: new Map() };
    mkdirSync(join(root, '3.arrows'));
    await expect(openBuckets(root, 8, schema)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

test('parts are cut by the bytes that they hold, however unequal rows are', async () => {
  const engine = await openEngine({ threads: 1, memory: '1GB', spillDirectory: join(root, '.own'), spillLimit: '1GB' });
  await engine.session(undefined, async (session) => {
    const sql = `select repeat('x', case when i < 20000 then 1 else 500 end) as t, [i, i] as l from range(60000) r(i)`;
    const fields = (await session.describe(sql)).map(({ name }) =>
      name === 't'
        ? field(name, { id: 'utf8' })
        : field(name, { id: 'list' }, [field('item', { id: 'int', bits: 64, signed: true })]),
    );
    const sizes: number[] = [];
    let rows = 0;
    for await (const columns of readColumns(session, sql, fields, 1_000_000, 4_000_000)) {
      sizes.push(columns.reduce((sum, column) => sum + columnBytes(column), 0));
      rows += columns[0]?.length ?? 0;
    }
    expect(rows).toBe(60_000);
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThan(4_000_000 + 2048 * 530);
  });
  engine.close();
});

describe('1.2: zones', () => {
  test('a far date among times without a zone costs nothing, and is the instant of its year', async () => {
    await copyRows(`select * from (values (7, timestamp '2000-07-01 12:00:00', timestamp '9999-12-31 00:00:00'),
      (8, timestamp '1850-01-01 00:00:00', timestamp '294000-07-01 00:00:00')) t(item, "at", value)`);
    const started = performance.now();
    const value = await answer({ kind: 'timestamp' }, { timezone: 'America/New_York' });
    expect(value).toBe(BigInt(Date.parse('9999-12-31T05:00:00Z')) * 1000n);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});

describe('1.1: Parquet times in nanoseconds with a zone', () => {
  const write = (value: string) =>
    execFileSync(pythonPath, [
      '-c',
      `import pyarrow as pa, pyarrow.parquet as pq
at = pa.array([${value}, 5_000], pa.timestamp('ns', 'UTC'))
pq.write_table(pa.table({'item': [7, 8], 'at': at, 'value': [1, 2]}), ${JSON.stringify(join(root, 'rows.parquet'))})`,
    ]);

  test('are refused by name before 1970, where DuckDB does not floor them', async () => {
    write('-1_001');
    await expect(answer({ kind: 'int64' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/source "rows": column "at".*microseconds/),
    });
  });

  test('are read from 1970 on', async () => {
    write('1_999');
    expect(await answer({ kind: 'int64' })).toBe(1n);
  });
});

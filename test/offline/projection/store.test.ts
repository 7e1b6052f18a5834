/** Projections by source state: built once, found again, rebuilt when files change, and never wrong when files go bad. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { field } from '../../../src/arrow/schema.ts';
import { type Logger, silentLogger } from '../../../src/observe.ts';
import { answerFrame, createReport } from '../../../src/offline/answer/answer.ts';
import type { History } from '../../../src/offline/history.ts';
import { planRetrieval, type RetrievalPlan } from '../../../src/offline/plan.ts';
import { parseHistoricalRequest } from '../../../src/offline/request.ts';
import type { RegistryDocument } from '../../../src/registry/document.ts';
import { answerWithEngine, type EngineAnswer, openTestHistory } from '../../support/answer-with-engine.ts';
import { frameBatches, frameSchema } from '../../support/frame-batches.ts';
import type { Scenario, ScenarioSource, ScenarioView } from '../../support/scenario.ts';
import { registryOf, sourceDocument, viewDocument } from '../../support/scenario-registry.ts';

let root: string;
let history: History;
let built: number;
const logger: Logger = {
  ...silentLogger,
  info(_, message) {
    if (message === 'source read and sorted') built++;
  },
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'projections-'));
  built = 0;
  history = await openTestHistory(root, { logger });
});
afterEach(async () => {
  await history.close();
  rmSync(root, { recursive: true, force: true });
});

const source: ScenarioSource = {
  name: 'prices',
  columns: [],
  event: 'at',
  rows: [],
  format: 'parquet',
  files: 1,
};
const view: ScenarioView = {
  name: 'price',
  source,
  keys: [{ name: 'item', type: 'int64', column: 'item' }],
  features: [{ name: 'cents', column: 'cents', type: { kind: 'int64' } }],
};
const scenario: Scenario = {
  views: [view],
  frame: {
    rows: 2,
    columns: [
      { field: field('item', { id: 'int', bits: 64, signed: true }), values: [1n, 2n] },
      { field: field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' }), values: [10n ** 12n, 10n ** 12n] },
    ],
    batchRows: 100,
  },
  features: [{ view: 'price', feature: 'cents' }],
};

/** Rows `1` and `2` of the file have this many cents. */
function writePrices(cents: number, file = 'prices.parquet'): Promise<void> {
  return writeRows(`select i as item, make_timestamptz(i) as at, ${cents} + i as cents from range(1, 3) r(i)`, file);
}

async function writeRows(sql: string, file = 'prices.parquet'): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`copy (${sql}) to '${join(root, file)}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}

async function apply(paths = ['prices*.parquet']): Promise<RegistryDocument> {
  const table = { format: 'parquet', paths, hivePartitioning: false, options: {} } as const;
  const document = sourceDocument(source, table, await history.describeTable(table, source.name));
  return registryOf([document], [viewDocument(view, document)]);
}

async function valuesOf(registry: RegistryDocument): Promise<readonly unknown[]> {
  const answer: EngineAnswer = await answerWithEngine(history, registry, scenario);
  return answer.columns[0]?.values as readonly unknown[];
}

function planOf(registry: RegistryDocument): RetrievalPlan {
  const request = parseHistoricalRequest({ type: 'get_historical_features', features: ['price:cents'] });
  return planRetrieval(registry, request, frameSchema(scenario), 0n);
}

const projections = () => readdirSync(join(root, '.projections')).filter((name) => name.startsWith('price-'));

describe('over unchanged files', () => {
  test('a source is read once, however many ask at once and afterwards', async () => {
    await writePrices(100);
    const registry = await apply();
    const answers = await Promise.all([1, 2, 3, 4].map(() => valuesOf(registry)));
    expect(answers).toEqual([1, 2, 3, 4].map(() => [101n, 102n]));
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
    expect([built, projections().length]).toEqual([1, 1]);
  });

  test('it is not read again after a restart', async () => {
    await writePrices(100);
    const registry = await apply();
    await valuesOf(registry);
    await history.close();
    history = await openTestHistory(root, { logger });
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
    expect(built).toBe(1);
  });
});

describe('over changed files', () => {
  test('a rewritten, an added and a removed file each give a new projection, and the old one goes', async () => {
    await writePrices(100);
    const registry = await apply();
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
    await writePrices(200);
    expect(await valuesOf(registry)).toEqual([201n, 202n]);
    await writeRows(`select 1::bigint as item, make_timestamptz(500) as at, 7::bigint as cents`, 'prices-2.parquet');
    expect(await valuesOf(registry)).toEqual([7n, 202n]);
    rmSync(join(root, 'prices-2.parquet'));
    expect(await valuesOf(registry)).toEqual([201n, 202n]);
    expect(projections()).toHaveLength(1);
  });

  test('a plan that was prepared before answers from the state it saw', async () => {
    await writePrices(100);
    const registry = await apply();
    const plan = planOf(registry);
    const prepared = await history.prepare(plan, new AbortController().signal);
    await writePrices(200);
    expect(await valuesOf(registry)).toEqual([201n, 202n]);
    const schema = {
      fields: [...frameSchema(scenario).fields, field('cents', { id: 'int', bits: 64, signed: true })],
      metadata: new Map(),
    };
    const values: bigint[] = [];
    for await (const { answer } of answerFrame(prepared, schema, frameBatches(scenario), createReport(plan))) {
      const bytes = answer.columns[2]?.buffers[0] as Uint8Array;
      values.push(...new BigInt64Array(bytes.slice().buffer));
    }
    expect(values).toEqual([101n, 102n]);
    expect(projections()).toHaveLength(2);
    prepared.release();
    prepared.release();
    await writePrices(300);
    expect(await valuesOf(registry)).toEqual([301n, 302n]);
    expect(projections()).toHaveLength(1);
  });

  test('a file that vanished, was cut or is no Parquet is named, and the next request works', async () => {
    await writePrices(100);
    const registry = await apply(['prices.parquet']);
    const file = join(root, 'prices.parquet');
    const whole = readFileSync(file);
    rmSync(file);
    await expect(valuesOf(registry)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/prices.*prices\.parquet/),
    });
    writeFileSync(file, whole);
    truncateSync(file, whole.length - 20);
    await expect(valuesOf(registry)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('prices.parquet'),
    });
    writeFileSync(file, 'item,at,cents\n');
    await expect(valuesOf(registry)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('prices.parquet'),
    });
    writeFileSync(file, whole);
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
  });

  test('damage inside of a file whose footer is whole is an error that names the source', async () => {
    await writeRows(
      `select i as item, make_timestamptz(i) as at, hash(i)::varchar as text, (i * 7919) % 1000 as cents from range(1, 20000) r(i)`,
    );
    const registry = await apply();
    const file = join(root, 'prices.parquet');
    const bytes = readFileSync(file);
    for (let at = 4; at < bytes.length / 2; at += 7) bytes[at] = (bytes[at] as number) ^ 0x55;
    writeFileSync(file, bytes);
    await expect(valuesOf(registry)).rejects.toMatchObject({ message: expect.stringContaining('source "prices"') });
    await writePrices(100);
    expect(await valuesOf(await apply())).toEqual([101n, 102n]);
  });

  test.each([
    ['lost a column', 'select 1::bigint as item, make_timestamptz(1) as at', 'cents'],
    ['changed a type', `select 1::bigint as item, make_timestamptz(1) as at, 'x' as cents`, 'cents'],
    ['changed the type of a key', `select 'a' as item, make_timestamptz(1) as at, 5::bigint as cents`, 'item'],
    ['lost the zone of its times', `select 1::bigint as item, make_timestamp(1) as at, 5::bigint as cents`, 'at'],
  ])('a source that has %s is refused by column', async (_, sql, column) => {
    await writePrices(100);
    const registry = await apply();
    await writeRows(sql);
    await expect(valuesOf(registry)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(new RegExp(`prices.*"${column}"`)),
    });
  });

  test.each([
    ['text beside integers', `'7' as item, make_timestamptz(500) as at, 7::bigint as cents`, 'item'],
    ['doubles beside integers', `1::bigint as item, make_timestamptz(500) as at, 2.5::double as cents`, 'cents'],
    ['times without a zone beside instants', `1::bigint as item, make_timestamp(500) as at, 7::bigint as cents`, 'at'],
  ])('a file that came with %s is refused by file and column, where DuckDB would cast', async (_, columns, column) => {
    await writePrices(100);
    const registry = await apply();
    await writeRows(`select ${columns}`, 'prices2.parquet');
    await expect(valuesOf(registry)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(new RegExp(`prices2?.parquet.*"${column}"`)),
    });
    await writeRows('select 1::integer as item, make_timestamptz(500) as at, 7::smallint as cents', 'prices2.parquet');
    expect(await valuesOf(registry)).toEqual([7n, 102n]);
  });

  test('a new column that no view reads changes nothing', async () => {
    await writePrices(100);
    const registry = await apply();
    await writeRows(`select i as item, make_timestamptz(i) as at, 100 + i as cents, 'new' as extra from range(1, 3) r(i)`);
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
  });

  test('no file at all is NOT_FOUND with the paths; no row at all is an answer', async () => {
    await writePrices(100);
    const registry = await apply();
    rmSync(join(root, 'prices.parquet'));
    await expect(valuesOf(registry)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('prices*.parquet'),
    });
    await writeRows('select 1::bigint as item, make_timestamptz(1) as at, 5::bigint as cents where false');
    expect(await valuesOf(registry)).toEqual([null, null]);
  });
});

describe('views that are no more', () => {
  test('leave nothing on disk, unless somebody reads them', async () => {
    await writePrices(100);
    const registry = await apply();
    const prepared = await history.prepare(planOf(registry), new AbortController().signal);
    await history.keepViews(['other']);
    expect(projections()).toHaveLength(1);
    prepared.release();
    await history.keepViews(['other', 'price']);
    expect(projections()).toHaveLength(1);
    await history.keepViews(['other', 'pri']);
    expect(projections()).toEqual([]);
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
    expect(built).toBe(2);
  });
});

describe('damage to a projection', () => {
  test('is an error that names the source, not a wrong value, and is mended by asking again', async () => {
    await writePrices(100);
    const registry = await apply();
    await valuesOf(registry);
    const [name] = projections();
    const file = join(root, '.projections', name as string, '0.arrows');
    const bytes = readFileSync(file);
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] as number) ^ 1;
    writeFileSync(file, bytes);
    await history.close();
    history = await openTestHistory(root, { logger });
    await expect(valuesOf(registry)).rejects.toMatchObject({ code: 'ABORTED', message: expect.stringContaining('prices') });
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
    expect(built).toBe(2);
  });

  test('whose manifest is unreadable is built again', async () => {
    await writePrices(100);
    const registry = await apply();
    await valuesOf(registry);
    writeFileSync(join(root, '.projections', projections()[0] as string, 'manifest.json'), '{"format":');
    await history.close();
    history = await openTestHistory(root, { logger });
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
    expect(built).toBe(2);
  });
});

describe('aborts', () => {
  const slow = `select i % 1000 as item, make_timestamptz(i) as at, i as cents, md5(i::varchar) as text from range(1500000) r(i)`;

  test('of the only one who waits stop the build, leave nothing, and do not fail who comes next', async () => {
    await writeRows(slow);
    const registry = await apply();
    const controller = new AbortController();
    const first = history.prepare(planOf(registry), controller.signal);
    setTimeout(() => controller.abort(new Error('left')), 20);
    await expect(first).rejects.toThrow('left');
    const second = await history.prepare(planOf(registry), new AbortController().signal);
    second.release();
    expect(readdirSync(join(root, '.projections')).filter((name) => name.includes('draft'))).toEqual([]);
    expect(built).toBe(1);
  });

  test('of one of two let the other have its answer', async () => {
    await writeRows(slow);
    const registry = await apply();
    const controller = new AbortController();
    const first = history.prepare(planOf(registry), controller.signal);
    const second = history.prepare(planOf(registry), new AbortController().signal);
    setTimeout(() => controller.abort(new Error('left')), 20);
    await expect(first).rejects.toThrow('left');
    (await second).release();
    expect(built).toBe(1);
  });

  test('before the start are heeded', async () => {
    await writePrices(100);
    const registry = await apply();
    await expect(history.prepare(planOf(registry), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(await valuesOf(registry)).toEqual([101n, 102n]);
  });
});

test('section 3: a tie between the last row of one part and the first of the next is decided by value and counted', async () => {
  const rows = 262_144;
  // Sorted by event, rows 262,143 and 262,144 are the only two of one event; the lesser value is written last.
  await writeRows(`select 1::bigint as item, make_timestamptz(case when i = ${rows} then i - 1 else i end) as at,
    (case i when ${rows - 1} then 9 when ${rows} then 3 else 0 end)::bigint as cents from range(${rows + 1000}) r(i)`);
  const registry = await apply();
  const at = { ...scenario, atUs: BigInt(rows - 1) };
  const answer = await answerWithEngine(history, registry, at);
  expect([answer.columns[0]?.values[0], answer.ties]).toEqual([9n, { cents: 1 }]);
});

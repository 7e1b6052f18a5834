/**
 * A real purchase history: 23,570 customers of the public CDNOW data, each purchase an event, and a row per month of buying with later
 * corrections; and answers worked out cell by cell from the semantics, not by this engine.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';

const definitions = `
import {
  batchSource, count, countDistinct, duration, entity, entropy, eventSource, featureView, first, fitted, last, lastN, max, mean, min, parquet,
  rate, stddev, streamFeatureView, sum, topK,
} from 'featherflight';
export const customer = entity('customer', { joinKeys: { customer_id: 'string' } });
export const months = batchSource('customer_month', {
  table: parquet('data/customer_month.parquet'), eventTimestamp: 'event_timestamp', createdTimestamp: 'created_timestamp',
});
export const month = featureView('customer_month', {
  entities: [customer], source: months, ttl: '45d',
  features: {
    spent: { type: 'decimal(12,2)' },
    purchases: { type: 'int64', default: 0 },
    mean_amount: { type: 'float64', default: fitted('mean') },
  },
});
export const purchases = eventSource('purchases', {
  history: parquet('data/purchases.parquet'), eventTimestamp: 'event_timestamp',
  columns: { customer_id: 'string', cds: 'int32', amount: 'decimal(10,2)' },
});
export const windows = streamFeatureView('purchases', { entities: [customer], source: purchases, features: {
  n_7d: count({ window: '7d' }),
  n_30d: count({ window: '30d' }),
  n_all: count({ window: 'lifetime' }),
  spend_30d: sum('amount', { window: '30d' }),
  spend_all: sum('amount', { window: 'lifetime' }),
  cds_all: sum('cds', { window: 'lifetime' }),
  mean_amount_all: mean('amount', { window: 'lifetime' }),
  std_amount_all: stddev('amount', { window: 'lifetime' }),
  std_cds_90d: stddev('cds', { window: '90d', default: 0.0 }),
  max_amount_90d: max('amount', { window: '90d' }),
  min_amount_all: min('amount', { window: 'lifetime' }),
  first_amount_all: first('amount', { window: 'lifetime' }),
  last_amount_all: last('amount', { window: 'lifetime' }),
  last_3_cds_all: lastN('cds', { window: 'lifetime', n: 3 }),
  distinct_cds_90d: countDistinct('cds', { window: '90d' }),
  top_2_cds_all: topK('cds', { window: 'lifetime', k: 2 }),
  cds_entropy_all: entropy('cds', { window: 'lifetime' }),
  big_rate_all: rate({ window: 'lifetime', condition: "amount >= 50" }),
  big_spend_all: sum('amount', { window: 'lifetime', where: "amount >= 50" })
} });
export const sessions = streamFeatureView('month_of_buying', { entities: [customer], source: purchases, session: { gap: '30d' }, features: {
  n: count({}),
  spend: sum('amount'),
  mean: mean('amount'),
  duration: duration({})
} });
`;
const given = fileURLToPath(new URL('./purchases/', import.meta.url));
const store = mkdtempSync(join(tmpdir(), 'featherflight-purchases-'));
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  for (const folder of ['features', 'data']) mkdirSync(join(store, folder));
  for (const file of ['customer_month.parquet', 'purchases.parquet']) copyFileSync(join(given, file), join(store, 'data', file));
  writeFileSync(join(store, 'features/month.ts'), definitions);
  writeFileSync(
    join(store, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';\nexport default defineConfig({ project: 'purchases' });\n`,
  );
  await applyRepository(store);
  server = await startServer(store);
  python = startPython(join(given, 'compare.py'), { FEATHERFLIGHT_URL: server.url });
});
afterAll(async () => {
  await python?.kill();
  await server?.stop();
  rmSync(store, { recursive: true, force: true });
});

it('asks for what is there, what is too old and what never was', async () => {
  expect(await python.run('spread()')).toEqual({ rows: 1912, NOT_FOUND: 1488, OUTSIDE_MAX_AGE: 151, PRESENT: 273 });
});

it('answers every cell as expected, the first time and again', async () => {
  expect(await python.run('differences()')).toEqual([]);
  expect(await python.run('differences()')).toEqual([]);
});

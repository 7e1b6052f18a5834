/**
 * A real purchase history: 23,570 customers of the public CDNOW data, a row per month of buying with later corrections, and answers
 * worked out cell by cell from the semantics, not by this engine.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';

const definitions = `
import { batchSource, entity, featureView, fitted, parquet } from 'featherflight';
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
`;
const given = fileURLToPath(new URL('./purchases/', import.meta.url));
const store = mkdtempSync(join(tmpdir(), 'featherflight-purchases-'));
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  for (const folder of ['features', 'data']) mkdirSync(join(store, folder));
  copyFileSync(join(given, 'customer_month.parquet'), join(store, 'data/customer_month.parquet'));
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

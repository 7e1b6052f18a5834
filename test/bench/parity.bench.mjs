/**
 * Parity: how long a check takes of 50,000 rows of twenty features that were served and logged, ten of a batch view and ten windows of
 * events, where all agree, and where one value in a hundred does not and causes are looked for. BENCH_ROWS: rows (multiples of 10,000).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { createJiti } from 'jiti';
import { numbersFrom, withScratch } from './support/prepare.mjs';

const support = (file) => createJiti(import.meta.url).import(`../support/${file}`);
const { applyRepository, startServer } = await support('start-server.ts');

const [rows] = numbersFrom('BENCH_ROWS', [50_000]);
const users = 50_000;
const batch = Array.from({ length: 10 }, (_, at) => `f${at}`);
const windows = ['1h', '6h', '12h', '1d', '2d', '3d', '4d', '5d', '6d', '7d'];

await withScratch(async (scratch) => {
  const folder = join(scratch, 'parity');
  mkdirSync(join(folder, 'features'), { recursive: true });
  mkdirSync(join(folder, 'data'));
  writeFileSync(
    join(folder, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({ project: 'bench', logging: { sample: 1, flushSeconds: 1 } });\n`,
  );
  writeFileSync(join(folder, 'features/all.ts'), definitions());
  const values = batch.map((name, at) => `(hash(i + ${at}) % 1000000 / 7)::double as ${name}`);
  await writeTables(folder, [
    [
      'data/rows.parquet',
      `select i::bigint as user_id, now() - to_days((i % 20)::integer + 1) as "at", ${values.join(', ')} from (select n % ${users} as i from range(${2 * users}) as t(n))`,
    ],
    [
      'data/events.parquet',
      `select (hash(i) % ${users})::bigint as user_id, now() - to_seconds((hash(i + 1) % 700000)::integer + 60) as "at",
      (hash(i + 2) % 1000 / 7)::double as amount from range(1000000) as t(i)`,
    ],
  ]);
  await applyRepository(folder);
  const server = await startServer(folder);
  try {
    const post = async (path, body) => {
      const answer = await fetch(`${server.http}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return JSON.parse(text);
    };
    await post('/api/v1/materialize', {});
    for (;;) {
      const answer = await post('/api/v1/online-features', { features: ['events:spent_7d'], entities: { user_id: ['1'] } });
      if (!JSON.stringify(answer).includes('NOT_FOUND')) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const features = [...batch.map((name) => `rows:${name}`), ...windows.map((window) => `events:spent_${window}`)];
    const serve = async () => {
      const from = new Date().toISOString();
      for (let at = 0; at < rows; at += 10_000) {
        const ids = Array.from({ length: 10_000 }, (_, row) => String((at + row) % users));
        await post('/api/v1/online-features', { features, entities: { user_id: ids } });
      }
      return from;
    };
    const check = async (name, from) => {
      const started = performance.now();
      const { summary, result } = await post('/api/v1/validate/parity', { from });
      const seconds = (performance.now() - started) / 1000;
      console.log(`${name}: ${seconds.toFixed(1)} s, ${result}, ${JSON.stringify({ ...summary, advice: undefined })}`);
      return seconds;
    };
    const clean = await serve();
    await check('all agree, first check', clean);
    await check('all agree, again', clean);
    const edited = Array.from({ length: rows / 100 }, (_, at) => String(100 * at));
    const at = edited.map(() => new Date().toISOString());
    for (let from = 0; from < edited.length; from += 10_000) {
      const of = (list) => list.slice(from, from + 10_000);
      const columns = Object.fromEntries(batch.map((name) => [name, of(edited).map(() => 1.5)]));
      await post('/api/v1/write-to-online-store', { view: 'rows', rows: { user_id: of(edited), at: of(at), ...columns } });
    }
    await check('one row in a hundred differs', await serve());
  } finally {
    await server.stop();
  }
});

async function writeTables(folder, tables) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const [file, sql] of tables) await connection.run(`copy (${sql}) to '${join(folder, file)}'`);
  connection.closeSync();
  instance.closeSync();
}

function definitions() {
  const rowFeatures = batch.map((name) => `${name}: { type: 'float64' }`).join(', ');
  const sums = windows.map((window) => `spent_${window}: sum('amount', { window: '${window}' })`).join(', ');
  return `import { batchSource, entity, eventSource, featureView, parquet, streamFeatureView, sum } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const stored = batchSource('stored', { table: parquet('data/rows.parquet'), eventTimestamp: 'at' });
export const rows = featureView('rows', { entities: [user], source: stored, features: { ${rowFeatures} } });
export const purchases = eventSource('purchases', {
  history: parquet('data/events.parquet'), eventTimestamp: 'at', columns: { user_id: 'int64', amount: 'float64' },
});
export const events = streamFeatureView('events', { entities: [user], source: purchases, features: { ${sums} } });
`;
}

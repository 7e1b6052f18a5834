/** Parity out of the feature log after an entity was erased: its own rows are gone from it, and what they were in besides is told as erased. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ParityReport } from '../../src/validate/parity/report.ts';
import { call } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-erased-'));
/** Who has clicked what. User 4 has clicked item 1, and nobody but others items 2 and 3. */
const clicks = [1, 2, 3, 4, 5, 6].map((user) => ({ user, item: user === 4 ? 1 : 1 + (user % 3) }));
const users = ['1', '2', '3', '4', '5', '6'];
let server: ServerProcess;

beforeAll(async () => {
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({ project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 } });\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, count, entity, eventSource, featureView, fitted, parquet, streamFeatureView, sum } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const item = entity('item', { joinKeys: { item_id: 'int64' } });
export const scores = batchSource('scores', {
  table: parquet('data/scores.parquet'), eventTimestamp: 'at', push: true,
});
export const userScore = featureView('user_score', {
  entities: [user], source: scores, features: { score: { type: 'float64', default: fitted('mean') } },
});
export const clicks = eventSource('clicks', {
  eventTimestamp: 'at', columns: { user_id: 'int64', item_id: 'int64', amount: 'float64' },
});
export const userActivity = streamFeatureView('user_activity', {
  entities: [user], source: clicks, features: { clicks: count({ window: '7d' }) },
});
export const itemActivity = streamFeatureView('item_activity', {
  entities: [item], source: clicks, features: { clicks: count({ window: '7d' }), amount: sum('amount', { window: '7d' }) },
});
`,
  );
  const sql = (rows: string) =>
    `select i::bigint as user_id, now() - interval 2 day as "at", i / 10 as score from ${rows} as t(i)`;
  await writeTables(directory, [
    ['data/scores.parquet', sql('range(7, 8)')],
    ['pushed.parquet', sql('range(1, 7)')],
  ]);
  await applyRepository(directory);
  const pushed = await runProgram(process.execPath, [
    cliPath,
    '-C',
    directory,
    'push',
    'scores',
    join(directory, 'pushed.parquet'),
  ]);
  expect(pushed.status, pushed.stderr).toBe(0);
  server = await startServer(directory);
  await post('/api/v1/materialize', {});
  const at = new Date(Date.now() - 60_000).toISOString();
  const events = {
    user_id: clicks.map(({ user }) => String(user)),
    item_id: clicks.map(({ item }) => String(item)),
    at: clicks.map(() => at),
    amount: clicks.map(({ user }) => user / 7),
  };
  await post('/api/v1/push', { source: 'clicks', rows: events });
  const isCounted = async () => expect((await ask()).items.clicks?.values).toEqual(['3', '1', '2']);
  await vi.waitFor(isCounted, { timeout: 60_000, interval: 300 });
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

type Columns = Record<string, { readonly values: readonly unknown[]; readonly is_default?: readonly boolean[] }>;

async function ask(): Promise<{ of: Columns; items: Columns }> {
  const [of, items] = await Promise.all([
    post('/api/v1/online-features', {
      features: ['user_activity:clicks', 'user_score:score'],
      entities: { user_id: [...users, '9'] },
    }),
    post('/api/v1/online-features', {
      features: ['item_activity:clicks', 'item_activity:amount'],
      entities: { item_id: ['1', '2', '3'] },
    }),
  ]);
  return { of: of.columns as Columns, items: items.columns as Columns };
}

const check = async (request: object) => (await post('/api/v1/validate/parity', request)) as unknown as ParityReport;

/** The causes of differences, by feature. */
const causesOf = ({ features }: ParityReport) =>
  Object.fromEntries(features.map(({ view, feature, causes }) => [`${view}:${feature}`, causes]));

const none = { 'item_activity:amount': {}, 'item_activity:clicks': {}, 'user_activity:clicks': {}, 'user_score:score': {} };

test('what was logged before an entity was erased is compared without it, and what was made of its rows is told as erased', async () => {
  const from = new Date().toISOString();
  const served = await ask();
  // Nobody has told of user 9: the mean of all seven.
  expect(served.of.score?.values.at(-1)).toBeCloseTo(0.4, 12);
  const before = await check({ from });
  expect([before.result, before.summary.rows, causesOf(before)], JSON.stringify(before)).toEqual(['PASS', 10, none]);

  await post('/api/v1/erasures', { entity: 'user', keys: { user_id: '4' } });
  const logged = await check({ from });
  // The row of user 4 is in the log no more; item 1 was clicked by it, and it was one of those that the mean is of.
  expect([logged.summary.rows, causesOf(logged)], JSON.stringify(logged)).toEqual([
    9,
    { ...none, 'item_activity:amount': { erased: 1 }, 'item_activity:clicks': { erased: 1 }, 'user_score:score': { erased: 1 } },
  ]);
  const worst = Object.fromEntries(logged.features.map(({ feature, view, worst: [first] }) => [`${view}:${feature}`, first]));
  expect(worst['item_activity:clicks']).toMatchObject({
    ...{ keys: { item_id: '1' }, cause: 'erased', online: { value: '3' }, offline: { value: '2' } },
    evidence: { text: expect.stringMatching(/^1 rows of source "clicks" were erased with other entities since /) },
  });
  expect(worst['user_score:score']).toMatchObject({ keys: { user_id: '9' }, cause: 'erased' });
  expect(JSON.stringify(logged)).not.toContain('"user_id":"4"');
});

test('what is edited by hand is a bug still, though something was erased', async () => {
  const from = new Date().toISOString();
  const at = [new Date(Date.now() - 3_600_000).toISOString()];
  await post('/api/v1/write-to-online-store', { view: 'user_score', rows: { user_id: ['1'], at, score: [0.9] } });
  await ask();
  const report = await check({ from, features: ['user_score:score'] });
  expect(report.features[0]?.causes, JSON.stringify(report)).toMatchObject({ bug: 1 });
});

/** The watch of a running server over what it serves: each fault that is planted in the running system raises its alarm, and none is raised before. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FeatureHealth } from '../../src/validate/health/watch.ts';
import { call } from '../support/http-client.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-alarms-'));
const clockFile = join(directory, 'clock');
const users = Array.from({ length: 100 }, (_, at) => String(at + 1));
const views = ['profile', 'feed'];
const features = ['profile:age', 'profile:plan', 'profile:city', 'profile:score', 'feed:views'];
let server: ServerProcess;
let shiftSeconds = 0;

beforeAll(async () => {
  mkdirSync(join(directory, 'features'));
  for (const view of views) mkdirSync(join(directory, 'data', view), { recursive: true });
  writeFileSync(clockFile, '0');
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'shop', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
  health: { every: '1s', window: '5m', history: '1h' },
});\n`,
  );
  writeFileSync(
    join(directory, 'features/shop.ts'),
    `import { batchSource, entity, featureView, fitted, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profile/*.parquet'), eventTimestamp: 'at' });
export const feeds = batchSource('feeds', { table: parquet('data/feed/*.parquet'), eventTimestamp: 'at' });
export const profile = featureView('profile', {
  entities: [user], source: profiles,
  features: { age: { type: 'int64' }, plan: { type: 'int64', default: 7 }, city: { type: 'string' }, score: { type: 'float64' } },
});
export const feed = featureView('feed', { entities: [user], source: feeds, features: { views: { type: 'int64' } } });\n`,
  );
  await land(good);
  await applyRepository(directory);
  server = await startServer(directory, {
    environment: {
      NODE_OPTIONS: `--import=${fileURLToPath(new URL('../support/shifted-clock.mjs', import.meta.url))}`,
      FEATHERFLIGHT_TEST_CLOCK: clockFile,
    },
  });
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Columns {
  readonly age: string;
  readonly plan: string;
  readonly city: string;
  readonly score: string;
}

const good: Columns = { age: '20 + i % 40', plan: 'i % 11', city: `'city ' || i % 3`, score: 'i / 7' };

/** Rows of both sources for everybody, of right now by the server's clock. */
async function land({ age, plan, city, score }: Columns): Promise<void> {
  const now = `now() + to_seconds(${shiftSeconds})`;
  const rows = (columns: string) => `select i::bigint as user_id, ${now} as "at", ${columns} from range(1, 101) as t(i)`;
  await writeTables(directory, [
    ['profile.parquet', rows(`(${age})::bigint as age, (${plan})::bigint as plan, ${city} as city, (${score})::double as score`)],
    ['feed.parquet', rows('(i * 3)::bigint as views')],
  ]);
  for (const view of views) {
    renameSync(join(directory, `${view}.parquet`), join(directory, 'data', view, `${shiftSeconds}.parquet`));
  }
}

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await call(`${server.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

const serve = () => post('/api/v1/online-features', { features, entities: { user_id: users } });

const health = async () => (await call(`${server.http}/api/v1/health/features`)).json() as FeatureHealth;

/** The server's clock goes on by so much, and is there when this resolves; nothing is served meanwhile. */
async function goOn(seconds: number): Promise<void> {
  shiftSeconds += seconds;
  writeFileSync(clockFile, String(1000 * shiftSeconds));
  const isThere = async () => Date.parse((await health()).checked_at ?? '') > Date.now() + 1000 * (shiftSeconds - seconds / 2);
  await expect.poll(isThere).toBe(true);
}

const alarms = async () => (await health()).alarms.map(({ view, feature, alarm }) => `${view}:${feature} ${alarm}`).sort();

test('nothing is raised while all is well', async () => {
  for (let count = 0; count < 3; count++) {
    if (count > 0) await goOn(400);
    await land(good);
    await post('/api/v1/materialize', {});
    await serve();
  }
  await expect.poll(async () => (await health()).judged, { timeout: 60_000 }).toBe(features.length);
  expect(await alarms()).toEqual([]);
});

test('values that are one, that are all the default, that were never seen, that are null, and that stand still while their source goes on', async () => {
  await goOn(400);
  await land({ age: '5', plan: 'null', city: `'cty ' || i % 3`, score: 'case when i % 4 = 0 then i / 7 end' });
  await post('/api/v1/materialize', { views: ['profile'] });
  await serve();
  const expected = [
    ...['feed:views frozen', 'profile:age constant', 'profile:city unseen_category', 'profile:plan all_default'],
    'profile:score null_rate',
  ];
  await expect.poll(alarms, { timeout: 60_000 }).toEqual(expected);
  const metrics = (await call(`${server.http}/metrics`)).text;
  expect(metrics).toContain('featherflight_feature_alarm{view="feed",feature="views",alarm="frozen"} 1');
});

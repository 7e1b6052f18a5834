/** Objectives of freshness against running servers that share a Redis: measured, told at every door, and alerted at a real webhook. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createOnlineRecords } from '../../src/online/records.ts';
import { whileFilling } from '../../src/stream/filling.ts';
import type { ViewFreshness } from '../../src/validate/freshness.ts';
import { runCommand } from '../cli/run-command.ts';
import { call } from '../support/http-client.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { runProgram } from '../support/run-program.ts';
import { startPython } from '../support/start-python.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { startWebhook, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-freshness-'));
let redis: RedisServer;
let hook: WebhookReceiver;
let store: ReturnType<typeof openTestRedis>;
/** The one that tells the webhook, and another one beside it. */
let server: ServerProcess;
let beside: ServerProcess;

const definitions = `
import { batchSource, count, entity, eventSource, featureView, parquet, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profiles.parquet'), eventTimestamp: 'at' });
export const userProfile = featureView('user_profile', {
  entities: [user], source: profiles, freshness: '1h', features: { age: { type: 'int64' } },
});
export const calm = featureView('calm', { entities: [user], source: profiles, features: { age: { type: 'int64' } } });
export const clicks = eventSource('clicks', { eventTimestamp: 'at', columns: { user_id: 'int64' } });
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks, freshness: 'OBJECTIVE', features: { n: count({ window: '1d' }) },
});
`;
const environmentOf = (state: string) => ({
  FEATHERFLIGHT_STATE: join(directory, `state-${state}`),
  FEATHERFLIGHT_STORAGE: join(directory, 'storage'),
});

beforeAll(async () => {
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  [redis, hook] = await Promise.all([startRedis(), startWebhook()]);
  store = openTestRedis({ url: `redis://${redis.address}` });
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig, redis } from 'featherflight';
export default defineConfig({
  project: 'test', offlineEngine: { kind: 'duckdb', threads: 1 }, onlineStore: redis({ url: 'redis://${redis.address}' }),
  alerts: process.env.HOOK === undefined ? undefined : {
    every: '1s', rules: [{ when: 'freshness', severity: 'critical' }], webhook: { url: process.env.HOOK },
  },
});\n`,
  );
  define('60s');
  await land('3 hours');
  await apply('a');
  server = await startServer(directory, { environment: { ...environmentOf('a'), HOOK: hook.url } });
  await apply('b');
  beside = await startServer(directory, { environment: environmentOf('b') });
}, 300_000);
afterAll(async () => {
  await Promise.all([server?.stop(), beside?.stop()]);
  await store?.close();
  await hook?.stop();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const define = (objective: string) =>
  writeFileSync(join(directory, 'features/shop.ts'), definitions.replace('OBJECTIVE', objective));

async function land(age: string): Promise<void> {
  await writeTables(directory, [
    ['new.parquet', `select i::bigint as user_id, now() - interval ${age} as "at", 20 + i as age from range(1, 5) as t(i)`],
  ]);
  renameSync(join(directory, 'new.parquet'), join(directory, 'data/profiles.parquet'));
}

async function apply(state: string): Promise<void> {
  const run = await runProgram(process.execPath, [cliPath, '-C', directory, 'apply', '--yes'], {
    environment: environmentOf(state),
  });
  expect(run.status, run.stderr).toBe(0);
}

async function post(path: string, body: unknown, at = server): Promise<Record<string, unknown>> {
  const answer = await call(`${at.http}${path}`, { body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Record<string, unknown>;
}

const materialize = () => post('/api/v1/materialize', { views: ['user_profile'] });
const push = (secondsAgo = 0) =>
  post('/api/v1/push', {
    source: 'clicks',
    rows: { user_id: ['1'], at: [new Date(Date.now() - 1000 * secondsAgo).toISOString()] },
  });

async function read(view: string, at = server): Promise<ViewFreshness> {
  const { views } = (await call(`${at.http}/api/v1/health/views`)).json() as { views: ViewFreshness[] };
  return views.find((each) => each.view === view) as ViewFreshness;
}

const states = async (view: string, at = server) => {
  const { state, event, processing } = await read(view, at);
  return [state, event.state, processing.state];
};

/** What the webhook was told of a view by one clock, without what a killed server said again. */
function told(view: string, by: string): string[] {
  const meant = hook.messages.filter(({ alert: { labels } }) => labels.view === view && labels.by === by);
  return [...new Map(meant.map(({ alert: { id, status } }) => [`${id} ${status}`, status])).values()];
}

/** As if the last run had ended so much earlier. */
async function ageLastRun(hours: number): Promise<void> {
  const earlier = (state: { finishedUs: string } | undefined) =>
    state && { ...state, finishedUs: String(BigInt(state.finishedUs) - BigInt(hours) * 3_600_000_000n) };
  await createOnlineRecords(store, 'test').update('materialized', 'user_profile', earlier);
}

it('a view that was never materialized misses its objective, and one without an objective does not', async () => {
  expect(await states('user_profile')).toEqual(['NEVER', 'NEVER', 'NEVER']);
  expect(await states('user_profile', beside)).toEqual(['NEVER', 'NEVER', 'NEVER']);
  expect(await read('calm')).toMatchObject({ objective: null, objective_seconds: null, state: null, event: { at: null } });
  await expect.poll(() => [told('user_profile', 'event'), told('user_profile', 'processing')]).toEqual([['firing'], ['firing']]);
  const { alert } =
    hook.messages.find(({ alert: { labels } }) => labels.view === 'user_profile' && labels.by === 'processing') ?? {};
  expect(alert).toMatchObject({ rule: 'freshness', labels: { view: 'user_profile', by: 'processing' } });
  expect(alert?.text).toBe('it was never materialized: featherflight materialize-incremental user_profile; the objective is 1h');
});

it('materializing resolves what it mends: what is left is the age of the events, until newer ones land', async () => {
  await materialize();
  expect(await states('user_profile')).toEqual(['STALE', 'STALE', 'FRESH']);
  expect((await read('user_profile')).event.seconds).toBeGreaterThan(3 * 3600 - 1);
  await expect.poll(() => told('user_profile', 'processing')).toEqual(['firing', 'resolved']);
  expect(told('user_profile', 'event')).toEqual(['firing']);
  await land('5 minutes');
  await materialize();
  expect(await states('user_profile')).toEqual(['FRESH', 'FRESH', 'FRESH']);
  expect(await states('user_profile', beside)).toEqual(['FRESH', 'FRESH', 'FRESH']);
  await expect.poll(() => told('user_profile', 'event')).toEqual(['firing', 'resolved']);
});

it('a late materialization fires once, over a restart too, and resolves once', async () => {
  await ageLastRun(2);
  expect(await states('user_profile', beside)).toEqual(['STALE', 'FRESH', 'STALE']);
  await expect.poll(() => told('user_profile', 'processing')).toEqual(['firing', 'resolved', 'firing']);
  const last = hook.messages.at(-1)?.alert;
  expect(last?.text).toMatch(/^it was materialized last up to .*Z, 2h( 1m)? ago: .* user_profile, .*; the objective is 1h$/);
  await server.stop('SIGKILL');
  server = await startServer(directory, { environment: { ...environmentOf('a'), HOOK: hook.url } });
  expect(await states('user_profile')).toEqual(['STALE', 'FRESH', 'STALE']);
  await expect.poll(async () => (await metrics()).get('featherflight_alert_firing{user_profile}')).toBe(1);
  await materialize();
  await expect.poll(() => told('user_profile', 'processing')).toEqual(['firing', 'resolved', 'firing', 'resolved']);
});

/** Samples by name and, where they have one, their view and clock. */
async function metrics(at = server): Promise<ReadonlyMap<string, number>> {
  const { text } = await call(`${at.http}/metrics`);
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, name, labels = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
      const shown = ['view', 'by'].flatMap((label) => new RegExp(`\\b${label}="(\\w+)"`).exec(labels)?.[1] ?? []);
      return name === undefined ? [] : [[`${name}{${shown.join(' ')}}`, Number(value)] as const];
    }),
  );
}

it('it is told at every door', async () => {
  const found = await metrics();
  expect(found.get('featherflight_view_freshness_objective_seconds{user_profile}')).toBe(3600);
  expect(found.has('featherflight_view_freshness_objective_seconds{calm}')).toBe(false);
  expect(found.get('featherflight_view_freshness_missed{user_profile processing}')).toBe(0);
  expect(found.get('featherflight_view_freshness_missed{activity event}')).toBe(1);
  expect(found.get('featherflight_view_freshness_seconds{user_profile event}')).toBeGreaterThan(299);
  expect(found.get('featherflight_view_freshness_seconds{user_profile processing}')).toBeLessThan(3600);
  expect(found.has('featherflight_view_freshness_seconds{calm processing}')).toBe(false);
  const row = (await call(`${server.http}/api/v1/feature-views/user_profile`)).json();
  const known = { freshness: '1h', freshness_state: 'FRESH', event_age_seconds: expect.any(Number) };
  expect(row).toMatchObject({ ...known, processing_age_seconds: expect.any(Number) });
  expect((await call(`${server.http}/openapi.json`)).text).toContain('"/api/v1/health/views"');

  const run = (...args: string[]) => runCommand(args, { directory, environment: environmentOf('a') });
  for (const url of [[], ['--url', server.url]]) {
    const described = (await run('describe', 'user_profile', ...url)).stdout;
    expect(described).toMatch(/freshness +1h\n +freshness_state +FRESH\n +event_age_seconds +\d+/);
    const listed = (await run('list', 'views', ...url)).stdout.split('\n');
    expect(listed[0]).toMatch(/FRESHNESS +FRESHNESS_STATE/);
    expect(listed.find((line) => line.startsWith('user_profile'))).toMatch(/1h +FRESH/);
  }
  const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
  const python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  try {
    expect(
      await python.run(`[store.feature_views()["user_profile"][name] for name in ("freshness", "freshness_state")]`),
    ).toEqual(['1h', 'FRESH']);
    expect(await python.run(`store.feature_views()["calm"]["freshness_state"]`)).toBeNull();
  } finally {
    await python.close();
  }
});

it('a stream whose events stop is stale by event time, and one whose processor stands by processing too', async () => {
  await expect.poll(() => told('activity', 'event')).toEqual(['firing']);
  await push();
  await expect.poll(() => states('activity')).toEqual(['FRESH', 'FRESH', 'FRESH']);
  await expect.poll(() => told('activity', 'event')).toEqual(['firing', 'resolved']);
  // The same stream under an objective that a test can wait for; applying it touches no value.
  define('2s');
  for (const at of [server, beside]) await post('/api/v1/apply', {}, at);
  await expect.poll(() => states('activity')).toEqual(['STALE', 'STALE', 'FRESH']);
  await expect.poll(() => told('activity', 'event')).toEqual(['firing', 'resolved', 'firing']);
  await whileFilling(createOnlineRecords(store, 'test'), 'clicks', async () => {
    await push(30);
    await expect.poll(() => states('activity', beside)).toEqual(['STALE', 'STALE', 'STALE']);
    await expect.poll(() => told('activity', 'processing').at(-1)).toBe('firing');
    const { text } = hook.messages.findLast(({ alert: { labels } }) => labels.by === 'processing')?.alert ?? {};
    expect(text).toMatch(
      /^all that its log had was applied last at .*, \d+s ago: featherflight source list clicks tells why; the objective is 2s$/,
    );
  });
  await expect.poll(() => told('activity', 'processing').at(-1)).toBe('resolved');
  // A busy machine may miss two seconds at other times too, and each time is told in turn.
  expect(told('activity', 'processing').filter((_, at) => at % 2 === 0)).not.toContain('resolved');
  expect(told('activity', 'processing').filter((_, at) => at % 2 === 1)).not.toContain('firing');
  define('60s');
  for (const at of [server, beside]) await post('/api/v1/apply', {}, at);
  await push();
  await expect.poll(() => told('activity', 'event')).toEqual(['firing', 'resolved', 'firing', 'resolved']);
});

/**
 * Incident 1: training counted events of type 'completion', serving those of type 'complete', and the completion rate was 0.0 for everybody
 * online. Here one definition serves both; a literal outside the vocabulary is refused; a value outside it is counted when it arrives; and
 * a rate that is suddenly constant raises an alarm.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FeatureHealth } from '../../src/validate/health/watch.ts';
import { call } from '../support/http-client.ts';
import { runProgram } from '../support/run-program.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-incident-'));
const users = Array.from({ length: 90 }, (_, at) => String(at + 1));
const rateName = 'user_activity:user_7d_completion_rate';

interface Event {
  readonly user: string;
  readonly type: 'click' | 'completion';
  readonly hoursAgo: number;
}

/** Everybody clicks ten times, and completes so much of it as tells one from another. */
const events: readonly Event[] = users.flatMap((user) =>
  Array.from({ length: 10 }, (_, at) => at).flatMap((at) => {
    const click = { user, type: 'click' as const, hoursAgo: 2 + 7 * at };
    return at < Number(user) % 11 ? [click, { ...click, type: 'completion' as const }] : [click];
  }),
);

/** What a chat was told. */
const told: string[] = [];
const chat = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  told.push((JSON.parse(text) as { text: string }).text);
  response.end();
});

let streams: RedisServer;
let server: ServerProcess;

function define(literal: string, vocabulary: readonly string[]): void {
  writeFileSync(
    join(directory, 'features/activity.ts'),
    `import { count, csv, entity, eventSource, rate, redisStream, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const events = eventSource('events', {
  history: csv('data/events.csv'), stream: redisStream({ url: 'redis://${streams.address}', keys: ['events'] }), eventTimestamp: 'at',
  columns: { user_id: 'int64', event_type: { type: 'string', values: ${JSON.stringify(vocabulary)} } },
});
export const userActivity = streamFeatureView('user_activity', {
  entities: [user], source: events,
  features: {
    user_7d_completion_rate: rate({ condition: "event_type = '${literal}'", over: "event_type = 'click'", window: '7d' }),
    user_7d_clicks: count({ where: "event_type = 'click'", window: '7d' }),
  },
});
`,
  );
}

async function receive(): Promise<string> {
  await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(chat.address() as AddressInfo).port}/`;
}

beforeAll(async () => {
  streams = await startRedis();
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  writeFileSync(
    join(directory, 'featherflight.config.ts'),
    `import { defineConfig } from 'featherflight';
export default defineConfig({
  project: 'streamrec', offlineEngine: { kind: 'duckdb', threads: 1 }, logging: { sample: 1, flushSeconds: 1 },
  health: { every: '1s', window: '4s', history: '2m' },
  alerts: { every: '1s', rules: [{ when: 'feature', severity: 'critical' }], webhook: { url: '${await receive()}' } },
});\n`,
  );
  const lines = events.map(
    ({ user, type, hoursAgo }) => `${user},${type},${new Date(Date.now() - hoursAgo * 3_600_000).toISOString()}`,
  );
  writeFileSync(join(directory, 'data/events.csv'), `user_id,event_type,at\n${lines.join('\n')}\n`);
  define('completion', ['click', 'completion']);
  await applyRepository(directory);
  server = await startServer(directory);
});
afterAll(async () => {
  await server?.stop();
  await streams?.stop();
  chat.close();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(): Promise<readonly (number | null)[]> {
  const body = JSON.stringify({ features: [rateName, 'user_activity:user_7d_clicks'], entities: { user_id: users } });
  const answer = await call(`${server.http}/api/v1/online-features`, { body });
  expect(answer.status, answer.text).toBe(200);
  const { columns } = answer.json() as { columns: Record<string, { values: (number | null)[] }> };
  return columns.user_7d_completion_rate?.values ?? [];
}

const health = async () => (await call(`${server.http}/api/v1/health/features`)).json() as FeatureHealth;

/** Asks as users do, until the watch has come to what is waited for. */
async function serveUntil(isThere: (found: FeatureHealth) => boolean, seconds: number): Promise<FeatureHealth> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    await ask();
    const found = await health();
    if (isThere(found)) return found;
    expect(Date.now(), `${JSON.stringify(found)}\n${server.log().slice(-3000)}`).toBeLessThan(end);
    await pause(150);
  }
}

const truth = users.map((user) => (Number(user) % 11) / 10);

it('bites whoever writes the rate twice', () => {
  const rateOf = (user: string, literal: string) => {
    const own = events.filter((event) => event.user === user);
    return own.filter(({ type }) => type === literal).length / own.filter(({ type }) => type === 'click').length;
  };
  const notebook = users.map((user) => rateOf(user, 'completion'));
  const backend = users.map((user) => rateOf(user, 'complete'));
  expect(notebook).toEqual(truth);
  expect(new Set(backend)).toEqual(new Set([0]));
});

it('serves one definition to training and online', async () => {
  await expect.poll(ask, { timeout: 30_000 }).toEqual(truth);
});

it('refuses a literal that no event has, when it is applied', async () => {
  define('complete', ['click', 'completion']);
  const refused = await runProgram(process.execPath, [cliPath, '-C', directory, 'apply', '--url', server.url, '--yes']);
  expect(refused.status).not.toBe(0);
  expect(refused.stdout + refused.stderr).toMatch(/complete.*completion/s);
  expect(await ask()).toEqual(truth);
  define('completion', ['click', 'completion']);
});

it('counts a value that no event should have, when it arrives', async () => {
  const redis = new Redis(streams.port, { lazyConnect: false });
  try {
    const at = new Date().toISOString();
    for (const user of users.slice(0, 7)) {
      await redis.xadd('events', '*', 'value', JSON.stringify({ user_id: Number(user), event_type: 'complete', at }));
    }
  } finally {
    redis.disconnect();
  }
  const setAside = async () => {
    const stream = (await call(`${server.http}/api/v1/streams/events`)).json() as { partitions: { set_aside: number }[] };
    return stream.partitions.reduce((sum, partition) => sum + partition.set_aside, 0);
  };
  await expect.poll(setAside, { timeout: 30_000 }).toBe(7);
  const shown = (await call(`${server.http}/api/v1/streams/events/set-aside`)).text;
  expect(shown).toContain('event_type');
  expect(await ask()).toEqual(truth);
});

it('raises an alarm within minutes where the rate is suddenly the same for everybody, and none before', async () => {
  const before = Date.now();
  const well = await serveUntil(({ judged }) => judged === 2 && Date.now() - before > 9000, 60);
  expect(well.alarms).toEqual([]);
  // The vocabulary is widened by what does not exist: now the literal is accepted.
  define('complete', ['click', 'completion', 'complete']);
  const applied = await call(`${server.http}/api/v1/apply`, { body: '{}' });
  expect(applied.status, applied.text).toBe(200);
  await expect.poll(async () => new Set(await ask()), { timeout: 30_000 }).toEqual(new Set([0]));
  const found = await serveUntil(({ alarms }) => alarms.length > 0, 40);
  expect(found.alarms).toMatchObject([{ view: 'user_activity', feature: 'user_7d_completion_rate', alarm: 'constant' }]);
  expect(found.alarms[0]?.text).toMatch(/^all \d+ values are 0;/);
  const metrics = (await call(`${server.http}/metrics`)).text;
  expect(metrics).toContain(
    'featherflight_feature_alarm{view="user_activity",feature="user_7d_completion_rate",alarm="constant"} 1',
  );
  expect(server.log()).toContain('a feature is not well');
  const firing = 'critical: feature (streamrec): all ';
  await expect.poll(() => told).toEqual([expect.stringContaining(firing)]);
  expect((await call(`${server.http}/metrics`)).text).toMatch(
    /^featherflight_alert_firing\{rule="feature",severity="critical".*\} 1$/m,
  );

  define('completion', ['click', 'completion']);
  expect((await call(`${server.http}/api/v1/apply`, { body: '{}' })).status).toBe(200);
  await serveUntil(({ alarms }) => alarms.length === 0, 60);
  await expect.poll(() => told).toEqual([expect.stringContaining(firing), expect.stringMatching(/^resolved: feature /)]);
});

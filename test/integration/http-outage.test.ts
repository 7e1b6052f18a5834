/** What HTTP does while its store is away, while it is too busy, while it stops; and that it says so in metrics. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, type HttpAnswer, post } from '../support/http-client.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

const asked = { features: ['user_profile:age'], entities: { user_id: [1] } };
const ask = (server: ServerProcess, body: unknown = asked) => post(`${server.http}/api/v1/online-features`, body);
const codeOf = (answer: HttpAnswer) => (answer.json() as { error: { code: string } }).error.code;

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, object>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** Asks until the answer has the status. */
async function until(status: number, work: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  for (;;) {
    const answer = await work();
    if (answer.status === status) return answer;
    await sleep(100);
  }
}

describe('over Redis', () => {
  let redis: RedisServer;
  let server: ServerProcess;

  beforeAll(async () => {
    redis = await startRedis();
    const onlineStore = { kind: 'redis', url: `redis://:@${redis.address}`, commandTimeoutMs: 500, connectTimeoutMs: 500 };
    server = await startServer(await makeHttpStore({ onlineStore, http: { maxConcurrentRequests: 4, timeoutMs: 5_000 } }));
    expect((await post(`${server.http}/api/v1/materialize`, {})).status).toBe(200);
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
  });

  it('answers 503 with what is wrong while Redis is gone, and by itself again when it is back', async () => {
    expect((await ask(server)).status).toBe(200);
    expect((await call(`${server.http}/ready`)).status).toBe(200);
    await redis.kill('SIGKILL');
    const away = await until(503, () => ask(server));
    expect([codeOf(away), away.headers['retry-after']]).toEqual(['UNAVAILABLE', '1']);
    expect(away.text).toContain(redis.address);
    const ready = await call(`${server.http}/ready`);
    expect([ready.status, ready.json()]).toEqual([
      503,
      { status: 'not ready', reasons: [expect.stringContaining(redis.address)] },
    ]);
    expect((await call(`${server.http}/health`)).status).toBe(200);
    expect((await call(`${server.http}/metrics`)).text).toContain('outcome="failed"');
    const feast = await post(`${server.http}/get-online-features`, asked);
    expect([feast.status, JSON.parse(feast.json() as string).code]).toEqual([503, 'UNAVAILABLE']);
    await redis.restart();
    await until(200, () => ask(server));
    await until(200, () => call(`${server.http}/ready`));
  });

  it('answers within the deadline of the store while Redis stands still, and tells others to come back when full', async () => {
    redis.freeze();
    try {
      const answers = await Promise.all(Array.from({ length: 12 }, () => ask(server)));
      const statuses = new Set(answers.map((answer) => answer.status));
      expect([...statuses].sort()).toEqual([429, 503]);
      const busy = answers.find((answer) => answer.status === 429) as HttpAnswer;
      expect([codeOf(busy), busy.headers['retry-after']]).toEqual(['RESOURCE_EXHAUSTED', '1']);
      const [, feast] = await Promise.all([
        Promise.all(Array.from({ length: 4 }, () => ask(server))),
        sleep(50).then(() => post(`${server.http}/get-online-features`, asked)),
      ]);
      expect(feast.status).toBe(503);
      expect((await call(`${server.http}/health`)).status).toBe(200);
    } finally {
      redis.thaw();
    }
    await until(200, () => ask(server));
  });
});

describe('a client that goes away', () => {
  it('frees its place long before its request would have ended', async () => {
    const redis = await startRedis();
    const onlineStore = { kind: 'redis', url: `redis://${redis.address}`, commandTimeoutMs: 600_000 };
    const http = { maxConcurrentRequests: 4, timeoutMs: 600_000 };
    const server = await startServer(await makeHttpStore({ onlineStore, http }));
    const send = (gone: AbortController) =>
      call(`${server.http}/api/v1/online-features`, { body: JSON.stringify(asked), signal: gone.signal }).then(
        ({ status }) => status,
        () => 'gone',
      );
    const full = async () => {
      const probe = new AbortController();
      const answered = await Promise.race([send(probe), sleep(500, 'held')]);
      probe.abort();
      return answered === 429;
    };
    try {
      redis.freeze();
      const gone = new AbortController();
      const requests = Array.from({ length: 4 }, () => send(gone));
      while (!(await full())) await sleep(50);
      gone.abort();
      expect(await Promise.all(requests)).toEqual(Array(4).fill('gone'));
      while (await full()) await sleep(50);
    } finally {
      redis.thaw();
      await server.stop();
      await redis.stop();
    }
  });
});

describe('a request that takes longer than it may', () => {
  it('is answered 504, for Feast 503, and one whose body does not come 408', async () => {
    const redis = await startRedis();
    const onlineStore = { kind: 'redis', url: `redis://${redis.address}`, commandTimeoutMs: 60_000 };
    const server = await startServer(await makeHttpStore({ onlineStore, http: { timeoutMs: 300 } }));
    try {
      redis.freeze();
      const late = await ask(server);
      expect([late.status, codeOf(late)]).toEqual([504, 'DEADLINE_EXCEEDED']);
      expect((await post(`${server.http}/get-online-features`, asked)).status).toBe(503);
      redis.thaw();
      const head =
        'POST /api/v1/online-features HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{';
      const slow = await new Promise<string>((resolve) => {
        const socket = connect(Number(new URL(server.http).port), '127.0.0.1', () => socket.write(head));
        socket.once('data', (bytes) => {
          resolve(bytes.toString());
          socket.destroy();
        });
      });
      expect(slow).toContain('HTTP/1.1 408');
    } finally {
      redis.thaw();
      await server.stop();
      await redis.stop();
    }
  });
});

describe('over LMDB', () => {
  it('counts what it serves, and describes itself', async () => {
    const server = await startServer(await makeHttpStore());
    try {
      await post(`${server.http}/api/v1/materialize`, {});
      await ask(server, { service: 'plain', entities: { user_id: [1, 3, 4], item_id: ['item 1'] } });
      const { text, headers } = await call(`${server.http}/metrics`);
      expect(headers['content-type']).toContain('text/plain');
      const metric = (line: string) =>
        Number(
          text
            .split('\n')
            .find((each) => each.startsWith(`${line} `))
            ?.split(' ')[1],
        );
      expect(metric('featherflight_online_values_total{view="user_profile",status="PRESENT"}')).toBe(2);
      expect(metric('featherflight_online_values_total{view="user_profile",status="NULL_VALUE"}')).toBe(2);
      expect(metric('featherflight_online_values_total{view="user_profile",status="NOT_FOUND"}')).toBe(2);
      expect(metric('featherflight_online_defaults_total{view="user_profile"}')).toBe(2);
      expect(metric('featherflight_online_hits_total{view="user_profile"}')).toBe(2);
      expect(metric('featherflight_online_misses_total{view="user_profile"}')).toBe(1);
      expect(metric('featherflight_online_hits_total{view="item_stats"}')).toBe(3);
      expect(text).toMatch(
        /featherflight_http_request_seconds_count\{route="\/api\/v1\/online-features",service="plain",status="200"\} 1/,
      );
      expect(text).toMatch(/featherflight_online_store_seconds_count\{operation="read",outcome="ok"\} \d/);
      expect(metric('featherflight_materialization_lag_seconds{view="user_profile"}')).toBeLessThan(600);
      expect(metric('featherflight_view_source_age_seconds{view="user_profile"}')).toBeGreaterThan(600);
      expect(text).toContain('process_cpu_seconds_total');
      const page = (await call(`${server.http}/openapi.json`)).json() as OpenApi;
      expect(page.openapi).toBe('3.1.0');
      expect(Object.keys(page.paths)).toContain('/api/v1/feature-views/{name}');
      expect(page.paths['/api/v1/online-features']).toMatchObject({
        post: {
          requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/online_request' } } } },
          'x-scope': 'read-online',
        },
      });
      const named = [...JSON.stringify(page).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
      expect(new Set(named)).toEqual(new Set(Object.keys(page.components.schemas)));
      expect(page.components.schemas.online_request).toMatchObject({ properties: { service: {} }, additionalProperties: false });
      const views = (await call(`${server.http}/api/v1/feature-views`)).json() as { rows: { name: string }[] };
      expect(views.rows.map((row) => row.name)).toEqual(['doubled', 'item_stats', 'user_profile']);
      expect((await call(`${server.http}/api/v1/entities/user`)).json()).toMatchObject({ join_keys: { user_id: 'int64' } });
    } finally {
      await server.stop();
    }
  });

  it('sees at once what is applied, and finishes what it began before it stops', async () => {
    const directory = await makeHttpStore();
    const server = await startServer(directory);
    expect((await post(`${server.http}/api/v1/apply`, {})).json()).toMatchObject({ version: 1, changes: [] });
    const running = post(`${server.http}/api/v1/materialize`, {});
    await sleep(20);
    const stopped = server.stop();
    expect((await running).status).toBe(200);
    expect(await stopped).toEqual({ status: 0, signal: null });
    const again = await startServer(directory);
    try {
      expect(((await ask(again)).json() as { columns: object }).columns).toMatchObject({ age: { values: [30] } });
    } finally {
      await again.stop();
    }
  });
});

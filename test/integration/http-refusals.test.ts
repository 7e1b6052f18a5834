/** What is wrong with a request is a 4xx in our shape that names it, whatever it is; and one server outlives all of it. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, type HttpAnswer, post } from '../support/http-client.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

let server: ServerProcess;
const limits = { maxBodyBytes: 50_000, maxRows: 100, maxJsonDepth: 8 };

beforeAll(async () => {
  server = await startServer(await makeHttpStore({ http: limits }));
});
afterAll(async () => {
  await server?.stop();
});

const url = (path: string) => `${server.http}${path}`;
const online = (body: unknown) => post(url('/api/v1/online-features'), body);
const errorOf = (answer: HttpAnswer) => {
  const { error } = answer.json() as { error: { code: string; message: string; details: Record<string, unknown> } };
  expect(Object.keys(error)).toEqual(['code', 'message', 'details']);
  return [answer.status, error.code, error.message] as const;
};
const age = { features: ['user_profile:age'] };

describe('bad input', () => {
  it.each<[string, unknown, number, string, RegExp]>([
    [
      'an unknown view',
      { features: ['user_profil:age'], entities: { user_id: [1] } },
      404,
      'NOT_FOUND',
      /did you mean "user_profile"/,
    ],
    [
      'an unknown feature',
      { features: ['user_profile:agee'], entities: { user_id: [1] } },
      404,
      'NOT_FOUND',
      /did you mean "age"/,
    ],
    ['an unknown service', { service: 'rankr', entities: {} }, 404, 'NOT_FOUND', /did you mean "ranker"/],
    ['no reference', { features: ['age'], entities: { user_id: [1] } }, 400, 'INVALID_ARGUMENT', /"age" is no feature reference/],
    ['both', { ...age, service: 'ranker', entities: {} }, 400, 'INVALID_ARGUMENT', /one of them/],
    ['neither', { entities: {} }, 400, 'INVALID_ARGUMENT', /one of them/],
    ['no entities', age, 400, 'INVALID_ARGUMENT', /entities/],
    [
      'an unknown member',
      { ...age, entitys: {}, entities: { user_id: [1] } },
      400,
      'INVALID_ARGUMENT',
      /did you mean "entities"/,
    ],
    ['a missing key column', { ...age, entities: {} }, 400, 'INVALID_ARGUMENT', /user_id/],
    ['an unknown key column', { ...age, entities: { user_id: [1], usr_id: [1] } }, 400, 'INVALID_ARGUMENT', /usr_id/],
    [
      'unequal lengths',
      { service: 'plain', entities: { user_id: [1, 2], item_id: ['a', 'b', 'c'] } },
      400,
      'INVALID_ARGUMENT',
      /2.*3|3.*2/,
    ],
    ['a text for an integer', { ...age, entities: { user_id: ['one'] } }, 400, 'INVALID_ARGUMENT', /user_id/],
    ['a fraction for an integer', { ...age, entities: { user_id: [1.5] } }, 400, 'INVALID_ARGUMENT', /user_id/],
    ['a number for a text', { features: ['item_stats:sold'], entities: { item_id: [5] } }, 400, 'INVALID_ARGUMENT', /item_id/],
    ['an object for a key', { ...age, entities: { user_id: [{}] } }, 400, 'INVALID_ARGUMENT', /user_id/],
    ['a column that is no list', { ...age, entities: { user_id: 1 } }, 400, 'INVALID_ARGUMENT', /entities.user_id/],
    [
      'a missing request value',
      { features: ['doubled:times_age'], entities: { user_id: [1] } },
      400,
      'INVALID_ARGUMENT',
      /factor/,
    ],
    [
      'a request value of the wrong type',
      { features: ['doubled:times_age'], entities: { user_id: [1] }, request: { factor: ['x'] } },
      400,
      'INVALID_ARGUMENT',
      /factor/,
    ],
    ['too many rows', { ...age, entities: { user_id: Array(101).fill(1) } }, 413, 'OUT_OF_RANGE', /101 rows.*100/],
    ['a body that is a list', [], 400, 'INVALID_ARGUMENT', /the body/],
    ['a body that is null', null, 400, 'INVALID_ARGUMENT', /the body/],
  ])('%s', async (_name, body, status, code, message) => {
    expect(errorOf(await online(body))).toEqual([status, code, expect.stringMatching(message)]);
  });

  it.each<[string, string | Buffer, Record<string, string>, number, RegExp]>([
    ['truncated JSON', '{"features": ["user', {}, 400, /no JSON/],
    ['an empty body', '', {}, 400, /no JSON/],
    ['deep JSON', '['.repeat(9) + ']'.repeat(9), {}, 400, /nested 9 levels/],
    ['absurdly deep JSON', '['.repeat(40_000), {}, 400, /nested 40000 levels/],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]), {}, 400, /UTF-8/],
    ['a huge body', `"${'x'.repeat(60_000)}"`, {}, 413, /50000 bytes/],
    ['another content type', '{}', { 'content-type': 'text/plain' }, 415, /must be JSON/],
    ['a form of a foreign page', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, /must be JSON/],
    ['a packed body', '{}', { 'content-encoding': 'gzip' }, 415, /gzip/],
  ])('%s', async (_name, body, headers, status, message) => {
    const [got, , told] = errorOf(await call(url('/api/v1/online-features'), { method: 'POST', body, headers }));
    expect([got, told]).toEqual([status, expect.stringMatching(message)]);
    const feast = await call(url('/get-online-features'), { method: 'POST', body, headers });
    expect([feast.status, JSON.parse(feast.json() as string)]).toEqual([
      status,
      expect.objectContaining({ module: 'feast.errors', class: 'FeastError', message: expect.stringMatching(message) }),
    ]);
  });

  it('a body without end that claims no length', async () => {
    const chunk = Buffer.alloc(30_000, 0x20);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(server.http).port), '127.0.0.1', () => {
        socket.write(
          'POST /api/v1/push HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
        );
        for (let sent = 0; sent < 4; sent++) socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
      });
      socket.once('data', (bytes) => {
        resolve(bytes.toString());
        socket.destroy();
      });
    });
    expect(answer).toContain('HTTP/1.1 413');
  });

  it('addresses and methods that are not there, with the nearest that is', async () => {
    expect(errorOf(await call(url('/api/v1/online-feature')))).toEqual([
      404,
      'NOT_FOUND',
      expect.stringContaining('did you mean "/api/v1/online-features"'),
    ]);
    expect(errorOf(await call(url('/api/v1/push')))).toEqual([405, 'UNIMPLEMENTED', '/api/v1/push takes POST, and not GET']);
    expect(errorOf(await call(url('/api/v1/features/%E0%A4%A')))).toEqual([
      400,
      'INVALID_ARGUMENT',
      expect.stringMatching(/encoded/),
    ]);
    expect(errorOf(await call(url('/api/v1/feature-views/user_profil')))).toEqual([
      404,
      'NOT_FOUND',
      expect.stringContaining('user_profile'),
    ]);
    const long = await call(url('/api/v1/online-features?x=1'), { body: JSON.stringify({ ...age, entities: { user_id: [1] } }) });
    expect(long.status).toBe(200);
  });

  it('pushes that the source does not take', async () => {
    const push = (body: object) => post(url('/api/v1/push'), body);
    expect(errorOf(await push({ source: 'profile', rows: {} }))).toEqual([
      404,
      'NOT_FOUND',
      expect.stringContaining('"profiles"'),
    ]);
    expect(errorOf(await push({ source: 'stock', rows: { item_id: ['a'] } }))).toEqual([
      409,
      'FAILED_PRECONDITION',
      expect.stringContaining('push: true'),
    ]);
    expect(errorOf(await push({ source: 'profiles', rows: { user_id: [1], agee: [1] } }))[0]).toBe(400);
    expect(errorOf(await push({ source: 'profiles', rows: {}, to: 'nowhere' }))[0]).toBe(400);
    expect(errorOf(await post(url('/api/v1/materialize'), { start: 'yesterday' }))[0]).toBe(400);
    expect(errorOf(await post(url('/api/v1/materialize'), { views: ['user_profil'] }))[0]).toBe(404);
  });

  it('and the server lives, with every id of a request in its answer', async () => {
    const answer = await call(url('/health'), { headers: { 'x-request-id': 'mine-1' } });
    expect([answer.status, answer.headers['x-request-id']]).toEqual([200, 'mine-1']);
    const made = await call(url('/health'), { headers: { 'x-request-id': 'has a blank' } });
    expect(made.headers['x-request-id']).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
    expect(server.log()).not.toContain('http request failed');
  });
});

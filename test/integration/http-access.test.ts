/** One decision about who may what, on HTTP and Flight alike: scopes, views, expiry, TLS, and the refusal to be open to others. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FlightClient, openFlightClient } from '../../src/client/flight-client.ts';
import { call, post } from '../support/http-client.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

interface Made {
  readonly id: string;
  readonly token: string;
}

const pem = (name: string) => fileURLToPath(new URL(`../flight/support/localhost.${name}.pem`, import.meta.url));
const features = { features: ['user_profile:age'], entities: { user_id: [1] } };

describe('a server with tokens', () => {
  let directory: string;
  let server: ServerProcess;
  const tokens: Record<string, Made> = {};

  const bearer = (name: string) => ({ authorization: `Bearer ${tokens[name]?.token}` });
  const statusOf = async (name: string, path: string, body?: unknown) => {
    const sent = { headers: bearer(name), ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const { status } = await call(`${server.http}${path}`, sent);
    return status;
  };
  const make = async (name: string, request: object) => {
    const answer = await post(`${server.http}/api/v1/tokens`, request, tokens.admin === undefined ? {} : bearer('admin'));
    expect(answer.status).toBe(201);
    tokens[name] = answer.json() as Made;
  };
  const flight = async <T>(name: string | undefined, work: (client: FlightClient) => Promise<T>): Promise<T | string> => {
    const client = openFlightClient({ url: server.url, token: name === undefined ? undefined : tokens[name]?.token });
    try {
      return await work(client);
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      client.close();
    }
  };
  const train = async (client: FlightClient, feature = 'user_profile:age') => {
    const answer = await client.getHistoricalFeatures({ features: [feature], path: 'data/frame.parquet' });
    let rows = 0;
    for await (const { batch } of answer.batches()) rows += batch.length;
    return rows;
  };

  beforeAll(async () => {
    directory = await makeHttpStore({ readable: ['data'] });
    await writeTables(directory, [
      ['data/frame.parquet', "select 1::bigint as user_id, 'item 1' as item_id, timestamptz '2026-06-01' as event_timestamp"],
      ['data/factors.parquet', "select 1::bigint as user_id, 2::double as factor, timestamptz '2026-06-01' as event_timestamp"],
    ]);
    server = await startServer(directory, { environment: { FEATHERFLIGHT_LOG_LEVEL: 'trace' } });
    await make('admin', { scopes: ['admin'], description: 'the first' });
    await make('online', { scopes: ['read-online'] });
    await make('offline', { scopes: ['read-offline'] });
    await make('writer', { scopes: ['write'] });
    await make('items', { scopes: ['read-online', 'read-offline', 'write'], views: ['item_stats'] });
    await make('doubled', { scopes: ['read-online', 'read-offline'], views: ['doubled'] });
    await make('both', { scopes: ['read-online', 'read-offline'], views: ['doubled', 'user_profile'] });
    await make('foreign', { scopes: ['admin'], project: 'bakery' });
    await make('expired', { scopes: ['admin'], expires_at: '2020-01-01T00:00:00Z' });
    await make('revoked', { scopes: ['admin'] });
    const revoked = await call(`${server.http}/api/v1/tokens/${tokens.revoked?.id}`, {
      method: 'DELETE',
      headers: bearer('admin'),
    });
    expect(revoked.json()).toMatchObject({ id: tokens.revoked?.id, revokedAt: expect.any(String) });
    tokens.unknown = { id: '', token: `ff_${'0'.repeat(12)}_${'A'.repeat(43)}` };
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('refuses whoever has none, or one that does not stand, with 401 and UNAUTHENTICATED', async () => {
    const bare = await post(`${server.http}/api/v1/online-features`, features);
    expect([bare.status, bare.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(await flight(undefined, (client) => client.serverInfo())).toBe('UNAUTHENTICATED');
    for (const name of ['foreign', 'expired', 'revoked', 'unknown']) {
      expect([name, await statusOf(name, '/api/v1/online-features', features)]).toEqual([name, 401]);
      expect([name, await flight(name, (client) => client.serverInfo())]).toEqual([name, 'UNAUTHENTICATED']);
      expect([name, await flight(name, (client) => train(client))]).toEqual([name, 'UNAUTHENTICATED']);
    }
    const feast = await post(`${server.http}/get-online-features`, features);
    expect([feast.status, JSON.parse(feast.json() as string).class]).toEqual([401, 'FeastPermissionError']);
  });

  it('lets everybody see that it lives and what its addresses are', async () => {
    for (const path of ['/health', '/ready', '/openapi.json']) expect((await call(`${server.http}${path}`)).status).toBe(200);
    expect((await call(`${server.http}/metrics`)).status).toBe(401);
  });

  it('holds HTTP to the scopes', async () => {
    const pushed = { source: 'profiles', rows: {} };
    const table: readonly (readonly [path: string, body: unknown, allowed: readonly string[]])[] = [
      ['/api/v1/online-features', features, ['online', 'admin']],
      ['/get-online-features', features, ['online', 'admin']],
      ['/api/v1/push', pushed, ['writer', 'admin']],
      ['/api/v1/write-to-online-store', { view: 'user_profile', rows: {} }, ['writer', 'admin']],
      ['/push', { push_source_name: 'profiles', df: {} }, ['writer', 'admin']],
      ['/write-to-online-store', { feature_view_name: 'user_profile', df: {} }, ['writer', 'admin']],
      ['/api/v1/materialize', { views: ['user_profile'] }, ['writer', 'admin']],
      ['/materialize-incremental', { end_ts: '2026-11-01T00:00:00Z', feature_views: ['user_profile'] }, ['writer', 'admin']],
      ['/api/v1/plan', {}, ['admin']],
      ['/api/v1/apply', {}, ['admin']],
      ['/api/v1/tokens', { scopes: [] }, ['admin']],
      ['/api/v1/tokens', undefined, ['admin']],
      ['/api/v1/entities', undefined, ['online', 'offline', 'writer', 'admin']],
      ['/metrics', undefined, ['online', 'offline', 'writer', 'admin']],
    ];
    for (const [path, body, allowed] of table) {
      for (const name of ['online', 'offline', 'writer', 'admin']) {
        const status = await statusOf(name, path, body);
        expect([path, name, status === 403]).toEqual([path, name, !allowed.includes(name)]);
        expect(status).not.toBe(401);
      }
    }
    const told = await post(`${server.http}/api/v1/apply`, {}, bearer('writer'));
    expect(told.json()).toMatchObject({ error: { code: 'PERMISSION_DENIED', message: expect.stringContaining('"admin"') } });
  });

  it('holds Flight to the scopes', async () => {
    const table: readonly (readonly [what: string, (client: FlightClient) => Promise<unknown>, allowed: readonly string[]])[] = [
      ['training set', (client) => train(client), ['offline', 'admin']],
      ['catalogue', (client) => client.catalogue('features'), ['online', 'offline', 'writer', 'admin']],
      ['cancel', (client) => client.action('cancel', { query: 'none' }), ['offline', 'admin']],
      ['plan', (client) => client.plan(), ['admin']],
      ['apply', (client) => client.apply(), ['admin']],
      ['materialize', (client) => client.action('materialize', { views: ['user_profile'] }), ['writer', 'admin']],
      ['list_tokens', (client) => client.action('list_tokens'), ['admin']],
      ['create_token', (client) => client.action('create_token', { scopes: ['none'] }), ['admin']],
      ['revoke_token', (client) => client.action('revoke_token', { id: 'none' }), ['admin']],
    ];
    for (const [what, work, allowed] of table) {
      for (const name of ['online', 'offline', 'writer', 'admin']) {
        const answer = await flight(name, work);
        expect([what, name, answer === 'PERMISSION_DENIED']).toEqual([what, name, !allowed.includes(name)]);
      }
    }
  });

  it('holds a token for certain views to these, also inside a service and behind a ticket', async () => {
    const items = { features: ['item_stats:price'], entities: { item_id: ['item 1'] } };
    expect(await statusOf('items', '/api/v1/online-features', items)).toBe(200);
    for (const [path, body] of [
      ['/api/v1/online-features', features],
      ['/api/v1/online-features', { service: 'plain', entities: { user_id: [1], item_id: ['item 1'] } }],
      ['/get-online-features', { feature_service: 'plain', entities: { user_id: [1], item_id: ['item 1'] } }],
      ['/api/v1/push', { source: 'profiles', rows: {} }],
      ['/write-to-online-store', { feature_view_name: 'user_profile', df: {} }],
      ['/api/v1/write-to-online-store', { view: 'user_profile', rows: {} }],
      ['/api/v1/materialize', {}],
      ['/materialize-incremental', { end_ts: '2026-11-01T00:00:00Z' }],
    ] as const) {
      const answer = await post(`${server.http}${path}`, body, bearer('items'));
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.text).toContain('user_profile');
    }
    expect(await flight('items', (client) => train(client, 'item_stats:price'))).toBe(1);
    expect(await flight('items', (client) => train(client))).toBe('PERMISSION_DENIED');
    expect(await flight('items', (client) => client.action('materialize', {}))).toBe('PERMISSION_DENIED');
  });

  it('holds a token to the views that on-demand views read, whose transform could reveal them', async () => {
    const doubled = { features: ['doubled:times_age'], entities: { user_id: [1] }, request: { factor: [2] } };
    const feast = { features: ['doubled:times_age'], entities: { user_id: [1], factor: [2] } };
    const frame = { features: ['doubled:times_age'], path: 'data/factors.parquet' };
    const offline = (name: string) => flight(name, async (client) => (await client.getHistoricalFeatures(frame)).schema);
    for (const [name, status] of [
      ['doubled', 403],
      ['both', 200],
    ] as const) {
      expect([name, await statusOf(name, '/api/v1/online-features', doubled)]).toEqual([name, status]);
      expect([name, await statusOf(name, '/get-online-features', feast)]).toEqual([name, status]);
    }
    const told = await post(`${server.http}/api/v1/online-features`, doubled, bearer('doubled'));
    expect(told.json()).toMatchObject({ error: { code: 'PERMISSION_DENIED', details: { view: 'user_profile' } } });
    expect(await offline('doubled')).toBe('PERMISSION_DENIED');
    expect(await offline('both')).toMatchObject({ fields: expect.anything() });
  });

  it('makes and revokes tokens through Flight, and HTTP knows at once', async () => {
    const made = (await flight('admin', (client) =>
      client.action('create_token', { scopes: ['read-online'] }),
    )) as unknown as Made;
    tokens.made = made;
    expect(await statusOf('made', '/api/v1/online-features', features)).toBe(200);
    await flight('admin', (client) => client.action('revoke_token', { id: made.id }));
    expect(await statusOf('made', '/api/v1/online-features', features)).toBe(401);
    const listed = await call(`${server.http}/api/v1/tokens`, { headers: bearer('admin') });
    expect(listed.text).toContain(made.id);
    for (const { token } of Object.values(tokens)) expect(listed.text).not.toContain(token);
    expect(listed.text).not.toContain('hash');
  });

  it('has no secret in its log', async () => {
    const log = server.log();
    expect(log).toContain('http request refused');
    expect(log).toContain('flight call ended');
    for (const { token } of Object.values(tokens)) expect(log).not.toContain(token.slice(16));
  });
});

describe('an address that others reach', () => {
  it('is refused without a token, by what to do, and taken with insecure, which is warned of', async () => {
    const directory = await makeHttpStore({ http: { host: '0.0.0.0' } });
    await expect(startServer(directory)).rejects.toThrow(/http\.host is 0\.0\.0\.0.*no token.*token create.*insecure: true/);
    const open = await makeHttpStore({ http: { host: '0.0.0.0' }, insecure: true });
    const server = await startServer(open);
    expect(server.log()).toContain('insecure: everybody');
    expect((await call(`http://127.0.0.1:${new URL(server.http).port}/health`)).status).toBe(200);
    expect(await server.stop()).toEqual({ status: 0, signal: null });
  });
});

describe('TLS', () => {
  it('speaks for HTTP and Flight alike from the same files', async () => {
    const server = await startServer(await makeHttpStore({ tls: { cert: pem('cert'), key: pem('key') } }));
    const ca = readFileSync(pem('cert'), 'utf8');
    try {
      expect([new URL(server.url).protocol, new URL(server.http).protocol]).toEqual(['grpc+tls:', 'https:']);
      expect((await call(`${server.http}/health`, { ca })).status).toBe(200);
      await expect(call(`${server.http}/health`)).rejects.toThrow(/self-signed/);
      const client = openFlightClient({ url: server.url, tls: { rootCertificates: ca } });
      expect(await client.serverInfo()).toMatchObject({ http: { tls: true } });
      client.close();
    } finally {
      expect(await server.stop()).toEqual({ status: 0, signal: null });
    }
  });

  it('refuses files that are not what they should be, by their names', async () => {
    const directory = await makeHttpStore();
    writeFileSync(join(directory, 'empty.pem'), '');
    const start = (tls: object) => {
      const config = { project: 'shop', tls };
      writeFileSync(join(directory, 'featherflight.config.ts'), `export default ${JSON.stringify(config)};\n`);
      return startServer(directory);
    };
    await expect(start({ cert: 'nowhere.pem', key: pem('key') })).rejects.toThrow(
      /tls\.cert: .*nowhere\.pem cannot be read: ENOENT/,
    );
    await expect(start({ cert: 'empty.pem', key: pem('key') })).rejects.toThrow(/tls\.cert: .*empty\.pem holds no certificate/);
    await expect(start({ cert: pem('cert'), key: 'empty.pem' })).rejects.toThrow(/tls\.key: .*empty\.pem holds no private key/);
    await expect(start({ cert: pem('cert'), key: pem('key'), clientCa: 'empty.pem' })).rejects.toThrow(/tls\.clientCa/);
  });
});

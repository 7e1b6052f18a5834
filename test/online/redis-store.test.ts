/** The acceptance suite of online stores on Redis in each of its forms, and on Valkey. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countUp } from '../support/count-up.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { findRedis, findValkey, type RedisServer, startRedis } from '../support/start-redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/start-redis-cluster.ts';
import { startRedisSentinel, type WatchedRedis } from '../support/start-redis-sentinel.ts';
import { describeStore } from './store-suite.ts';

const [cert, key] = ['cert', 'key'].map((name) =>
  fileURLToPath(new URL(`../flight/support/localhost.${name}.pem`, import.meta.url)),
) as [string, string];

const page = readFileSync(new URL('../../docs/reference/redis.md', import.meta.url), 'utf8');
/** The words of ACL SETUSER that the page shows, for keys of any name, which is what the suite takes. */
const permissions = (/ACL SETUSER featherflight (.*?)```/s.exec(page)?.[1] ?? '')
  .replace('~streamrec*', '~*')
  .split(/\s+/)
  .filter(Boolean);

describe('one Redis, with a user of its own and TLS', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ tls: { cert, key }, program: await findRedis() });
    await server.command('acl', 'setuser', 'featherflight', ...permissions);
  });
  afterAll(() => server.stop());

  describeStore('Redis with TLS and a user', () =>
    openTestRedis({ url: `rediss://featherflight:PASSWORD@localhost:${server.port}`, tls: { ca: cert } }),
  );

  it('is refused without the authority of its certificate, as long as it is', async () => {
    const store = openTestRedis({ url: `rediss://featherflight:PASSWORD@localhost:${server.port}`, commandTimeoutMs: 500 });
    await expect(store.check()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/certificate/) });
    await store.close();
  });

  it('says at once which file of TLS is missing', () => {
    const options = { url: 'rediss://localhost', tls: { ca: '/nowhere/ca.pem' } };
    expect(() => openTestRedis(options)).toThrow(/\/nowhere\/ca\.pem, named by redis\(\{ tls: \{ ca \} \}\), cannot be read/);
  });
});

describe('one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ args: ['--unixsocket', 'redis.sock'] });
  });
  afterAll(() => server.stop());

  describeStore('Redis', () => openTestRedis({ url: `redis://${server.address}` }));

  it('is reached through a socket file, and in another database by its number', async () => {
    const key = Buffer.from('through a socket');
    const store = openTestRedis({ url: `unix://${server.directory}/redis.sock`, database: 3 });
    expect(store.name).toBe(`Redis at ${server.directory}/redis.sock`);
    expect(await store.replace([{ key, expected: undefined, value: key }])).toEqual([]);
    await store.close();
    const [there, elsewhere] = ['3', '0'].map((number) => openTestRedis({ url: `redis://${server.address}/${number}` }));
    expect(await there?.read([key])).toEqual([key]);
    expect(await elsewhere?.read([key])).toEqual([undefined]);
    await Promise.all([there?.close(), elsewhere?.close()]);
  });
});

describe('a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());

  describeStore('Redis Cluster', () => openTestRedis({ cluster: cluster.addresses.slice(0, 2) }));
});

describe('Sentinel', () => {
  let watched: WatchedRedis;
  beforeAll(async () => {
    watched = await startRedisSentinel();
  });
  afterAll(() => watched.stop());
  const open = () => openTestRedis({ sentinel: { master: 'watched', nodes: watched.sentinels } });

  describeStore('Redis with Sentinel', open);

  it('goes on at the new master when the master dies under load, with everything that the replica had', async () => {
    const store = open();
    const before = countUp(store, 100, 'before');
    await before.progress(1000);
    await before.stop();
    await expect.poll(() => watched.master.command('wait', 1, 1000)).toBe(1);
    const during = countUp(store, 100, 'during');
    await during.progress(500);
    await watched.master.kill();
    await during.progress(500);
    await during.stop();
    expect(await before.audit(store)).toEqual([]);
    expect(during.errors.every(({ code }) => code === 'UNAVAILABLE')).toBe(true);
    await store.check();
    await store.close();
  });
});

describe.skipIf(findValkey() === undefined)('Valkey', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ program: findValkey() });
  });
  afterAll(() => server.stop());

  describeStore('Valkey', () => openTestRedis({ url: `redis://${server.address}` }));
});

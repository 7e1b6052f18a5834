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
/** The words of ACL SETUSER that the page shows for a user. */
const wordsFor = (user: string) => {
  const words = new RegExp(`ACL SETUSER ${user} (.*?)(?:ACL|\`\`\`)`, 's').exec(page)?.[1] ?? '';
  return words.split(/\s+/).filter(Boolean);
};
/** For keys of any name, which is what the suite takes. */
const permissions = wordsFor('featherflight').map((word) => (word === '~streamrec*' ? '~*' : word));
const sentinelPermissions = wordsFor('watcher');

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
  const open = () => openTestRedis({ sentinel: { master: 'watched', nodes: watched.sentinels.map(({ address }) => address) } });

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

describe('with TLS and a user of its own', () => {
  const secure = { username: 'featherflight', password: 'PASSWORD', tls: { ca: cert } };
  const ends: (() => Promise<void>)[] = [];
  afterAll(() => Promise.all(ends.map((end) => end())));

  describe('a Cluster', () => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster({ tls: { cert, key } });
      ends.push(() => cluster.stop());
      for (const node of cluster.nodes) await node.command('acl', 'setuser', 'featherflight', ...permissions);
    });

    describeStore('Redis Cluster with TLS and a user', () => openTestRedis({ cluster: cluster.addresses, ...secure }));

    it.each([
      ['without the authority of its certificate', { ...secure, tls: {} }, /see tls of redis/],
      ['without TLS', { ...secure, tls: undefined }, /see tls of redis/],
      ['with a wrong password', { ...secure, password: 'wr0ng' }, /WRONGPASS/],
    ])('is refused %s, and no password is told', async (_, options, message) => {
      const store = openTestRedis({ cluster: cluster.addresses, ...options, commandTimeoutMs: 500 });
      const failure = await store.check().catch((error: Error) => error);
      expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(message) });
      expect(String(failure)).not.toMatch(/wr0ng|PASSWORD/);
      await store.close();
    });
  });

  describe('Sentinel', () => {
    let watched: WatchedRedis;
    beforeAll(async () => {
      watched = await startRedisSentinel({ cert, key });
      ends.push(() => watched.stop());
      for (const node of [watched.master, watched.replica]) await node.command('acl', 'setuser', 'featherflight', ...permissions);
      for (const sentinel of watched.sentinels) await sentinel.command('acl', 'setuser', 'watcher', ...sentinelPermissions);
    });
    const open = () => {
      const nodes = watched.sentinels.map(({ address }) => address);
      return openTestRedis({ sentinel: { master: 'watched', nodes, username: 'watcher', password: 'PASSWORD' }, ...secure });
    };

    describeStore('Redis with Sentinel, TLS and users', open);

    it('follows a failover', { timeout: 90_000 }, async () => {
      const store = open();
      await store.check();
      await watched.master.kill();
      await expect.poll(() => store.check().then(() => 'well', String), { timeout: 30_000 }).toBe('well');
      await store.close();
    });
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

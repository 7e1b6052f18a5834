/** A Cluster of three under load: slots that move, a node that is lost and comes back, and a master whose replica takes its place. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotOfKey } from '../../src/online/redis/slot.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { countUp } from '../support/count-up.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import type { RedisServer } from '../support/start-redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/start-redis-cluster.ts';

let cluster: RedisCluster;
let store: OnlineStore;

beforeAll(async () => {
  cluster = await startRedisCluster({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
});
afterAll(() => cluster.stop());

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a Redis Cluster', () => {
  it('keeps every acknowledged write while slots move under load, back and forth', async () => {
    store = openTestRedis({ cluster: cluster.addresses });
    const load = countUp(store, 300);
    const ownedByFirst = [...Array(300).keys()].map((key) => slotOfKey(bytes(`c${key}`))).filter((slot) => slot < 5461);
    for (const slot of ownedByFirst.slice(0, 10)) {
      await load.progress(100);
      await cluster.moveSlot(slot, 0, 1);
    }
    for (const slot of ownedByFirst.slice(0, 5)) {
      await load.progress(100);
      await cluster.moveSlot(slot, 1, 2);
    }
    await load.progress(1000);
    await load.stop();
    expect(load.errors.map(({ message }) => message)).toEqual([]);
    expect(await load.audit(store)).toEqual([]);
    await store.close();
  });

  it('scans every key once at least while slots move', async () => {
    store = openTestRedis({ cluster: cluster.addresses });
    const keys = Array.from({ length: 3000 }, (_, index) => `scanned ${index}`);
    await store.replace(keys.map((key) => ({ key: bytes(key), expected: undefined, value: bytes('1') })));
    const moved = keys.map((key) => slotOfKey(bytes(key))).filter((slot) => slot < 5461);
    const moving = (async () => {
      for (const slot of moved.slice(20, 40)) await cluster.moveSlot(slot, 0, 1).catch(() => {});
    })();
    const found = new Set<string>();
    for await (const page of store.scan(bytes('scanned '))) for (const key of page) found.add(Buffer.from(key).toString());
    await moving;
    expect(keys.filter((key) => !found.has(key))).toEqual([]);
    await store.close();
  });

  it('refuses in time while a node is lost, and goes on when it is back, with nothing acknowledged lost', async () => {
    store = openTestRedis({ cluster: cluster.addresses, commandTimeoutMs: 1000 });
    const load = countUp(store, 300, 'lost');
    await load.progress(2000);
    await cluster.nodes[1]?.kill();
    await expect.poll(() => load.errors.length, { timeout: 10_000 }).toBeGreaterThan(3);
    expect(await store.check().catch((error: { code: string }) => error.code)).toBe('UNAVAILABLE');
    await cluster.nodes[1]?.restart();
    await load.progress(2000);
    await load.stop();
    expect(await load.audit(store)).toEqual([]);
    expect(new Set(load.errors.map(({ code }) => code))).toEqual(new Set(['UNAVAILABLE']));
    await store.check();
    await store.close();
  });
});

/** Resolves when a replica has everything that its master has acknowledged by now. */
async function copied(master: RedisServer): Promise<void> {
  const offsetOf = async (field: RegExp) => Number(field.exec(String(await master.command('info', 'replication')))?.[1]);
  const acknowledged = await offsetOf(/^master_repl_offset:(\d+)/m);
  await expect.poll(() => offsetOf(/^slave0:.*offset=(\d+)/m), { timeout: 30_000 }).toBeGreaterThanOrEqual(acknowledged);
}

async function roleOf(server: RedisServer): Promise<unknown> {
  return ((await server.command('role')) as unknown[])[0];
}

describe('a Redis Cluster with replicas', () => {
  let replicated: RedisCluster;
  beforeAll(async () => {
    replicated = await startRedisCluster({ replicas: 1 });
  });
  afterAll(() => replicated.stop());

  it('goes on by itself at the replica of a master that dies under load, with everything that was acknowledged and copied', {
    timeout: 120_000,
  }, async () => {
    const [master, , , replica] = replicated.nodes as [RedisServer, RedisServer, RedisServer, RedisServer];
    // Addresses of the others: the client knows the whole Cluster from any.
    store = openTestRedis({ cluster: replicated.addresses.slice(1), commandTimeoutMs: 1000 });
    const before = countUp(store, 300, 'before');
    await before.progress(3000);
    await before.stop();
    expect(before.errors).toEqual([]);
    for (const node of replicated.nodes.slice(0, 3)) await copied(node);

    const during = countUp(store, 300, 'during');
    await during.progress(1000);
    await master.kill();
    await expect.poll(() => during.errors.length, { timeout: 30_000 }).toBeGreaterThan(0);
    // Every batch has keys of the slots that were lost: this much is only possible at the replica.
    await during.progress(3000);
    await during.stop();
    expect(await roleOf(replica)).toBe('master');
    expect(await before.audit(store)).toEqual([]);
    expect(new Set(during.errors.map(({ code }) => code))).toEqual(new Set(['UNAVAILABLE']));

    // The old master comes back as a replica, and takes no write that it has not been given.
    await master.restart();
    await expect.poll(() => roleOf(master).catch(String), { timeout: 30_000 }).toBe('slave');
    const after = countUp(store, 300, 'after');
    await after.progress(2000);
    await after.stop();
    expect([await after.audit(store), await before.audit(store)]).toEqual([[], []]);
    await store.check();
    await store.close();
  });
});

/** Reads that are asked at the same time share their round trip, and nothing else: each has its own values, deadline and failure. */
import { afterEach, describe, expect, it } from 'vitest';
import { slotOfKey } from '../../src/online/redis/slot.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { startRedisCluster } from '../support/start-redis-cluster.ts';

const opened: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of opened.splice(0).reverse()) await end();
});

const bytes = (text: string) => Buffer.from(text);

async function openFilled(count: number, options: Parameters<typeof openTestRedis>[0], end: () => Promise<unknown>) {
  opened.push(end);
  const store = openTestRedis(options);
  opened.push(() => store.close());
  const keys = Array.from({ length: count }, (_, at) => bytes(`key ${at}`));
  await store.replace(keys.map((key) => ({ key, expected: undefined, value: key })));
  return { store, keys };
}

async function readsCounted(server: RedisServer): Promise<number> {
  const stats = (await server.command('INFO', 'commandstats')) as string;
  return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

describe('reads at the same time', () => {
  it('are one command, and each gets its own values in the order of its keys', async () => {
    const server = await startRedis();
    const { store } = await openFilled(300, { url: `redis://${server.address}` }, () => server.stop());
    const draw = (most: number) => Math.floor(Math.random() * most);
    const asked = Array.from({ length: 20 }, () => Array.from({ length: draw(40) }, () => draw(400)));
    const before = await readsCounted(server);
    const answers = await Promise.all(asked.map((numbers) => store.read(numbers.map((number) => bytes(`key ${number}`)))));
    expect((await readsCounted(server)) - before).toBe(1);
    const expected = asked.map((numbers) => numbers.map((number) => (number < 300 ? bytes(`key ${number}`) : undefined)));
    expect(answers).toEqual(expected);
  });

  it('go out in commands of at most 1,000 keys', async () => {
    const server = await startRedis();
    const { store, keys } = await openFilled(2500, { url: `redis://${server.address}` }, () => server.stop());
    const before = await readsCounted(server);
    const [all, some] = await Promise.all([store.read(keys), store.read(keys.slice(0, 10))]);
    expect([all, some]).toEqual([keys, keys.slice(0, 10)]);
    expect((await readsCounted(server)) - before).toBe(4);
  });

  it('end one by one where one is given up', async () => {
    const server = await startRedis();
    const { store, keys } = await openFilled(2, { url: `redis://${server.address}` }, () => server.stop());
    const abort = new AbortController();
    const given = store.read(keys, abort.signal);
    const kept = store.read(keys);
    abort.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect(await kept).toEqual(keys);
  });

  it('fail alone where a node of a Cluster hangs: those of other nodes are answered', async () => {
    const cluster = await startRedisCluster();
    const options = { cluster: cluster.addresses, commandTimeoutMs: 1500 };
    const { store, keys } = await openFilled(100, options, () => cluster.stop());
    const isFirst = (key: Buffer) => slotOfKey(key) < 5461;
    cluster.nodes[0]?.freeze();
    const startedMs = performance.now();
    const there = store
      .read(keys.filter((key) => !isFirst(key)))
      .then((values) => ({ values, ms: performance.now() - startedMs }));
    const away = store.read(keys.filter(isFirst));
    await expect(away).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await there).values).toEqual(keys.filter((key) => !isFirst(key)));
    expect((await there).ms).toBeLessThan(1000);
    cluster.nodes[0]?.thaw();
  });
});

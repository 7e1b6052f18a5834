/** Redis Streams as a log: every entry once and in order, through restarts, moved slots and trimming that is told on. */
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FeatureStoreError } from '../../../src/errors.ts';
import type { RedisStreamDocument } from '../../../src/registry/document.ts';
import type { LogRange, LogReader, LogRecord } from '../../../src/stream/log/log.ts';
import { openRedisStreamLog } from '../../../src/stream/log/redis-stream.ts';
import { type RedisServer, startRedis } from '../../support/start-redis.ts';
import { type RedisCluster, startRedisCluster } from '../../support/start-redis-cluster.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} } as never;
const ends: (() => Promise<unknown>)[] = [];
let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
});
beforeEach(async () => {
  client = server.connect();
  await client.flushall();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  client.disconnect();
});
afterAll(async () => {
  await server.stop();
});

function openLog(keys: readonly string[], url: RedisStreamDocument['url'] = `redis://${server.address}`, environment = {}) {
  const stream: RedisStreamDocument = { kind: 'redisStream', url, keys, format: 'json', from: 'earliest' };
  return openRedisStreamLog({ project: 'p', source: 'clicks', stream, root: '/', environment, logger: silent });
}

interface TestReader extends LogReader {
  readonly taken: Map<string, LogRecord[]>;
  readonly opened: [string, LogRange][];
  readonly passed: [string, bigint][];
  texts(key: string): string[];
}

/** Goes on behind what it has taken, and refuses a log that has less than that, as a processor does. */
function createReader(): TestReader {
  const taken = new Map<string, LogRecord[]>();
  const opened: [string, LogRange][] = [];
  const passed: [string, bigint][] = [];
  return {
    taken,
    opened,
    passed,
    texts: (key) => (taken.get(key) ?? []).map(({ value }) => Buffer.from(value ?? []).toString()),
    async open(key, range) {
      opened.push([key, range]);
      const last = taken.get(key)?.at(-1);
      if (last === undefined) return range.first;
      if (range.first > last.offset + 1n || range.end < last.offset + 1n) {
        throw new FeatureStoreError('DATA_LOSS', 'the log is not what was read');
      }
      return last.offset + 1n;
    },
    async pass(key, next) {
      passed.push([key, next]);
    },
    async take(key, records, end) {
      for (const record of records) {
        const all = taken.get(key) ?? [];
        taken.set(key, all);
        if (record.offset <= (all.at(-1)?.offset ?? -1n) || record.offset >= end)
          throw new Error(`${record.offset} out of order`);
        all.push(record);
      }
    },
  };
}

function startReading(log: ReturnType<typeof openLog>, reader = createReader()) {
  const stopping = new AbortController();
  const ended = log.run(reader, stopping.signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  const stop = async () => {
    stopping.abort();
    return await ended;
  };
  ends.push(stop);
  return { reader, ended, stop };
}

const until = (holds: () => void) => vi.waitFor(holds, { timeout: 30_000, interval: 20 });
const add = (key: string, value: string, id = '*') => client.xadd(key, id, 'value', value);
const numbers = (end: number, start = 0) => Array.from({ length: end - start }, (_, at) => String(start + at));

describe('one server', () => {
  it('gives every entry of every key once and in order, those that come later too, with its id as its offset', async () => {
    for (const n of numbers(2500)) await add('a', n, `${5 + Number(n)}-1`);
    await add('b', 'x', '18446744073709551615-0');
    const log = openLog(['a', 'b']);
    const { reader, stop } = startReading(log);
    await until(() => expect(reader.texts('a')).toEqual(numbers(2500)));
    await until(() => expect(reader.texts('b')).toEqual(['x']));
    expect(reader.taken.get('a')?.[0]?.offset).toBe((5n << 64n) | 1n);
    expect(new Map(reader.opened).get('b')?.first).toBe(18_446_744_073_709_551_615n << 64n);
    await add('a', 'late');
    await until(() => expect(reader.texts('a').at(-1)).toBe('late'));
    const ranges = await log.ranges();
    expect(ranges.get('a')).toEqual({ first: (5n << 64n) | 1n, end: (reader.taken.get('a')?.at(-1)?.offset ?? 0n) + 1n });
    expect(await stop()).toBeUndefined();
    expect(reader.opened.length).toBe(2);
  });

  it('is read to its end also where the last entries were deleted before anybody read them', async () => {
    await add('a', 'x', '5-0');
    const log = openLog(['a']);
    const { reader, stop } = startReading(log);
    await until(() => expect(reader.texts('a')).toEqual(['x']));
    expect(reader.passed).toEqual([]);
    await client.multi().xadd('a', '7-0', 'value', 'gone').xdel('a', '7-0').exec();
    const { end } = (await log.ranges()).get('a') as LogRange;
    expect(end).toBe((7n << 64n) + 1n);
    await until(() => expect(reader.passed).toEqual([['a', end]]));
    await add('a', 'y', '8-0');
    await until(() => expect(reader.texts('a')).toEqual(['x', 'y']));
    expect(await stop()).toBeUndefined();
    expect(reader.opened.length).toBe(1);
  });

  it('gives fields as a JSON object of text, unless there is one that is named value', async () => {
    await client.xadd('a', '*', 'user_id', '17', 'note', '"quoted" ä\n');
    await client.xadd('a', '*', 'value', '{"user_id": 18}');
    await client.xadd('a', '*', 'user_id', '19');
    await client.xadd('a', '*', 'raw', Buffer.of(0xff));
    const { reader } = startReading(openLog(['a']));
    await until(() => expect(reader.texts('a').length).toBe(4));
    const [first, second, third] = reader.texts('a') as [string, string, string];
    expect(JSON.parse(first)).toEqual({ user_id: '17', note: '"quoted" ä\n' });
    expect([second, third]).toEqual(['{"user_id": 18}', '{"user_id":"19"}']);
    expect(Buffer.from(reader.taken.get('a')?.[3]?.value ?? [])).toEqual(
      Buffer.concat([Buffer.from('{"raw":"'), Buffer.of(0xff), Buffer.from('"}')]),
    );
  });

  it('hands a reader no more than it can take at once, and waits for it', async () => {
    for (let n = 0; n < 40; n++) await add('a', 'x'.repeat(1_000_000));
    const reader = createReader();
    const sizes: number[] = [];
    const { take } = reader;
    let running = 0;
    reader.take = async (key, records, end, signal) => {
      expect(++running).toBe(1);
      sizes.push(records.length);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await take(key, records, end, signal);
      running -= 1;
    };
    startReading(openLog(['a']), reader);
    await until(() => expect(reader.texts('a').length).toBe(40));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16);
  });

  it('begins with a key that is not there yet, and says so', async () => {
    const log = openLog(['later']);
    expect(await log.ranges()).toEqual(new Map([['later', { first: 0n, end: 0n }]]));
    const { reader } = startReading(log);
    await until(() => expect(reader.opened.length).toBe(1));
    await add('later', 'x');
    await until(() => expect(reader.texts('later')).toEqual(['x']));
  });

  it('goes on where it was when the server is killed and comes back, again and again', { timeout: 60_000 }, async () => {
    const { reader } = startReading(openLog(['a']));
    for (let round = 0; round < 4; round++) {
      await add('a', `before ${round}`);
      await until(() => expect(reader.texts('a').at(-1)).toBe(`before ${round}`));
      client.disconnect();
      await server.kill('SIGKILL');
      // Once for longer than anything asked of Redis may last.
      if (round === 0) await pause(6000);
      await server.restart();
      client = server.connect();
      await add('a', `after ${round}`);
      await until(() => expect(reader.texts('a').at(-1)).toBe(`after ${round}`));
    }
    expect(reader.texts('a').length).toBe(8);
    expect(reader.opened.length).toBeGreaterThan(1);
  });

  it('a stream of which all was read may be trimmed to its last entry, and to none', async () => {
    const { reader, stop } = startReading(openLog(['a']));
    for (const n of numbers(30)) {
      await client.xadd('a', 'MAXLEN', '=', 1, '*', 'value', n);
      await until(() => expect(reader.texts('a').length).toBe(Number(n) + 1));
    }
    await client.xtrim('a', 'MAXLEN', 0);
    await add('a', 'more');
    await until(() => expect(reader.texts('a')).toEqual([...numbers(30), 'more']));
    expect(await stop()).toBeUndefined();
  });

  it.each([
    ['trimmed beyond what was read', async () => void (await client.xtrim('a', 'MAXLEN', 1))],
    ['removed', async () => void (await client.del('a'))],
    [
      'replaced by another',
      async () => {
        await client.del('a');
        await add('a', 'other', '1-1');
      },
    ],
  ])('a stream that is %s stops its reader', async (_, change) => {
    for (const n of numbers(3)) await add('a', n);
    const reader = createReader();
    const { take } = reader;
    reader.take = async (key, records, end, signal) => {
      await take(key, records.slice(0, 2), end, signal);
      if (records.length > 2) throw new FeatureStoreError('UNAVAILABLE', 'not now');
    };
    const { stop } = startReading(openLog(['a']), reader);
    await until(() => expect(reader.texts('a')).toEqual(['0', '1']));
    await stop();
    reader.take = take;
    for (const n of numbers(5, 3)) await add('a', n);
    await change();
    expect(await startReading(openLog(['a']), reader).ended).toMatchObject({ code: 'DATA_LOSS' });
  });

  it('a stream that is emptied behind our back while it is read, with what nobody has seen, stops its reader', async () => {
    const { reader, ended } = startReading(openLog(['a']));
    await add('a', '0');
    await until(() => expect(reader.texts('a')).toEqual(['0']));
    const unseen = client.multi().xadd('a', '*', 'value', 'unseen').xtrim('a', 'MAXLEN', 0).xadd('a', '*', 'value', '2');
    await unseen.exec();
    expect(await ended).toMatchObject({ code: 'DATA_LOSS' });
  });

  it('a key that holds no stream is said to', async () => {
    await client.set('a', 'x');
    expect(await startReading(openLog(['a'])).ended).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/^key "a" of Redis at .* holds a string, and no stream$/),
    });
  });

  it('finds its URL in the environment, and tells no password', async () => {
    const log = openLog(['a'], { env: 'REDIS_URL' }, { REDIS_URL: `redis://:secret@${server.address}` });
    expect(log.name).toBe(`Redis streams "a" of Redis at ${server.address}`);
    expect(() => openLog(['a'], { env: 'REDIS_URL' })).toThrow(/source "clicks": url needs the environment variable REDIS_URL/);
    const wrong = () => openLog(['a'], { env: 'REDIS_URL' }, { REDIS_URL: 'https://secret' });
    expect(wrong).toThrow(/^source "clicks": the environment variable REDIS_URL is not such as/);
  });
});

describe('a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
  });

  it('is found out by one of its nodes, and read through slots that move', { timeout: 60_000 }, async () => {
    const keys = ['a', 'b', 'c', 'd'];
    // Slots of a to d: 15495, 3300, 7365, 11298, on three nodes.
    const url = `redis://${cluster.addresses[0]}`;
    const writer = new Cluster(cluster.addresses.map((text) => ({ host: '127.0.0.1', port: Number(text.split(':')[1]) })));
    ends.push(async () => writer.disconnect());
    const addAll = async (value: string) => {
      for (const key of keys) await writer.xadd(key, '*', 'value', value);
    };
    await addAll('0');
    const log = openLog(keys, url);
    expect([...(await log.ranges()).keys()]).toEqual(keys);
    const { reader, stop } = startReading(log);
    for (const n of numbers(10)) {
      if (n !== '0') await addAll(n);
      if (n === '5') await cluster.moveSlot(3300, 0, 2);
    }
    for (const key of keys) await until(() => expect(reader.texts(key)).toEqual(numbers(10)));
    expect(await stop()).toBeUndefined();
  });
});

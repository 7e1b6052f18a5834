/** What becomes of the store while a real server dies, hangs, fills up or turns out to be a replica. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { FeatureStoreError } from '../../src/errors.ts';
import type { Logger } from '../../src/observe.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { countUp } from '../support/count-up.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';

const opened: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of opened.splice(0).reverse()) await end();
});

const password = 's3cret';
const withPassword = ['--requirepass', password];
const durably = ['--appendonly', 'yes', '--appendfsync', 'always'];

async function start(args: readonly string[] = [], access = {}): Promise<RedisServer> {
  const server = await startRedis({ args, access });
  opened.push(() => server.stop());
  return server;
}

function open(url: string, options: { commandTimeoutMs?: number } = {}, logger?: Logger): OnlineStore {
  const store = openTestRedis({ url, ...options }, logger);
  opened.push(() => store.close());
  return store;
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function failureOf(promise: Promise<unknown>): Promise<FeatureStoreError> {
  const outcome = await Promise.race([
    promise.then(
      () => 'no failure',
      (error: unknown) => error,
    ),
    pause(15_000, 'no answer at all'),
  ]);
  expect(outcome).toBeInstanceOf(Error);
  return outcome as FeatureStoreError;
}

/** The store answers again, without anybody having told it that Redis is back. */
async function recovered(store: OnlineStore): Promise<void> {
  await expect
    .poll(
      () =>
        store.check().then(
          () => true,
          (error: Error) => error.message,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
}

describe('Redis killed and started again under load', () => {
  it('loses nothing that was acknowledged, with appendfsync always, and comes back by itself', async () => {
    const server = await start([...durably, ...withPassword], { password });
    const store = open(`redis://:${password}@${server.address}`, { commandTimeoutMs: 1000 });
    const load = countUp(store, 500);
    for (let time = 0; time < 3; time++) {
      await load.progress(2000);
      const before = load.errors.length;
      await server.kill('SIGKILL');
      await expect.poll(() => load.errors.length, { timeout: 10_000 }).toBeGreaterThan(before);
      await server.restart();
      await load.progress(2000);
    }
    await load.stop();
    expect(await load.audit(store)).toEqual([]);
    for (const { code, message } of load.errors) {
      expect(code).toBe('UNAVAILABLE');
      expect(message).toContain(server.address);
      expect(message).not.toContain(password);
    }
  });

  it('fails reads and writes at once while it is away, whoever asks, and opens without it', async () => {
    const server = await start();
    await server.kill();
    const store = open(`redis://${server.address}`, { commandTimeoutMs: 300 });
    for (let time = 0; time < 5; time++) {
      expect(await failureOf(store.read([bytes('a')]))).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(new RegExp(`Redis at ${server.address} is unreachable \\(.*ECONNREFUSED`)),
      });
    }
    expect((await failureOf(store.replace([{ key: bytes('a'), expected: undefined, value: bytes('1') }]))).code).toBe(
      'UNAVAILABLE',
    );
    expect((await failureOf(store.check())).code).toBe('UNAVAILABLE');
    await server.restart();
    await recovered(store);
    expect(await store.read([bytes('a')])).toEqual([undefined]);
  });

  it('knows its script again after a restart has forgotten it', async () => {
    const server = await start();
    const store = open(`redis://${server.address}`);
    const write = (expected: string | undefined, value: string) =>
      store.replace([{ key: bytes('a'), expected: expected === undefined ? undefined : bytes(expected), value: bytes(value) }]);
    expect(await write(undefined, '1')).toEqual([]);
    await server.command('script', 'flush');
    expect(await write('1', '2')).toEqual([]);
    expect(await write('1', '3')).toEqual([0]);
  });
});

describe('Redis frozen', () => {
  it('fails within the deadline and goes on when it thaws, with nothing lost', async () => {
    const server = await start();
    const store = open(`redis://${server.address}`, { commandTimeoutMs: 400 });
    const load = countUp(store, 200);
    await load.progress(1000);
    server.freeze();
    const failures = await Promise.all(Array.from({ length: 50 }, () => failureOf(store.read([bytes('c0')]))));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['UNAVAILABLE']));
    expect((await failureOf(store.read([bytes('c0')]))).message).toContain(server.address);
    server.thaw();
    await load.progress(1000);
    await load.stop();
    expect(await load.audit(store)).toEqual([]);
  });

  it('lets a caller leave before the deadline', async () => {
    const server = await start();
    const store = open(`redis://${server.address}`);
    await store.check();
    server.freeze();
    const controller = new AbortController();
    const reading = failureOf(store.read([bytes('a')], controller.signal));
    controller.abort(new Error('the caller has left'));
    expect((await reading).message).toBe('the caller has left');
    server.thaw();
  });
});

describe('Redis out of memory', () => {
  it('refuses writes as RESOURCE_EXHAUSTED, still reads and removes, and writes again when it has room', async () => {
    const server = await start(['--maxmemory', '8mb', '--maxmemory-policy', 'noeviction']);
    const store = open(`redis://${server.address}`);
    const value = new Uint8Array(10_000).fill(7);
    const written: Uint8Array[] = [];
    let refusal: FeatureStoreError | undefined;
    for (let batch = 0; batch < 200 && refusal === undefined; batch++) {
      const keys = Array.from({ length: 10 }, (_, index) => bytes(`row ${batch * 10 + index}`));
      await store.replace(keys.map((key) => ({ key, expected: undefined, value }))).then(
        () => written.push(...keys),
        (error: FeatureStoreError) => {
          refusal = error;
        },
      );
    }
    expect(refusal).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: expect.stringMatching(/out of memory.*maxmemory/) });
    await server.command('config', 'set', 'maxmemory', '2mb');
    expect((await failureOf(store.check())).code).toBe('RESOURCE_EXHAUSTED');
    expect((await store.read(written)).every((stored) => stored !== undefined && Buffer.compare(stored, value) === 0)).toBe(true);
    const [first, second] = written as [Uint8Array, Uint8Array];
    expect(await store.replace([{ key: first, expected: value, value: undefined }])).toEqual([]);
    await server.command('config', 'set', 'maxmemory', '64mb');
    await store.check();
    expect(await store.replace([{ key: second, expected: value, value: bytes('new') }])).toEqual([]);
  });
});

describe('Redis without the replicas that it is to have', () => {
  it('refuses writes, which a failover could lose, and goes on when a replica is there', { timeout: 90_000 }, async () => {
    const master = await start(['--min-replicas-to-write', '1', '--repl-diskless-sync-delay', '0']);
    const store = open(`redis://${master.address}`);
    const write = (expected: string | undefined, value: string) =>
      store.replace([{ key: bytes('a'), expected: expected === undefined ? undefined : bytes(expected), value: bytes(value) }]);
    for (const refused of [write(undefined, '1'), store.check()]) {
      expect(await failureOf(refused)).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('too few of its replicas'),
        details: { reply: 'NOREPLICAS' },
      });
    }
    expect(await store.read([bytes('a')])).toEqual([undefined]);
    const replica = await start(['--replicaof', '127.0.0.1', String(master.port)]);
    await recovered(store);
    expect(await write(undefined, '1')).toEqual([]);
    await replica.kill();
    await expect
      .poll(() => store.check().catch((error: FeatureStoreError) => error.details.reply), { timeout: 30_000 })
      .toBe('NOREPLICAS');
    expect(await store.read([bytes('a')])).toEqual([Buffer.from('1')]);
  });
});

describe('check', () => {
  it('refuses a replica, from which reads are answered all the same', async () => {
    const master = await start(['--repl-diskless-sync-delay', '0']);
    const replica = await start(['--replicaof', '127.0.0.1', String(master.port)]);
    const [writer, reader] = [open(`redis://${master.address}`), open(`redis://${replica.address}`)];
    expect(await writer.replace([{ key: bytes('a'), expected: undefined, value: bytes('1') }])).toEqual([]);
    await expect.poll(async () => (await reader.read([bytes('a')]))[0], { timeout: 20_000 }).toEqual(Buffer.from('1'));
    expect(await failureOf(reader.check())).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('is a replica'),
    });
    expect(await failureOf(reader.replace([{ key: bytes('a'), expected: bytes('1'), value: bytes('2') }]))).toMatchObject({
      code: 'UNAVAILABLE',
      details: { reply: 'READONLY' },
    });
    expect(await writer.read([bytes('a')])).toEqual([Buffer.from('1')]);
  });

  it('warns once where rows could be evicted', async () => {
    const warnings: string[] = [];
    const server = await start(['--maxmemory-policy', 'allkeys-lru']);
    const logger: Logger = { debug() {}, info() {}, error() {}, warn: (_, message) => void warnings.push(message) };
    const store = open(`redis://${server.address}`, {}, logger);
    await store.check();
    await store.check();
    expect(warnings).toEqual([expect.stringMatching(/evicts keys.*allkeys-lru.*noeviction/)]);
  });

  it('leaves nothing behind', async () => {
    const server = await start();
    await open(`redis://${server.address}`).check();
    expect(await server.command('dbsize')).toBe(0);
  });

  it.each([
    ['a wrong password', 'redis://:wr0ng@', /WRONGPASS/],
    ['none', 'redis://', /asks for a password/],
  ])('says that it is refused with %s, and never repeats one', async (_, url, message) => {
    const server = await start(withPassword, { password });
    const failure = await failureOf(open(`${url}${server.address}`, { commandTimeoutMs: 1000 }).check());
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(message) });
    expect(JSON.stringify([failure.message, failure.details, String(failure.cause)])).not.toMatch(/wr0ng|s3cret/);
  });

  it('says that a node of a Cluster is to be named as one', async () => {
    const server = await start(['--cluster-enabled', 'yes']);
    const failure = await failureOf(open(`redis://${server.address}`).check());
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('redis({ cluster:') });
  });
});

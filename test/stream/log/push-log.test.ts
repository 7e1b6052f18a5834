/** The log of pushes: what is acknowledged is read once, whoever dies when, whoever pushes it how often. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FeatureStoreError } from '../../../src/errors.ts';
import { keptKeyMs } from '../../../src/stream/log/push-entries.ts';
import { startRedis } from '../../support/start-redis.ts';
import { createKeepingReader, type KeepingReader, openPushes, type TestPushes } from './open-pushes.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-pushes-'));
const script = join(folder, 'push-apart.cjs');
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const ends: (() => unknown)[] = [];
const closing: (() => Promise<unknown>)[] = [];
let redis = '';
let count = 0;

beforeAll(async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  redis = server.address;
  const entryPoints = [path('./push-apart.ts')];
  await build({ entryPoints, outfile: script, bundle: true, packages: 'external', platform: 'node', format: 'cjs' });
});
afterEach(async () => {
  for (const end of closing.splice(0).reverse()) await end();
});
afterAll(async () => {
  for (const end of ends) await end();
  rmSync(folder, { recursive: true, force: true });
});

/** A place of its own for each test. */
const places = {
  LMDB: () => `lmdb:${join(folder, `online-${count}`)}`,
  Redis: () => redis,
};
const newDirectory = () => join(folder, `streams-${++count}`);

function openAt(address: string, directory: string, options?: Parameters<typeof openPushes>[2]): TestPushes {
  const pushes = openPushes(address, directory, options);
  closing.push(pushes.close);
  return pushes;
}

/** Reads until it is stopped, which gives what the run ended with. */
function startReading({ log }: TestPushes, reader: KeepingReader = createKeepingReader()) {
  const stopping = new AbortController();
  const ended = log.run(reader, stopping.signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  const stop = async () => {
    stopping.abort();
    return await ended;
  };
  closing.push(stop);
  return { reader, ended, stop };
}

const filesOf = (directory: string) =>
  existsSync(join(directory, 'clicks', 'push')) ? readdirSync(join(directory, 'clicks', 'push')) : [];
const until = (holds: () => void) => vi.waitFor(holds, { timeout: 30_000, interval: 20 });
const texts = (numbers: readonly number[]) => numbers.map((number) => `payload ${number}`);
const upTo = (end: number) => Array.from({ length: end }, (_, number) => number);

describe.each(Object.entries(places))('over %s', (kind, place) => {
  /** One Redis serves all tests: each has a source of its own there. */
  const open = (directory: string, options: Parameters<typeof openPushes>[2] = {}) => openAt(place(), directory, options);
  const source = () => ({ source: kind === 'Redis' ? `clicks_${count}` : 'clicks' });
  const folderOf = (directory: string) => join(directory, source().source, 'push');
  const files = (directory: string) => (existsSync(folderOf(directory)) ? readdirSync(folderOf(directory)) : []);

  it('what is pushed is read in order, then gone from the log and the disk', async () => {
    const directory = newDirectory();
    const pushes = open(directory, source());
    const appended = await Promise.all(upTo(30).map((n) => pushes.log.append(`key ${n}`, Buffer.from(`payload ${n}`))));
    expect(appended).toEqual(upTo(30).map(() => ({ isNew: true })));
    expect(files(directory).length).toBe(30);
    expect(await pushes.log.ranges()).toEqual(new Map([['push', { first: 0n, end: 30n }]]));
    const { reader } = startReading(pushes);
    await until(() => expect(reader.taken.length).toBe(30));
    expect(reader.ranges).toEqual([{ first: 0n, end: 30n }]);
    expect(reader.taken.map(({ offset }) => offset)).toEqual(upTo(30).map(BigInt));
    expect(reader.texts().sort()).toEqual(texts(upTo(30)).sort());
    await pushes.log.append('later', Buffer.from('later'));
    await until(() => expect(reader.texts().at(-1)).toBe('later'));
    await until(() => expect(files(directory)).toEqual([]));
    expect(await pushes.log.ranges()).toEqual(new Map([['push', { first: 31n, end: 31n }]]));
  });

  it('a key that was pushed before is not taken again: while it waits, when it has been read, and its first payload stays', async () => {
    const directory = newDirectory();
    const pushes = open(directory, source());
    expect(await pushes.log.append('k', Buffer.from('one'))).toEqual({ isNew: true });
    expect(await pushes.log.append('k', Buffer.from('two'))).toEqual({ isNew: false });
    const { reader } = startReading(pushes);
    await until(() => expect(files(directory)).toEqual([]));
    expect(await pushes.log.append('k', Buffer.from('three'))).toEqual({ isNew: false });
    await pushes.log.append('end', Buffer.from('end'));
    await until(() => expect(reader.texts()).toEqual(['one', 'end']));
    await until(() => expect(files(directory)).toEqual([]));
  });

  it('keys are forgotten a day after they were read, and not before', async () => {
    const directory = newDirectory();
    const pushes = open(directory, source());
    await pushes.log.append('old', Buffer.from('old'));
    await pushes.log.append('young', Buffer.from('young'));
    const first = startReading(pushes);
    await until(() => expect(files(directory)).toEqual([]));
    await first.stop();
    const prefix = `${source().source}/`;
    const names = (await pushes.records.list('push-key')).filter((name) => name.startsWith(prefix));
    expect(names.length).toBe(2);
    const found = (await pushes.records.readMany('push-key', names)) as { seq: number }[];
    const old = names[found.findIndex(({ seq }) => seq === 0)] as string;
    await pushes.records.update('push-key', old, () => ({ seq: 0, doneMs: Date.now() - keptKeyMs - 1 }));
    const { reader } = startReading(pushes, first.reader);
    await vi.waitFor(async () => expect(await pushes.records.read('push-key', old)).toBeUndefined(), { timeout: 30_000 });
    expect(await pushes.log.append('young', Buffer.from('young'))).toEqual({ isNew: false });
    expect(await pushes.log.append('old', Buffer.from('old again'))).toEqual({ isNew: true });
    await until(() => expect(reader.texts()).toEqual(['old', 'young', 'old again']));
  });

  it('pushes are refused while too many wait, and taken again when they have been read', async () => {
    const pushes = open(newDirectory(), { ...source(), maxWaiting: 3 });
    for (const n of upTo(3)) await pushes.log.append(`key ${n}`, Buffer.from(`payload ${n}`));
    const refused = pushes.log.append('key 3', Buffer.from('payload 3'));
    await expect(refused).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { waiting: 3 } });
    const { reader } = startReading(pushes);
    await until(() => expect(reader.taken.length).toBe(3));
    await vi.waitFor(() => pushes.log.append('key 3', Buffer.from('payload 3')), { timeout: 30_000, interval: 100 });
    await until(() => expect(reader.texts()).toEqual(texts(upTo(4))));
  });

  it('payloads whose process died before they were in the log are appended, and those that were read are removed', async () => {
    const directory = newDirectory();
    const pushes = open(directory, source());
    await pushes.log.append('read', Buffer.from('read'));
    const first = startReading(pushes);
    await until(() => expect(files(directory)).toEqual([]));
    await first.stop();
    await pushes.log.append('known', Buffer.from('known'));
    const [known] = files(directory) as [string];
    const [readKey] = (await pushes.records.list('push-key')).filter((name) => name.startsWith(`${source().source}/`));
    writeFileSync(join(folderOf(directory), `${'0'.repeat(32)}.push`), 'left alone');
    writeFileSync(join(folderOf(directory), `${readKey?.split('/')[1]}.push`), 'read');
    const { reader } = startReading(pushes, first.reader);
    await until(() => expect(reader.texts()).toEqual(['read', 'known', 'left alone']));
    await until(() => expect(files(directory)).toEqual([]));
    expect(known).toMatch(/^[0-9a-f]{32}\.push$/);
  });

  it('entries below where the reader begins are finished without it', async () => {
    const directory = newDirectory();
    const pushes = open(directory, source());
    for (const n of upTo(5)) await pushes.log.append(`key ${n}`, Buffer.from(`payload ${n}`));
    const reader = createKeepingReader();
    reader.open = async () => 3n;
    startReading(pushes, reader);
    await until(() => expect(reader.texts()).toEqual(texts([3, 4])));
    await until(() => expect(files(directory)).toEqual([]));
    expect(await pushes.log.append('key 0', Buffer.from('payload 0'))).toEqual({ isNew: false });
  });

  it('a reader that fails for a while is given the same again, and one that fails for good ends the run', async () => {
    const pushes = open(newDirectory(), source());
    await pushes.log.append('key 0', Buffer.from('payload 0'));
    const reader = createKeepingReader();
    let tries = 0;
    reader.beforeTake = () => {
      tries += 1;
      if (tries <= 2) throw new FeatureStoreError('UNAVAILABLE', 'not now');
      if (tries === 4) throw new FeatureStoreError('DATA_LOSS', 'never');
    };
    const { ended } = startReading(pushes, reader);
    await until(() => expect(reader.texts()).toEqual(texts([0])));
    expect(tries).toBe(3);
    await pushes.log.append('key 1', Buffer.from('payload 1'));
    expect(await ended).toMatchObject({ code: 'DATA_LOSS', message: 'never' });
    expect((await pushes.log.ranges()).get('push')).toEqual({ first: 1n, end: 2n });
  });

  it('an acknowledged payload that is not there stops the reading, and is named', async () => {
    const directory = newDirectory();
    const pushes = open(directory, source());
    await pushes.log.append('key 0', Buffer.from('payload 0'));
    rmSync(join(folderOf(directory), files(directory)[0] as string));
    expect(await startReading(pushes).ended).toMatchObject({ code: 'DATA_LOSS', details: { offset: '0' } });
  });

  it('one reads at a time, and the next begins where that one ended', async () => {
    const pushes = open(newDirectory(), source());
    const first = startReading(pushes);
    await until(() => expect(first.reader.ranges.length).toBe(1));
    const second = startReading(pushes, first.reader);
    await pushes.log.append('key 0', Buffer.from('payload 0'));
    await until(() => expect(first.reader.texts()).toEqual(texts([0])));
    expect(first.reader.ranges.length).toBe(1);
    expect(await first.stop()).toBeUndefined();
    await pushes.log.append('key 1', Buffer.from('payload 1'));
    await until(() => expect(second.reader.texts()).toEqual(texts([0, 1])));
    expect(second.reader.ranges).toEqual([{ first: 0n, end: 0n }, expect.objectContaining({ end: expect.any(BigInt) })]);
  });

  it('any pushes, in any order, by two logs at once, with readers that fail: each key is read once', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(12), { minLength: 1, maxLength: 30 }),
        fc.array(fc.boolean(), { maxLength: 6 }),
        async (keys, fails) => {
          const directory = newDirectory();
          const logs = [open(directory, source()), open(directory, source())] as const;
          const reader = createKeepingReader();
          const failures = [...fails];
          reader.beforeTake = () => {
            if (failures.shift() === true) throw new FeatureStoreError('UNAVAILABLE', 'not now');
          };
          const { stop } = startReading(logs[0], reader);
          const outcomes = await Promise.all(
            keys.map((key, at) => (logs[at % 2] as TestPushes).log.append(`key ${key}`, Buffer.from(`payload ${key}`))),
          );
          const distinct = new Set(keys);
          expect(outcomes.filter(({ isNew }) => isNew).length).toBe(distinct.size);
          await until(() => expect(reader.taken.length).toBe(distinct.size));
          await until(() => expect(files(directory)).toEqual([]));
          expect(new Set(reader.texts())).toEqual(new Set(texts([...distinct])));
          expect(await stop()).toBeUndefined();
        },
      ),
      { numRuns: 15 },
    );
  });
});

const longestMs = 8000;

function pushApart(address: string, directory: string, first: number, pushes = Number.POSITIVE_INFINITY) {
  const child = spawn(process.execPath, [script, address, directory, String(first), String(pushes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: path('../../../node_modules') },
  });
  closing.push(async () => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data;
  });
  const ended = once(child, 'close');
  const lines = () =>
    said
      .slice(0, said.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1);
  return { child, ended, lines };
}

describe.each(Object.entries(places))('processes of their own over %s', (_, place) => {
  it('killed at random instants and tried again with the same keys: each is read exactly once', {
    timeout: 120_000,
  }, async () => {
    const directory = newDirectory();
    const address = place();
    const own = openAt(address, directory);
    await own.records.update('push-log', 'clicks', () => undefined);
    for (const name of await own.records.list('push-key')) await own.records.update('push-key', name, () => undefined);
    const { reader } = startReading(own);
    const started = performance.now();
    let acknowledged = -1;
    let rounds = 0;
    for (; rounds < 3 || performance.now() - started < longestMs; rounds++) {
      const { child, ended, lines } = pushApart(address, directory, acknowledged + 1);
      await once(child.stdout, 'data');
      await pause(Math.random() * 60);
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
      acknowledged = Number(lines().at(-1)?.split(' ')[0]);
    }
    await own.log.append('end', Buffer.from('end'));
    await until(() => expect(reader.texts()).toContain('end'));
    // What the last one had kept without its word is appended after a while, or was never there.
    await until(() => expect(filesOf(directory).filter((name) => name.endsWith('.push'))).toEqual([]));
    const read = reader.texts().filter((text) => text !== 'end');
    expect(new Set(read).size).toBe(read.length);
    expect(read.length).toBeGreaterThanOrEqual(acknowledged + 1);
    expect(read.length).toBeLessThanOrEqual(acknowledged + 2);
    expect(new Set(read)).toEqual(new Set(texts(upTo(read.length))));
  });

  it('two that push the same keys at once: each is new to one of them, and read once', { timeout: 60_000 }, async () => {
    const directory = newDirectory();
    const address = place();
    const own = openAt(address, directory);
    await own.records.update('push-log', 'clicks', () => undefined);
    for (const name of await own.records.list('push-key')) await own.records.update('push-key', name, () => undefined);
    const { reader } = startReading(own);
    const both = [pushApart(address, directory, 0, 40), pushApart(address, directory, 0, 40)];
    for (const { ended } of both) expect(await ended).toEqual([0, null]);
    const said = both.flatMap(({ lines }) => lines());
    expect(said.length).toBe(80);
    expect(said.filter((line) => line.endsWith('true')).sort()).toEqual(
      upTo(40)
        .map((n) => `${n} true`)
        .sort(),
    );
    await until(() => expect(reader.taken.length).toBe(40));
    await until(() => expect(filesOf(directory)).toEqual([]));
    expect(reader.texts().sort()).toEqual(texts(upTo(40)).sort());
  });
});

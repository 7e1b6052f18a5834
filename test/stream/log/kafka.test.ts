/** Kafka's protocol against real brokers, with records of a producer that is not ours. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/observe.ts';
import type { KafkaDocument } from '../../../src/registry/document.ts';
import { openKafkaLog } from '../../../src/stream/log/kafka.ts';
import type { LogReader, StreamLog } from '../../../src/stream/log/log.ts';
import { type Broker, type BrokerKind, type KafkaProducer, startBroker, startProducer } from '../../support/start-broker.ts';
import { freePort } from '../../support/start-redis.ts';
import { startSaslFront } from '../../support/start-sasl-front.ts';
import { startTlsFront } from '../../support/start-tls-front.ts';
import { createProgress, recordingReader, type SharedProgress } from './recording-reader.ts';

const [cert, key] = ['cert', 'key'].map((name) =>
  fileURLToPath(new URL(`../../flight/support/localhost.${name}.pem`, import.meta.url)),
) as [string, string];

let closing: (() => unknown)[] = [];
beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function begin(kind: BrokerKind): Promise<{ broker: Broker; producer: KafkaProducer }> {
  const broker = await startBroker(kind);
  closing.push(broker.stop);
  const producer = startProducer(broker.address);
  closing.push(producer.close);
  return { broker, producer };
}

interface Told {
  readonly logger: Logger;
  readonly lines: string[];
}

function listen(): Told {
  const lines: string[] = [];
  const tell = (_: object, message: string): void => void lines.push(message);
  return { lines, logger: { debug() {}, info: tell, warn: tell, error: tell } };
}

/** `noida` refuses shorter sessions than Kafka's own least; `tansu` lets the first member wait for half a session. */
const timingOf = {
  noida: { sessionTimeoutMs: 6000, heartbeatMs: 300, metadataMs: 3000 },
  tansu: { sessionTimeoutMs: 1500, heartbeatMs: 200, metadataMs: 3000 },
};

function openLog(kind: BrokerKind, address: string, more: Partial<KafkaDocument> = {}, told: Told = listen()): StreamLog {
  const stream: KafkaDocument = { kind: 'kafka', brokers: [address], topic: 'clicks', format: 'json', from: 'earliest', ...more };
  const environment = { KAFKA_PASSWORD: 'hunter2', WRONG_PASSWORD: 'hunter3' };
  return openKafkaLog({
    ...{ project: 'test', source: 'clicks', stream, root: '/', environment },
    logger: told.logger,
    timing: timingOf[kind],
  });
}

interface Running {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Reads until it is stopped, at the end of the test at the latest. */
function read(log: StreamLog, reader: LogReader): Running {
  const abort = new AbortController();
  const ended = log.run(reader, abort.signal);
  ended.catch(() => {});
  const stop = async (): Promise<void> => {
    abort.abort();
    await ended;
  };
  closing.push(() => {
    abort.abort();
    return ended.catch(() => {});
  });
  return { ended, stop };
}

const countOf = ({ values }: SharedProgress) => [...values.values()].reduce((sum, list) => sum + list.length, 0);
const numbered = (count: number, prefix = 'e') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe.each(['tansu', 'noida'] as const)('a topic of %s', (kind) => {
  it('is read in order, partition by partition, however it was compressed, and resumes at any offset', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 3);
    const written: string[][] = [[], [], []];
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      for (const partition of [0, 1, 2]) {
        const values = numbered(100, `${compression}-${partition}-`).map((value) => value.repeat(20));
        await producer.send('clicks', partition, values, compression);
        written[partition]?.push(...values);
      }
    }
    await producer.send('clicks', 1, [null]);
    written[1]?.push('null');
    const progress = createProgress();
    const first = read(openLog(kind, broker.address), recordingReader(progress));
    await expect.poll(() => countOf(progress)).toBe(1501);
    await first.stop();
    expect(progress.faults).toEqual([]);
    expect([0, 1, 2].map((partition) => progress.values.get(String(partition)))).toEqual(written);

    const again = createProgress();
    const starts = [250n, 0n, 499n];
    starts.forEach((offset, partition) => void again.next.set(String(partition), offset));
    read(openLog(kind, broker.address), recordingReader(again));
    await expect.poll(() => countOf(again)).toBe(250 + 501 + 1);
    await producer.send('clicks', 2, ['new']);
    await expect.poll(() => again.values.get('2')?.at(-1)).toBe('new');
    expect(again.faults).toEqual([]);
    expect([0, 1].map((partition) => again.values.get(String(partition)))).toEqual([written[0]?.slice(250), written[1]]);
  });

  it('tells its ranges, to a reader and beside one, and our progress to the tools of Kafka', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 2);
    for (const value of numbered(5)) await producer.send('clicks', 1, [value]);
    const log = openLog(kind, broker.address);
    const ranges = new Map([
      ['0', { first: 0n, end: 0n }],
      ['1', { first: 0n, end: 5n }],
    ]);
    expect(await log.ranges()).toEqual(ranges);
    const progress = createProgress();
    const running = read(log, recordingReader(progress));
    await expect.poll(() => countOf(progress)).toBe(5);
    expect(await log.ranges()).toEqual(ranges);
    await expect.poll(() => producer.committed('featherflight-test-clicks', 'clicks', 1)).toBe(5);
    await running.stop();
    expect(log.name).toBe(`Kafka topic "clicks" at ${broker.address}`);
  });

  it('is read to its end also where marks of transactions end it', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 1);
    const progress = createProgress();
    const log = openLog(kind, broker.address);
    const running = read(log, recordingReader(progress));
    const endOf = async () => (await log.ranges()).get('0')?.end;
    await producer.transact('clicks', 0, ['a', 'b'], 'commit');
    await expect.poll(() => progress.next.get('0')).toBe(3n);
    expect(await endOf()).toBe(3n);
    await producer.transact('clicks', 0, ['gone'], 'abort');
    await expect.poll(() => progress.next.get('0')).toBe(5n);
    expect(await endOf()).toBe(5n);
    await producer.send('clicks', 0, ['c']);
    // One of the brokers shows readers what is in no transaction that was committed.
    const all = kind === 'tansu' ? ['a', 'b', 'gone', 'c'] : ['a', 'b', 'c'];
    await expect.poll(() => progress.values.get('0')).toEqual(all);
    await running.stop();
    expect(progress.faults).toEqual([]);
    // One that begins between the last record and the mark finds the end as well.
    await producer.transact('clicks', 0, ['d'], 'commit');
    progress.next.set('0', 7n);
    read(openLog(kind, broker.address), recordingReader(progress));
    await expect.poll(() => progress.next.get('0')).toBe(8n);
    expect(progress.values.get('0')).toEqual(all);
    expect(progress.faults).toEqual([]);
  });

  it('is shared by members that join and leave, without loss and without a record twice', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 4);
    const progress = createProgress();
    const written: string[][] = [[], [], [], []];
    let isWriting = true;
    const writing = (async () => {
      for (let round = 0; isWriting; round++) {
        for (const partition of [0, 1, 2, 3]) {
          const values = numbered(5, `${round}-`);
          await producer.send('clicks', partition, values);
          written[partition]?.push(...values);
        }
        await sleep(10);
      }
    })();
    const one = recordingReader(progress, { takeMs: 30 });
    read(openLog(kind, broker.address), one);
    await expect.poll(() => one.taken.size).toBe(4);
    for (let turn = 0; turn < 3; turn++) {
      const other = recordingReader(progress, { takeMs: 30 });
      const second = read(openLog(kind, broker.address), other);
      await expect.poll(() => other.taken.size, { timeout: 60_000 }).toBeGreaterThan(0);
      await second.stop();
      one.taken.clear();
      await expect.poll(() => one.taken.size, { timeout: 60_000 }).toBe(4);
    }
    isWriting = false;
    await writing;
    const total = written.reduce((sum, values) => sum + values.length, 0);
    await expect.poll(() => countOf(progress)).toBe(total);
    expect(progress.faults).toEqual([]);
    expect([0, 1, 2, 3].map((partition) => progress.values.get(String(partition)))).toEqual(written);
  }, 150_000);

  it('that is let go while its group is being joined keeps whoever comes next waiting for nobody', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 2);
    await producer.send('clicks', 0, ['a']);
    for (const afterMs of [5, 10, 20, 40, 80]) {
      const left = read(openLog(kind, broker.address), recordingReader(createProgress()));
      await sleep(afterMs);
      await left.stop();
      const progress = createProgress();
      const next = read(openLog(kind, broker.address), recordingReader(progress));
      await expect.poll(() => countOf(progress), { message: `let go after ${afterMs} ms` }).toBe(1);
      await next.stop();
    }
  }, 120_000);

  it('stays ours while a batch takes longer than a session', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(3));
    const progress = createProgress();
    const slowly = async (): Promise<void> => {
      if (countOf(progress) === 0) await sleep(1.3 * timingOf[kind].sessionTimeoutMs);
    };
    const reader = recordingReader(progress, { beforeTake: slowly });
    read(openLog(kind, broker.address), reader);
    await expect.poll(() => countOf(progress), { timeout: 30_000 }).toBe(3);
    await producer.send('clicks', 0, ['next']);
    await expect.poll(() => countOf(progress), { timeout: 30_000 }).toBe(4);
    expect(progress.faults).toEqual([]);
    expect(reader.opened).toEqual(['0']);
  }, 60_000);

  it('may be away at start: that is told once, and it is read when it comes', async () => {
    const port = await freePort();
    const told = listen();
    const progress = createProgress();
    read(openLog(kind, `127.0.0.1:${port}`, {}, told), recordingReader(progress));
    await expect.poll(() => told.lines.length).toBe(1);
    const broker = await startBroker(kind, { port });
    closing.push(broker.stop);
    // Nor is there a topic yet, which is another reason.
    await expect.poll(() => told.lines.length).toBe(2);
    const producer = startProducer(broker.address);
    closing.push(producer.close);
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, ['a']);
    await expect.poll(() => progress.values.get('0')).toEqual(['a']);
    const where = `source "clicks": Kafka topic "clicks" at ${broker.address}`;
    expect(told.lines[0]).toMatch(
      new RegExp(`^${where} cannot be read, and is tried until it can: .*(ECONNREFUSED|closed)`, 'i'),
    );
    expect(told.lines[1]).toBe(`${where} cannot be read, and is tried until it can: there is no topic "clicks"`);
    expect(told.lines[2]).toBe(`${where} is read again`);
  }, 60_000);

  it('that is recreated is shorter than the progress: that stops the source with the words of its reader', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(10));
    const progress = createProgress();
    const told = listen();
    const running = read(openLog(kind, broker.address, {}, told), recordingReader(progress));
    await expect.poll(() => countOf(progress)).toBe(10);
    await producer.deleteTopic('clicks');
    await expect.poll(() => told.lines.at(-1), { timeout: 60_000 }).toContain('there is no topic "clicks"');
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(4, 'other'));
    await expect(running.ended).rejects.toMatchObject({ code: 'DATA_LOSS', message: 'partition 0 ends at 4, and 10 come next' });
    expect(countOf(progress)).toBe(10);
  }, 120_000);

  it('ends with what its reader throws, and lets go when it is told to', async () => {
    const { broker, producer } = await begin(kind);
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(3));
    const failing = recordingReader(createProgress(), { beforeTake: () => Promise.reject(new TypeError('no such thing')) });
    await expect(read(openLog(kind, broker.address), failing).ended).rejects.toMatchObject({
      message: 'no such thing',
      code: 'INTERNAL',
    });

    const begun: AbortSignal[] = [];
    const waiting = recordingReader(createProgress(), {
      beforeTake: (_partition, _records, signal) =>
        new Promise((_, reject) => {
          begun.push(signal);
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const running = read(openLog(kind, broker.address), waiting);
    await expect.poll(() => begun.length, { timeout: 30_000 }).toBe(1);
    await running.stop();
    expect(begun[0]?.aborted).toBe(true);
    expect(waiting.taken.size).toBe(0);
  }, 60_000);
});

describe('a broker', () => {
  it('that is restarted, and one that hangs, cost nothing but time', async () => {
    const { broker, producer } = await begin('noida');
    await producer.createTopic('clicks', 2);
    const progress = createProgress();
    const told = listen();
    read(openLog('noida', broker.address, {}, told), recordingReader(progress));
    const written = numbered(40);
    for (const value of written.slice(0, 20)) await producer.send('clicks', 0, [value]);
    await expect.poll(() => countOf(progress)).toBe(20);
    await broker.kill('SIGTERM');
    await expect.poll(() => told.lines.join('\n'), { timeout: 60_000 }).toContain('cannot be read');
    await broker.restart();
    for (const value of written.slice(20, 30)) await producer.send('clicks', 0, [value]);
    await expect.poll(() => countOf(progress), { timeout: 60_000 }).toBe(30);
    broker.freeze();
    await sleep(2 * timingOf.noida.heartbeatMs);
    broker.thaw();
    for (const value of written.slice(30)) await producer.send('clicks', 0, [value]);
    await expect.poll(() => countOf(progress), { timeout: 60_000 }).toBe(40);
    expect(progress.values.get('0')).toEqual(written);
    expect(progress.faults).toEqual([]);
  }, 200_000);

  it('that hangs for longer than a session finds its members again', async () => {
    const { broker, producer } = await begin('tansu');
    await producer.createTopic('clicks', 2);
    const progress = createProgress();
    const readers = [recordingReader(progress), recordingReader(progress)];
    for (const reader of readers) read(openLog('tansu', broker.address), reader);
    await expect.poll(() => readers.map(({ opened }) => opened.length > 0)).toEqual([true, true]);
    for (const partition of [0, 1]) await producer.send('clicks', partition, numbered(3));
    await expect.poll(() => countOf(progress), { timeout: 60_000 }).toBe(6);
    broker.freeze();
    await sleep(2 * timingOf.tansu.sessionTimeoutMs);
    broker.thaw();
    for (const partition of [0, 1]) await producer.send('clicks', partition, ['late']);
    await expect.poll(() => countOf(progress), { timeout: 60_000 }).toBe(8);
    expect(progress.faults).toEqual([]);
  }, 150_000);

  it('that comes back without its log stops the source once there is a topic again', async () => {
    const { broker, producer } = await begin('tansu');
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(8));
    const progress = createProgress();
    const running = read(openLog('tansu', broker.address), recordingReader(progress));
    await expect.poll(() => countOf(progress)).toBe(8);
    await broker.kill();
    await broker.restart();
    // A request that was tried again after it had been done finds the topic there.
    await producer.createTopic('clicks', 1).catch((error: unknown) => {
      if (!String(error).includes('TOPIC_ALREADY_EXISTS')) throw error;
    });
    await expect(running.ended).rejects.toMatchObject({ code: 'DATA_LOSS', message: 'partition 0 ends at 0, and 8 come next' });
  }, 60_000);

  it('that is back at once with less than it had stops the source', async () => {
    const { broker, producer } = await begin('noida');
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(8));
    await broker.kill('SIGTERM');
    const shorter = mkdtempSync(join(tmpdir(), 'featherflight-noida-'));
    closing.push(() => rmSync(shorter, { recursive: true }));
    cpSync(broker.directory, shorter, { recursive: true });
    await broker.restart();
    const progress = createProgress();
    const running = read(openLog('noida', broker.address), recordingReader(progress));
    await producer.send('clicks', 0, numbered(8));
    await expect.poll(() => countOf(progress), { timeout: 60_000 }).toBe(16);
    await broker.kill();
    rmSync(broker.directory, { recursive: true });
    cpSync(shorter, broker.directory, { recursive: true });
    await broker.restart();
    await expect(running.ended).rejects.toMatchObject({ code: 'DATA_LOSS', message: 'partition 0 ends at 8, and 16 come next' });
    expect(countOf(progress)).toBe(16);
  }, 120_000);

  it('that lists an end before that of its last batch is not called shorter than the progress', async () => {
    const { broker, producer } = await begin('tansu');
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(5));
    const log = openLog('tansu', broker.address);
    // What this test is about: tansu lists the first offset of the last batch, and one.
    expect((await log.ranges()).get('0')?.end).toBe(1n);
    const progress = createProgress();
    progress.next.set('0', 5n);
    const reader = recordingReader(progress);
    read(log, reader);
    await expect.poll(() => reader.opened.length).toBe(2);
    await producer.send('clicks', 0, ['new']);
    await expect.poll(() => progress.values.get('0')).toEqual(['new']);
    expect(progress.faults).toEqual([]);
  });
});

it('leaving a group that has forgotten its member ends no process', async () => {
  const unheard: unknown[] = [];
  const listener = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', listener);
  closing.push(() => process.off('unhandledRejection', listener));
  const { versions, protocol } = createRequire(import.meta.url)('kafkajs/src/protocol/requests/leaveGroup');
  expect(versions).toContain('3');
  const { response } = protocol({ version: 3 })({ groupId: 'g', memberId: 'm' });
  const forgotten = { errorCode: 25, members: [{ memberId: 'm', errorCode: 25 }] };
  await expect(response.parse(forgotten)).resolves.toBe(forgotten);
  await sleep(0);
  expect(unheard).toEqual([]);
});

describe('a connection with TLS', () => {
  it('ends at a front that tansu, which has no TLS that works, is told to name: with its authority, and with a certificate of ours', async () => {
    const [port, front] = [await freePort(), await freePort()];
    const broker = await startBroker('tansu', { port, advertised: `localhost:${front}` });
    closing.push(broker.stop);
    const tls = await startTlsFront({ port: front, to: port, cert, key, clientCa: cert });
    closing.push(tls.stop);
    const files = { 'ssl.ca.location': cert, 'ssl.certificate.location': cert, 'ssl.key.location': key };
    const producer = startProducer(`localhost:${front}`, { 'security.protocol': 'SSL', ...files });
    closing.push(producer.close);
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', 0, numbered(3));
    const address = `localhost:${front}`;
    const progress = createProgress();
    read(openLog('tansu', address, { tls: { caFile: cert, certFile: cert, keyFile: key } }), recordingReader(progress));
    await expect.poll(() => countOf(progress)).toBe(3);
    await expect(openLog('tansu', address, { tls: {} }).ranges()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/cannot be asked: .*certificate/),
    });
    await expect(openLog('tansu', address, { tls: { caFile: cert } }).ranges()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a user', () => {
  const sasl = { mechanism: 'scram-sha-256', username: 'me', password: { env: 'KAFKA_PASSWORD' } } as const;

  it.each(['scram-sha-256', 'scram-sha-512'] as const)(
    'whom tansu itself does not know stops the source by %s (to a tansu that asks for users none can be added)',
    async (mechanism) => {
      const broker = await startBroker('tansu', { args: ['--authentication'] });
      closing.push(broker.stop);
      const running = read(openLog('tansu', broker.address, { sasl: { ...sasl, mechanism } }), recordingReader(createProgress()));
      await expect(running.ended).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'is let in by %s, or stops the source, at a front of ours that librdkafka can pass too',
    async (mechanism) => {
      const [port, outer] = [await freePort(), await freePort()];
      const broker = await startBroker('tansu', { port, advertised: `127.0.0.1:${outer}` });
      closing.push(broker.stop);
      const front = await startSaslFront({ port: outer, to: port, username: 'me', password: 'hunter2' });
      closing.push(front.stop);
      const [name, address] = [mechanism.toUpperCase(), `127.0.0.1:${outer}`];
      const theirs = { 'sasl.mechanism': name, 'sasl.username': 'me', 'sasl.password': 'hunter2' };
      const producer = startProducer(address, { 'security.protocol': 'SASL_PLAINTEXT', ...theirs });
      closing.push(producer.close);
      await producer.createTopic('clicks', 1);
      await producer.send('clicks', 0, numbered(3));
      const seen = front.entered.length;
      const progress = createProgress();
      read(openLog('tansu', address, { sasl: { ...sasl, mechanism } }), recordingReader(progress));
      await expect.poll(() => countOf(progress)).toBe(3);
      expect(new Set(front.entered)).toEqual(new Set([name]));
      expect(front.entered.length).toBeGreaterThan(seen);
      const other = openLog('tansu', address, { sasl: { ...sasl, mechanism, password: { env: 'WRONG_PASSWORD' } } });
      const refused = read(other, recordingReader(createProgress()));
      await expect(refused.ended).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
        message: expect.stringMatching(/the broker refuses user or password .*; see sasl of the stream/),
      });
    },
  );

  it('whose password is not in the environment, or a file that is not there, stops the source when it is opened', () => {
    expect(() => openLog('tansu', '127.0.0.1:1', { sasl: { ...sasl, password: { env: 'NOWHERE' } } })).toThrow(
      'source "clicks": sasl.password needs the environment variable NOWHERE, which is not set',
    );
    expect(() => openLog('tansu', '127.0.0.1:1', { tls: { caFile: 'nowhere.pem' } })).toThrow(
      'source "clicks" cannot read the caFile of its TLS, "nowhere.pem"',
    );
  });
});

/** What is put right in the client library: it still is where we reach for it, and a connection at rest asks for no timer. */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/observe.ts';
import { openKafkaClient } from '../../../src/stream/log/kafka-client.ts';
import { startBroker, startProducer } from '../../support/start-broker.ts';

it('lets a connection rest where nothing waits for it', async () => {
  const broker = await startBroker('noida');
  const producer = startProducer(broker.address);
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const timing = { sessionTimeoutMs: 10_000, heartbeatMs: 2000, rebalanceTimeoutMs: 60_000, metadataMs: 30_000 };
  const client = openKafkaClient({
    ...{ brokers: [broker.address], topic: 'clicks', groupId: 'test', logger: silentLogger },
    timing: { ...timing, fetchWaitMs: 100, fetchBytes: 1024, partitionBytes: 1024 },
  });
  try {
    await producer.createTopic('clicks', 1);
    expect((await client.ranges()).size).toBe(1);
    timers.mockClear();
    await sleep(300);
    // One is of the wait itself at most.
    expect(timers.mock.calls.length).toBeLessThan(5);
    expect((await client.ranges()).size).toBe(1);
    expect(timers.mock.calls.filter(([, delay]) => (delay ?? 0) < 0)).toEqual([]);
  } finally {
    timers.mockRestore();
    await client.close();
    await producer.close();
    await broker.stop();
  }
});

it('takes an answer to leaving, whatever errors it has', async () => {
  const leaving = createRequire(import.meta.url)('kafkajs/src/protocol/requests/leaveGroup/v3/response') as {
    parse(answer: unknown): Promise<unknown>;
  };
  const answer = { errorCode: 25, members: [{ errorCode: 25 }] };
  expect(await leaving.parse(answer)).toBe(answer);
});

/** A stream whose log is lost stops and says the way out; an entity that is erased under load is nowhere afterwards (rules 6.7 and 8.4). */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { call, post } from '../../support/http-client.ts';
import { type Broker, type KafkaProducer, startBroker, startProducer } from '../../support/start-broker.ts';
import { startPython } from '../../support/start-python.ts';
import type { ServerProcess } from '../../support/start-server.ts';
import { askBoth, askOnline, compareAnswers } from './compare-answers.ts';
import { partitions, startProduction, topic } from './produce.ts';
import { drawEvents, judgeLog, nowUs, randomFrom } from './shop-events.ts';
import { shopDefinitions, shopFeatures } from './shop-features.ts';
import { makeStreamShop, type StreamShop } from './stream-shop.ts';

const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

let broker: Broker;
let producer: KafkaProducer;
let shop: StreamShop;
let server: ServerProcess;
beforeEach(async () => {
  broker = await startBroker('tansu');
  producer = startProducer(broker.address);
  await producer.createTopic(topic, partitions);
  const stream = `stream: kafka({ brokers: ['${broker.address}'], topic: '${topic}' })`;
  shop = makeStreamShop({ definitions: shopDefinitions(stream), onlineStore: { kind: 'lmdb' } });
  await shop.apply();
  server = await shop.start();
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(server?.log().slice(-20_000));
  await server?.stop();
  await producer?.close();
  await broker?.stop();
  shop?.remove();
});

async function countAll(): Promise<unknown> {
  const { online } = await askOnline(server, ['totals:events'], {});
  return online.get('totals__events')?.[0]?.value;
}

it('a log that is shorter than the progress stops its source loudly, and is read anew after a reset', async () => {
  const draw = drawEvents(randomFrom(seed));
  const some = () => Array.from({ length: 20 }, () => JSON.stringify(draw.event(nowUs() - 60_000_000n)));
  await producer.send(topic, 0, some());
  await expect.poll(countAll, { timeout: 60_000 }).toBe('20');
  // It keeps nothing across a restart.
  await broker.kill();
  await broker.restart();
  await producer.createTopic(topic, partitions);
  await producer.send(topic, 0, some().slice(0, 10));
  await expect.poll(() => server.log(), { timeout: 120_000 }).toContain('featherflight source reset clicks --from earliest');
  const { streams } = (await call(`${server.http}/api/v1/streams`)).json() as {
    streams: { source: string; error: string | null }[];
  };
  expect(streams).toMatchObject([{ source: 'clicks', error: expect.stringContaining('shorter') }]);
  expect(await countAll()).toBe('20');
  const { status, stdout, stderr } = await shop.run(['source', 'reset', 'clicks', '--from', 'earliest', '--url', server.url]);
  expect(status, stdout + stderr).toBe(0);
  await expect.poll(countAll, { timeout: 60_000 }).toBe('30');
  expect((await shop.archived()).size).toBe(30);
});

it(`an entity that is erased under load is nowhere afterwards, whatever comes later (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  const production = startProduction({ producer, draw: drawEvents(random), random, servers: () => [server] });
  const python = startPython(fileURLToPath(new URL('./stream_client.py', import.meta.url)));
  const erased = 3;
  try {
    const produce = async (times: number) => {
      for (let count = 0; count < times; count++) {
        await production.produce(nowUs() - 600_000_000n);
        await sleep(100);
      }
    };
    await produce(20);
    await expect.poll(async () => Number(await countAll()), { timeout: 60_000 }).toBeGreaterThan(100);
    const [answer] = await Promise.all([
      post(`${server.http}/api/v1/erasures`, { entity: 'user', keys: { user_id: erased } }),
      produce(20),
    ]);
    expect(answer.status, answer.text).toBe(200);
    await produce(10);
    const seen = new Set<number>();
    const events = (await producer.readAll(topic, partitions)).flatMap((values) => judgeLog(values, seen).events);
    const onTime = events.filter(({ isLate }) => !isLate).length;
    await expect.poll(async () => Number(await countAll()), { timeout: 60_000 }).toBe(onTime);
    const ofUsers = shopFeatures.filter(({ view }) => view.startsWith('user_'));
    const others = events.filter(({ user_id }) => user_id !== erased);
    const answers = await askBoth(server, python, ofUsers);
    // To the oracle it is somebody who never had an event.
    const { present } = compareAnswers(answers, others, `after an erasure (seed ${seed})`);
    expect(present).toBeGreaterThan(100);
    const mine = events.filter(({ user_id }) => user_id === erased).map(({ seq }) => seq);
    const archived = await shop.archived();
    expect(mine.length).toBeGreaterThan(0);
    expect(mine.filter((seq) => archived.has(seq))).toEqual([]);
  } finally {
    await python.kill();
  }
});

/**
 * Definitions that are applied to a running server while events flow: what was applied before is served until the new is filled, and in
 * the end no event is missing and none counts twice, also where the server was killed in the middle of filling (rules 6.7, 8.3, 9).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { silentLogger } from '../../../src/observe.ts';
import { openOnlineStore } from '../../../src/online/open-store.ts';
import { createOnlineRecords } from '../../../src/online/records.ts';
import { startBroker, startProducer } from '../../support/start-broker.ts';
import { startPython } from '../../support/start-python.ts';
import { startRedis } from '../../support/start-redis.ts';
import type { ServerProcess } from '../../support/start-server.ts';
import { askBoth, askOnline, compareAnswers } from './compare-answers.ts';
import { allEnded, readEnds, writeEnds } from './ends.ts';
import { partitions, startProduction, topic } from './produce.ts';
import { drawEvents, judgeLog, nowUs, randomFrom } from './shop-events.ts';
import { type ShopFeature, shopDefinitions, shopFeatures, shopViews } from './shop-features.ts';
import { makeStreamShop } from './stream-shop.ts';

const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

let closing: (() => unknown)[] = [];
let server: ServerProcess | undefined;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(server?.log().slice(-20_000));
  await server?.stop();
  for (const close of closing.reverse()) await close();
  closing = [];
});

/** One of every view, from the beginning to the end. */
const always = Object.keys(shopViews).map((view) => shopFeatures.find((one) => one.view === view) as ShopFeature);
const half = shopFeatures.filter((one, at) => always.includes(one) || at % 2 === 0);
/** The same names, one of them computed otherwise than in the end. */
const otherwise = half
  .filter(({ naive }) => naive.name !== 'revenue_1d')
  .concat({
    ...(shopFeatures.find(({ naive }) => naive.name === 'revenue_1d') as ShopFeature),
    definition: `revenue_1d: sum('price', { window: '2d' })`,
  });

it(`are served without a gap (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  const broker = await startBroker('noida');
  closing.push(broker.stop);
  const producer = startProducer(broker.address);
  closing.push(producer.close);
  await producer.createTopic(topic, partitions);
  const redis = await startRedis();
  closing.push(redis.stop);
  const onlineStore = { kind: 'redis', url: `redis://${redis.address}` };
  const stream = `stream: kafka({ brokers: ['${broker.address}'], topic: '${topic}', groupId: env('KAFKA_GROUP') })`;
  const shop = makeStreamShop({ definitions: shopDefinitions(stream, '', always), onlineStore });
  closing.push(shop.remove);
  const python = startPython(fileURLToPath(new URL('./stream_client.py', import.meta.url)));
  closing.push(python.kill);
  const config = parseConfig({ project: 'shop', onlineStore, state: `${shop.directory}/state-a` }, shop.directory, {});
  const store = openOnlineStore(config, silentLogger);
  closing.push(store.close);
  const records = createOnlineRecords(store, 'shop');

  await shop.apply();
  server = await shop.start('a', { KAFKA_GROUP: 'first' });
  let serving: ServerProcess | undefined = server;
  const first = server;
  const served = async () => (await askOnline(first, ['totals:events'], {})).online.get('totals__events')?.[0]?.value;
  await expect.poll(served, { timeout: 30_000 }).toBe('0');
  const draw = drawEvents(random);
  const production = startProduction({ producer, draw, random, servers: () => (serving === undefined ? [] : [serving]) });
  const aboutUs = () => nowUs() - 3_600_000_000n * BigInt(Math.floor(random() * 20));

  let isFlowing = true;
  const producing = (async () => {
    while (isFlowing) {
      await production.produce(nowUs() - 600_000_000n);
      await sleep(400);
    }
  })();
  const pushing = (async () => {
    while (isFlowing) {
      await production.push(Array.from({ length: 5 }, () => draw.event(nowUs())));
      await sleep(400);
    }
  })();

  /** Served from here on, whatever is applied. */
  const watched = new Set(always.map(({ view, naive }) => `${view}:${naive.name}`));
  const faults: string[] = [];
  let looks = 0;
  let most = 0n;
  const watching = (async () => {
    while (isFlowing) {
      await sleep(60);
      const asked = serving;
      if (asked === undefined) continue;
      const names = [...watched];
      const keys = { user_id: [1, 2, 3], item_id: ['item 0', 'item 1', 'item 2'] };
      const answer = await askOnline(asked, names, keys).catch((error: unknown) => {
        if (serving === asked) faults.push(String(error));
        return undefined;
      });
      if (answer === undefined) continue;
      looks += 1;
      for (const [name, cells] of answer.online) {
        if (cells.some(({ status }) => status === 'NOT_FOUND')) faults.push(`${name} is not found`);
      }
      const count = BigInt(String(answer.online.get('totals__events')?.[0]?.value ?? -1));
      if (count < most) faults.push(`the events went back from ${most} to ${count}`);
      most = count > most ? count : most;
    }
  })();

  const define = (features: readonly ShopFeature[]) =>
    writeFileSync(join(shop.directory, 'features/shop.ts'), shopDefinitions(stream, '', features));
  const applyThere = () => shop.run(['apply', '--yes', '--url', (server as ServerProcess).url]);
  async function applied(features: readonly ShopFeature[]): Promise<void> {
    define(features);
    const { status, stdout, stderr } = await applyThere();
    expect(status, stdout + stderr).toBe(0);
    for (const { view, naive } of features) watched.add(`${view}:${naive.name}`);
    await sleep(1000);
  }

  // Of past hours, each partition in its order.
  for (let round = 0; round < 20; round++) await production.push(Array.from({ length: 40 }, () => draw.event(aboutUs())));
  await applied(otherwise);

  // The last one is killed while it fills; what was applied before is what the next server finds.
  define(shopFeatures);
  let isFilling = false;
  const applying = applyThere().finally(() => {
    isFilling = true;
  });
  while (!isFilling && (await records.read('filling', 'clicks')) === undefined) await sleep(2);
  expect(isFilling, 'filling ended before the server could be killed').toBe(false);
  serving = undefined;
  await server.stop('SIGKILL');
  expect((await applying).status).not.toBe(0);
  server = await shop.start('a', { KAFKA_GROUP: 'second' });
  serving = server;
  await sleep(1000);
  await applied(half);
  await applied(shopFeatures);

  isFlowing = false;
  await Promise.all([producing, pushing, watching]);
  expect(faults).toEqual([]);
  expect(looks).toBeGreaterThan(20);
  await writeEnds(production, draw);
  const last = server;
  await expect.poll(() => readEnds(last), { timeout: 60_000, interval: 250 }).toEqual(allEnded);
  const seen = new Set<number>();
  const logs = [...(await producer.readAll(topic, partitions)), production.pushed.map((event) => JSON.stringify(event))];
  const events = logs.flatMap((values) => judgeLog(values, seen).events);
  const compared = compareAnswers(await askBoth(last, python), events, `after all was applied (seed ${seed})`);
  expect(compared.present).toBeGreaterThan(compared.cells / 2);
  const wanted = new Map<number, number>();
  for (const { seq } of events) wanted.set(seq, (wanted.get(seq) ?? 0) + 1);
  expect(await shop.archived()).toEqual(wanted);
  console.log(`seed ${seed}: ${events.length} events, ${looks} looks, ${JSON.stringify(compared)}`);
});

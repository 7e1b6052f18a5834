/**
 * Streams of Redis as a server reads them: entries of a client that is not ours, servers that are killed at random instants and one beside
 * them; afterwards online, training and plain loops agree. What was trimmed before it was read stops the source until it is reset.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import type { ShownSetAsideReport } from '../../../src/serve/show-set-aside.ts';
import { call } from '../../support/http-client.ts';
import { startPython } from '../../support/start-python.ts';
import { startRedis } from '../../support/start-redis.ts';
import type { ServerProcess } from '../../support/start-server.ts';
import { askBoth, compareAnswers } from './compare-answers.ts';
import { allEnded, readEnds, writeEnds } from './ends.ts';
import { startLives } from './processor.ts';
import { momentOf, partitions, startProduction } from './produce.ts';
import { drawEvents, judgeLog, nowUs, randomFrom } from './shop-events.ts';
import { shopDefinitions } from './shop-features.ts';
import { makeStreamShop } from './stream-shop.ts';

const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** FEATHERFLIGHT_TEST_KILLS=500 for a long search. */
const kills = Math.ceil(Number(process.env.FEATHERFLIGHT_TEST_KILLS ?? 50) / 10);

let closing: (() => unknown)[] = [];
let together: ServerProcess[] = [];
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') for (const server of together) console.error(server.log().slice(-20_000));
  await Promise.all(together.splice(0).map((server) => server.stop()));
  for (const close of closing.reverse()) await close();
  closing = [];
});

it(`are served and trained alike after ${kills} kills, and stand still where entries are lost (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  const [online, streams] = [await startRedis(), await startRedis()];
  closing.push(online.stop, streams.stop);
  const client = streams.connect();
  closing.push(() => client.disconnect());
  const keys = Array.from({ length: partitions }, (_, at) => `clicks:${at}`);
  const stream = `stream: redisStream({ url: 'redis://${streams.address}', keys: ${JSON.stringify(keys)} })`;
  const onlineStore = { kind: 'redis', url: `redis://${online.address}` };
  const shop = makeStreamShop({ definitions: shopDefinitions(stream), onlineStore });
  closing.push(shop.remove);
  await shop.apply('a');
  await shop.apply('b');
  const python = startPython(fileURLToPath(new URL('./stream_client.py', import.meta.url)));
  closing.push(python.kill);

  const lives = startLives({ shop, random, longestMs: 2000 });
  const draw = drawEvents(random);
  /** What a server has read, or will, of each key. */
  const logs: string[][] = keys.map(() => []);
  const add = async (partition: number, value: string) => await client.xadd(keys[partition] as string, '*', 'value', value);
  const producer = {
    async send(_: string, partition: number, values: readonly (string | null)[]) {
      for (const value of values) {
        await add(partition, value ?? '');
        logs[partition]?.push(value ?? '');
      }
      return [];
    },
  };
  const production = startProduction({ producer, draw, random, servers: () => [...lives.servers(), ...together] });
  const done = () => Math.min(1, lives.kills / kills);
  let isProducing = true;
  const producing = (async () => {
    while (isProducing) {
      await production.produce(momentOf(done()));
      await sleep(100);
    }
  })();
  const pushing = (async () => {
    while (isProducing) {
      await production.push(Array.from({ length: 5 }, () => draw.event(momentOf(done()))));
      await sleep(300);
    }
  })();
  await Promise.all([lives.live('a', kills), lives.live('b', kills)]);
  together.push(await shop.start('a'), await shop.start('b'));
  await sleep(1000);
  isProducing = false;
  await Promise.all([producing, pushing]);
  await writeEnds(production, draw);
  const judge = () => {
    const seen = new Set<number>();
    return [...logs, production.pushed.map((event) => JSON.stringify(event))].map((values) => judgeLog(values, seen));
  };
  for (const server of together) await expect.poll(() => readEnds(server), { timeout: 60_000, interval: 250 }).toEqual(allEnded);
  const judged = judge();
  const events = judged.flatMap((log) => log.events);
  for (const server of together) {
    const { cells, present } = compareAnswers(await askBoth(server, python), events, `after the kills (seed ${seed})`);
    expect(present).toBeGreaterThan(cells / 2);
  }

  const [first, second] = together as [ServerProcess, ServerProcess];
  const setAside = judged.reduce((sum, log) => sum + log.setAside, 0);
  const shown = (await call(`${first.http}/api/v1/streams/clicks/set-aside?limit=5`)).json() as ShownSetAsideReport;
  expect(setAside).toBeGreaterThan(0);
  expect(shown.total).toBe(setAside);
  const told = await shop.run(['source', 'set-aside', 'clicks', '--limit', '5', '--json', '--url', second.url]);
  expect(JSON.parse(told.stdout)).toEqual(shown);

  // Nobody reads while entries come and are trimmed away.
  together = [];
  await Promise.all([first.stop(), second.stop()]);
  for (let count = 0; count < 5; count++) await add(0, JSON.stringify(draw.event(nowUs())));
  await client.xtrim(keys[0] as string, 'MAXLEN', 0);
  await production.send(0, [JSON.stringify(draw.event(nowUs())), JSON.stringify(draw.event(nowUs()))]);
  const last = await shop.start('a');
  together.push(last);
  const error = async () => ((await call(`${last.http}/api/v1/streams/clicks`)).json() as { error: string | null }).error;
  const wayOut = /Run: featherflight (source reset clicks --from clicks:0=\d+)$/;
  await expect.poll(error, { timeout: 60_000 }).toMatch(wayOut);
  expect(last.log()).toContain('are gone before they were read');
  const [, command] = wayOut.exec((await error()) as string) as unknown as [string, string];
  const { status, stdout, stderr } = await shop.run([...command.split(' '), '--url', last.url]);
  expect(status, stdout + stderr).toBe(0);
  await writeEnds(production, draw, ' again');
  await expect.poll(() => readEnds(last, ' again'), { timeout: 60_000, interval: 250 }).toEqual(allEnded);
  await expect.poll(error).toBeNull();
  const all = judge().flatMap((log) => log.events);
  expect(all.length).toBeGreaterThanOrEqual(events.length + 2 + partitions + 1);
  compareAnswers(await askBoth(last, python), all, `after the reset (seed ${seed})`);
  console.log(`seed ${seed}: ${lives.kills} kills, ${all.length} events, ${setAside} set aside`);
});

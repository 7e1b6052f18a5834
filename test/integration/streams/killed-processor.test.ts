/**
 * The whole way of a stream, killed anywhere: a third party's producer, a broker that restarts, servers that share an online store and
 * are killed at random instants. Afterwards every key's online answer is the training answer, and what plain loops make of the log.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { silentLogger } from '../../../src/observe.ts';
import { openOnlineStore } from '../../../src/online/open-store.ts';
import { createOnlineRecords } from '../../../src/online/records.ts';
import { openProgress } from '../../../src/stream/progress.ts';
import { type BrokerKind, startBroker, startProducer } from '../../support/start-broker.ts';
import { startPython } from '../../support/start-python.ts';
import { startRedis } from '../../support/start-redis.ts';
import { startRedisCluster } from '../../support/start-redis-cluster.ts';
import type { ServerProcess } from '../../support/start-server.ts';
import { askBoth, askOnline, compareAnswers } from './compare-answers.ts';
import { startLives } from './processor.ts';
import { momentOf, partitions, startProduction, topic } from './produce.ts';
import { drawEvents, instantText, type JudgedEvent, judgeLog, nowUs, randomFrom, type ShopEvent } from './shop-events.ts';
import { shopDefinitions } from './shop-features.ts';
import { makeStreamShop } from './stream-shop.ts';

const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** FEATHERFLIGHT_TEST_KILLS=500 for a long search. */
const mostKills = Number(process.env.FEATHERFLIGHT_TEST_KILLS ?? 50);

let closing: (() => unknown)[] = [];
/** The servers that are left alive in the end: what they have to say is shown of a failure. */
let together: ServerProcess[] = [];
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') for (const server of together) console.error(server.log().slice(-20_000));
  for (const close of closing.reverse()) await close();
  closing = [];
});

interface Case {
  readonly store: 'redis' | 'cluster' | 'lmdb';
  readonly broker: BrokerKind;
  readonly kills: number;
  readonly longestMs: number;
}

const cases: readonly Case[] = [
  { store: 'redis', broker: 'noida', kills: mostKills, longestMs: 2000 },
  { store: 'lmdb', broker: 'noida', kills: 6, longestMs: 3000 },
  // Which lets the first member of a group wait for some seconds.
  { store: 'cluster', broker: 'tansu', kills: 3, longestMs: 12_000 },
];

async function openStore(kind: Case['store']): Promise<unknown> {
  if (kind === 'lmdb') return { kind };
  const started = kind === 'redis' ? await startRedis() : await startRedisCluster();
  closing.push(started.stop);
  return 'address' in started
    ? { kind: 'redis', url: `redis://${started.address}` }
    : { kind: 'redis', cluster: started.addresses };
}

describe.each(cases)('streams of $broker into $store', ({ store, broker: kind, kills, longestMs }) => {
  it(`are served and trained alike after ${kills} kills (seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const broker = await startBroker(kind);
    closing.push(broker.stop);
    const producer = startProducer(broker.address);
    closing.push(producer.close);
    await producer.createTopic(topic, partitions);
    const onlineStore = await openStore(store);
    const stream = `stream: kafka({ brokers: ['${broker.address}'], topic: '${topic}', groupId: env('KAFKA_GROUP') })`;
    const shop = makeStreamShop({ definitions: shopDefinitions(stream), onlineStore });
    closing.push(shop.remove);
    await shop.apply('a');
    if (store !== 'lmdb') await shop.apply('b');
    const python = startPython(fileURLToPath(new URL('./stream_client.py', import.meta.url)));
    closing.push(python.kill);

    let claimed = 0;
    const lives = startLives({
      ...{ shop, random, longestMs },
      onKilled: async () => {
        if (store !== 'lmdb' && (await readProgress()).some(({ pending }) => pending !== undefined)) claimed += 1;
      },
    });
    together = [];
    closing.push(() => Promise.all(together.map((server) => server.stop())));
    const draw = drawEvents(random);
    const production = startProduction({ producer, draw, random, servers: () => [...lives.servers(), ...together] });

    async function readProgress() {
      const config = parseConfig({ project: 'shop', onlineStore, state: `${shop.directory}/state-a` }, shop.directory, {});
      const opened = openOnlineStore(config, silentLogger);
      try {
        return [...(await openProgress(createOnlineRecords(opened, 'shop'), 'clicks').readAll()).values()];
      } finally {
        await opened.close();
      }
    }

    let isProducing = true;
    const done = () => Math.min(1, lives.kills / kills);
    /** noida loses what it acknowledges while it ends. */
    let resting = Promise.resolve();
    let sending = Promise.resolve();
    const producing = (async () => {
      while (isProducing) {
        await resting;
        sending = production.produce(momentOf(done()));
        await sending;
        await sleep(150);
      }
    })();
    const pushing = (async () => {
      while (isProducing) {
        await production.push(Array.from({ length: 5 }, () => draw.event(momentOf(done()))));
        await sleep(300);
      }
    })();
    const restarting = (async () => {
      if (kind !== 'noida') return;
      while (lives.kills < kills / 2) await sleep(50);
      let goOn = () => {};
      resting = new Promise((resolve) => {
        goOn = resolve;
      });
      await sending;
      await sleep(500);
      await broker.kill('SIGTERM');
      await sleep(300);
      await broker.restart();
      goOn();
    })();
    await Promise.all([lives.live('a', kills), store === 'lmdb' ? undefined : lives.live('b', kills)]);
    await restarting;

    // The second joins, leaves in order and joins again while events come: of one group where the broker never forgets to answer one.
    const group = (state: string) => ({ KAFKA_GROUP: kind === 'tansu' ? 'together' : `group-${state}` });
    const first = await shop.start('a', group('a'));
    together.push(first);
    if (store !== 'lmdb') {
      const second = await shop.start('b', group('b'));
      together.push(second);
      await sleep(1500);
      together.pop();
      await second.stop();
      await sleep(500);
      together.push(await shop.start('b', group('b')));
    }
    await sleep(1000);
    isProducing = false;
    await Promise.all([producing, pushing]);

    // Events of this very minute, some of them ahead of the clock (rule 6.6), and a last one of every partition.
    const aheadUs = nowUs() + 12_000_000n;
    for (let partition = 0; partition < partitions; partition++) {
      const ahead = Array.from({ length: 6 }, () => draw.event(aheadUs)).map((event) => ({ ...event, at: instantText(aheadUs) }));
      const recent = Array.from({ length: 20 }, () => draw.event(nowUs()));
      await production.send(
        partition,
        [...ahead, ...recent, endOf(String(partition))].map((event) => JSON.stringify(event)),
      );
    }
    await production.push([endOf('push')]);

    function endOf(log: string): ShopEvent {
      return {
        ...draw.event(nowUs()),
        id: null,
        user_id: null,
        item_id: `end of ${log}`,
        kind: null,
        at: instantText(nowUs() - 1_000_000n),
      };
    }

    for (const server of together)
      await expect.poll(() => endsOf(server), { timeout: 90_000, interval: 250 }).toEqual(['1', '1', '1', '1']);

    const logs = await producer.readAll(topic, partitions);
    const seen = new Set<number>();
    const judged = [...logs, production.pushed.map((event) => JSON.stringify(event))].map((values) => judgeLog(values, seen));
    const events = judged.flatMap((log) => log.events);
    const lost = [...production.acknowledged].filter((seq) => !events.some((event) => event.seq === seq));
    expect(lost, 'the broker has lost what it had acknowledged').toEqual([]);

    const compared = [];
    for (const when of ['as soon as all was applied', 'when the clock had passed every event']) {
      if (compared.length > 0) await expect.poll(() => nowUs() > aheadUs + 4_000_000n, { timeout: 40_000 }).toBe(true);
      for (const server of together) {
        compared.push(compareAnswers(await askBoth(server, python), events, `${when} (seed ${seed})`));
      }
    }
    for (const { cells, present, late } of compared) {
      expect(present).toBeGreaterThan(cells / 2);
      expect(late).toBeGreaterThan(0);
    }

    const archived = await shop.archived();
    const wanted = new Map<number, number>();
    for (const { seq } of events) wanted.set(seq, (wanted.get(seq) ?? 0) + 1);
    expect(differencesOf(archived, wanted), 'events that the archive has not, or too often').toEqual([]);

    await Promise.all(together.splice(0).map((server) => server.stop()));
    const progress = await readProgress();
    const total = (of: 'records' | 'events' | 'late' | 'setAside' | 'duplicates') =>
      progress.reduce((sum, { counts }) => sum + counts[of], 0);
    expect({
      events: total('events'),
      late: total('late'),
      setAside: total('setAside'),
      duplicates: total('duplicates'),
    }).toEqual({
      events: events.length,
      late: events.filter(({ isLate }: JudgedEvent) => isLate).length,
      setAside: judged.reduce((sum, log) => sum + log.setAside, 0),
      duplicates: judged.reduce((sum, log) => sum + log.duplicates, 0),
    });
    expect(lives.kills).toBeGreaterThanOrEqual(kills);
    console.log(
      `seed ${seed}, ${kind} into ${store}: ${lives.kills} kills, ${claimed} of them with a batch claimed; ${events.length} events, ` +
        `${total('late')} late, ${total('setAside')} set aside, ${total('duplicates')} twice; ${JSON.stringify(compared)}`,
    );
  }, 1_200_000);
});

async function endsOf(server: ServerProcess): Promise<unknown[]> {
  const ends = [...Array.from({ length: partitions }, (_, partition) => `end of ${partition}`), 'end of push'];
  const { online } = await askOnline(server, ['item_activity:events'], { item_id: ends });
  return (online.get('item_activity__events') ?? []).map(({ value }) => value);
}

function differencesOf(archived: ReadonlyMap<number, number>, wanted: ReadonlyMap<number, number>): unknown[] {
  const seqs = [...new Set([...archived.keys(), ...wanted.keys()])];
  return seqs
    .filter((seq) => archived.get(seq) !== wanted.get(seq))
    .slice(0, 10)
    .map((seq) => ({ seq, archived: archived.get(seq) ?? 0, wanted: wanted.get(seq) ?? 0 }));
}

/** Producers of the shop's events: a third party's into a topic, and pushes over HTTP, each until it is acknowledged. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { post } from '../../support/http-client.ts';
import type { KafkaProducer } from '../../support/start-broker.ts';
import { type EventDrawer, nowUs, type Random, type ShopEvent } from './shop-events.ts';

export const topic = 'clicks';
export const partitions = 3;

const hourUs = 3_600_000_000n;
const names = ['seq', 'id', 'user_id', 'item_id', 'kind', 'n', 'seconds', 'price', 'at'] as const;

export interface Production {
  /** Tries until the broker has acknowledged all of them. */
  send(partition: number, values: readonly (string | null)[]): Promise<void>;
  /** Some records of every partition, about that time: mostly events, some late, written twice, or none at all. */
  produce(aboutUs: bigint): Promise<void>;
  /** Tries until a server has acknowledged them, and often once more with the same key. */
  push(events: readonly ShopEvent[]): Promise<void>;
  /** Seqs of events that somebody has acknowledged. */
  readonly acknowledged: ReadonlySet<number>;
  /** Events as they were pushed. */
  readonly pushed: readonly ShopEvent[];
}

export interface ProductionParts {
  readonly producer: Pick<KafkaProducer, 'send'>;
  readonly draw: EventDrawer;
  readonly random: Random;
  /** Where pushes can go now. */
  servers(): readonly { readonly http: string }[];
}

export function startProduction({ producer, draw, random, servers }: ProductionParts): Production {
  const acknowledged = new Set<number>();
  const pushed: ShopEvent[] = [];

  async function send(partition: number, values: readonly (string | null)[]): Promise<void> {
    for (;;) {
      try {
        await producer.send(topic, partition, values);
        return;
      } catch {
        await sleep(100);
      }
    }
  }

  async function tryPush(rows: object, key: string): Promise<boolean> {
    const all = servers();
    const server = all[Math.floor(random() * all.length)];
    if (server === undefined) return false;
    const answer = await post(`${server.http}/api/v1/push`, { source: 'clicks', rows }, { 'idempotency-key': key }).catch(
      () => undefined,
    );
    if (answer !== undefined && answer.status !== 200 && answer.status < 500 && answer.status !== 429)
      throw new Error(answer.text);
    return answer?.status === 200;
  }

  return {
    send,
    acknowledged,
    pushed,
    async produce(aboutUs) {
      for (let partition = 0; partition < partitions; partition++) {
        const values: (string | null)[] = [];
        const events: ShopEvent[] = [];
        for (let count = 3 + Math.floor(random() * 12); count > 0; count--) {
          const of = random();
          if (of < 0.05) {
            values.push(draw.malformed());
            continue;
          }
          const event = of < 0.08 ? draw.lateEvent(aboutUs) : draw.event(aboutUs);
          events.push(event);
          values.push(JSON.stringify(event));
          if (of > 0.93) values.push(JSON.stringify(event));
        }
        const again = events[Math.floor(random() * events.length)];
        if (again !== undefined) values.push(JSON.stringify(again));
        await send(partition, values);
        for (const { seq } of events) acknowledged.add(seq);
      }
    },
    async push(events) {
      const rows = Object.fromEntries(names.map((name) => [name, events.map((event) => event[name])]));
      const key = randomUUID();
      while (!(await tryPush(rows, key))) await sleep(100);
      pushed.push(...events);
      for (const { seq } of events) acknowledged.add(seq);
      if (random() < 0.3) await tryPush(rows, key);
    },
  };
}

/** From 26 hours ago up to now, by how far the run is (0 to 1). */
export function momentOf(done: number): bigint {
  return nowUs() - (26n * hourUs * BigInt(Math.round((1 - done) * 1000))) / 1000n;
}

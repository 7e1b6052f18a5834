/** States above `maxStateBytes` beside the values of their keys, on every store: exact whatever dies, and nothing of them left behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeEntityKey, entityPrefix } from '../../src/online/encoding/keys.ts';
import { createOnlineSchemas } from '../../src/online/encoding/schemas.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { slotOfKey } from '../../src/online/redis/slot.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import { encodeSideKey, sidePrefix } from '../../src/online/spill/side-key.ts';
import { readSpilled } from '../../src/online/spill/spilled-row.ts';
import { readSpilledViews } from '../../src/online/spill/spilled-views.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { dropStates } from '../../src/online/windows/drop-states.ts';
import type { EventBatch } from '../../src/online/windows/event-batch.ts';
import { addEvent, createState, settle } from '../../src/online/windows/state.ts';
import { sweepStates } from '../../src/online/windows/sweep-states.ts';
import { compileWindowLookup } from '../../src/online/windows/window-lookup.ts';
import { compileWindowView, type WindowView } from '../../src/online/windows/window-view.ts';
import { createEventWriter } from '../../src/online/windows/write-events.ts';
import { openStateWriter } from '../../src/online/windows/write-states.ts';
import { eraseEntity, liftErasure } from '../../src/online/write/erase.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import { type Draw, drawFrom } from '../offline/draw-values.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/start-redis-cluster.ts';

const runs = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 1000);
const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

const startUs = 1_773_144_000_000_000n;
const minuteUs = 60_000_000n;
const hourUs = 60n * minuteUs;
const joinKeys = [{ name: 'name', type: 'string' }] as const;
const entities = [{ name: 'user', joinKeys, tags: {}, file: '' }] as unknown as RegistryDocument['entities'];
/** Names whose slots are made in every way that there is. */
const names = ['a', '{b}', 'c}', '{', '{}d', 'e{f'];

/** How many events an hour and ever, and the numbers of the last ones. */
function viewOf(name: string, maxStateBytes: number): WindowView {
  const value = { text: 'n', tree: { kind: 'column', name: 'n', type: { kind: 'int64' } } };
  const document = {
    ...{ name, kind: 'stream', entities: ['user'], source: 'clicks', asKnown: false, tags: {}, file: 'a.ts' },
    keys: [{ ...joinKeys[0], column: 'name' }],
    features: [
      { name: 'hour', hash: '1', type: 'int64', column: '', aggregate: { function: 'count', window: '1h', hop: '1m' } },
      { name: 'ever', hash: '2', type: 'int64', column: '', aggregate: { function: 'count', window: 'lifetime' } },
      {
        ...{ name: 'last', hash: '3', type: 'list(int64)', column: '' },
        aggregate: { function: 'last_n', value, window: '1h', hop: '1m', size: 100 },
      },
    ],
  } as unknown as ViewDocument;
  return compileWindowView(document, entities, maxStateBytes);
}

const small = viewOf('small', 200);
const large = viewOf('large', 600);

interface Seen {
  readonly key: string;
  readonly n: bigint;
  readonly timeUs: bigint;
}

/** What a view is to have of a key at a clock. */
function expected(events: readonly Seen[], key: string, nowUs: bigint): unknown[] {
  const own = events.filter((event) => event.key === key);
  const recent = own.filter(({ timeUs }) => timeUs >= ((nowUs - hourUs) / minuteUs) * minuteUs);
  return [BigInt(recent.length), BigInt(own.length), recent.length === 0 ? null : recent.map(({ n }) => n).reverse()];
}

/** A store that dies at some operations: before they do anything, or after they have. */
function mortal(store: OnlineStore, dies: () => 'before' | 'after' | undefined): OnlineStore {
  const die = async <T>(operation: () => Promise<T>): Promise<T> => {
    const when = dies();
    if (when === 'before') throw new Error('killed');
    const answer = await operation();
    if (when === 'after') throw new Error('killed');
    return answer;
  };
  return {
    ...store,
    read: (keys, signal) => die(() => store.read(keys, signal)),
    replace: (replacements, signal) => die(() => store.replace(replacements, signal)),
  };
}

const scopeOf = (store: OnlineStore, project: string) => ({ store, project, schemas: createOnlineSchemas(store, project) });

function batchOf(
  views: readonly WindowView[],
  events: readonly Seen[],
  first: bigint,
  nowUs: bigint,
  committed: () => bigint,
): EventBatch {
  return {
    ...{ partition: 'p', next: first + BigInt(events.length), nowUs, acceptedFromUs: undefined },
    isCommitted: (_, next) => next <= committed(),
    readCommitted: async () => committed(),
    events: views.map((view) => ({
      view,
      keys: [events.map(({ key }) => key)],
      timesUs: events.map(({ timeUs }) => timeUs),
      offsets: events.map((_, at) => first + BigInt(at)),
      values: [events.map(({ n }) => n)],
    })),
  };
}

/** Side values that no value names, and names that no side value has: none. */
async function unmatched(store: OnlineStore, project: string): Promise<string[]> {
  const named = new Set<string>();
  for await (const keys of store.scan(entityPrefix(project))) {
    for (const [at, value] of (await store.read(keys)).entries()) {
      const rows = readSpilled(value && Buffer.from(value));
      for (const { view } of rows) named.add(encodeSideKey(project, view, keys[at] as Uint8Array).toString('hex'));
    }
  }
  const present = new Set<string>();
  for await (const keys of store.scan(sidePrefix(project))) for (const key of keys) present.add(Buffer.from(key).toString('hex'));
  return [...named].filter((key) => !present.has(key)).concat([...present].filter((key) => !named.has(key)));
}

async function runHistory(from: Draw, store: OnlineStore, project: string): Promise<{ spilled: number; returned: number }> {
  let isMortal = false;
  const dying = mortal(store, () => {
    if (!isMortal || !from.chance(15)) return undefined;
    return from.pick(['before', 'after'] as const);
  });
  const views = [small, large];
  const readers = [
    createOnlineReader(store, project),
    createOnlineReader(
      store,
      project,
      () => true,
      () => true,
    ),
  ];
  const lookups = views.map((view) => compileWindowLookup(view, ['hour', 'ever', 'last']));
  let progress = 0n;
  let nowUs = startUs;
  let events: Seen[] = [];
  const erased = new Set<string>();
  const counts = { spilled: 0, returned: 0 };
  let beside = 0;

  const untilDone = async (work: (own: OnlineStore) => Promise<unknown>) => {
    isMortal = true;
    for (;;) {
      try {
        await work(dying);
        break;
      } catch (error) {
        if ((error as Error).message !== 'killed') throw error;
      }
    }
    isMortal = false;
  };

  const apply = async () => {
    const first = progress;
    const come = Array.from({ length: from.int(1, 12) }, (_, at): Seen => {
      nowUs += BigInt(from.int(1_000, 20_000_000));
      return { key: from.chance(50) ? 'a' : from.pick(names), n: first + BigInt(at), timeUs: nowUs };
    });
    const batch = batchOf(views, come, first, nowUs, () => progress);
    const work = (own: OnlineStore) => createEventWriter(scopeOf(own, project)).apply(batch);
    if (from.chance(30)) {
      // Two at the same batch, of which one may die.
      const rivals = await Promise.allSettled([work(store), work(store)]);
      expect(rivals.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    } else await untilDone(work);
    progress += BigInt(come.length);
    events.push(...come.filter(({ key }) => !erased.has(key)));
    if (from.chance(20)) await work(store);
  };
  const sweep = () =>
    untilDone((own) =>
      sweepStates(scopeOf(own, project), views, {
        ...{ nowUs, acceptedFromUs: () => undefined },
        isCommitted: (_, __, next) => next <= progress,
      }),
    );
  const erase = async () => {
    const key = from.pick(names);
    if (erased.delete(key)) await liftErasure(scopeOf(store, project), joinKeys, [key]);
    else {
      erased.add(key);
      events = events.filter((event) => event.key !== key);
      const work = createEventWriter(scopeOf(store, project));
      const again = batchOf(views, [{ key, n: 0n, timeUs: nowUs }], progress, nowUs, () => progress);
      // Somebody who slept through it writes beside it.
      await Promise.all([untilDone((own) => eraseEntity(scopeOf(own, project), joinKeys, [key], nowUs)), work.apply(again)]);
    }
  };
  const fill = () =>
    untilDone(async (own) => {
      const view = from.pick(views);
      const filled = from.chance(50) ? view.features : view.features.slice(0, from.int(1, 2));
      const part = { ...view, features: filled };
      const writer = await openStateWriter(scopeOf(own, project), view, filled);
      await writer.write(
        names.map((key) => {
          const state = createState(part);
          for (const { n, timeUs } of events.filter((event) => event.key === key)) {
            addEvent(part, state, { timeUs, values: [n] }, nowUs);
          }
          settle(part, state, nowUs, undefined);
          return { keys: [key], state };
        }),
      );
    });
  const compare = async () => {
    for (const reader of readers) {
      const wanted = lookups.map((lookup) => ({ lookup, entities: names.map((key) => [key]) }));
      const atUs = nowUs + 1n;
      const { rows } = await reader.read(wanted, atUs);
      for (const own of rows) expect(own.map((row) => row?.values)).toEqual(names.map((key) => expected(events, key, atUs)));
    }
  };

  for (let left = from.int(4, 14); left > 0; left--) {
    await from.pick([apply, apply, apply, apply, sweep, erase, fill])();
    if (from.chance(25)) nowUs += from.pick([hourUs / 2n, 2n * hourUs]);
    await compare();
    let now = 0;
    for await (const keys of store.scan(sidePrefix(project))) now += keys.length;
    counts.spilled += Math.max(0, now - beside);
    counts.returned += Math.max(0, beside - now);
    beside = now;
  }
  expect(await unmatched(store, project)).toEqual([]);
  await dropStates(scopeOf(store, project), small, () => false);
  await sweep();
  expect(await unmatched(store, project)).toEqual([]);
  const [smallKeys] = await readSpilledViews(createOnlineRecords(store, project), ['small', 'large']);
  expect(smallKeys).toBeUndefined();
  for (const key of names) await eraseEntity(scopeOf(store, project), joinKeys, [key], nowUs);
  for await (const keys of store.scan(sidePrefix(project))) expect(keys).toEqual([]);
  return counts;
}

function describeSpilling(name: string, open: () => OnlineStore | Promise<OnlineStore>, numRuns: number): void {
  describe(`spilled states in ${name}`, () => {
    let store: OnlineStore;
    let project = 0;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    it(`${numRuns} random histories of events, deaths, rivals, fills, sweeps and erasures equal the events (seed ${seed})`, async () => {
      const sums = { spilled: 0, returned: 0 };
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          const counts = await runHistory(drawFrom(g), store, `h${project++}`);
          sums.spilled += counts.spilled;
          sums.returned += counts.returned;
        }),
        { numRuns, seed },
      );
      expect(sums.spilled).toBeGreaterThan(0);
      // Erasures and windows that pass.
      if (numRuns >= 20) expect(sums.returned).toBeGreaterThan(0);
    }, 600_000);

    it('is read in one round trip, by who does not know of it in two, once', async () => {
      const own = `t${project++}`;
      const events = Array.from({ length: 60 }, (_, at) => ({ key: 'a', n: BigInt(at), timeUs: startUs + BigInt(at) }));
      const nowUs = startUs + 3n * minuteUs;
      await createEventWriter(scopeOf(store, own)).apply(batchOf([small], events, 0n, nowUs, () => 0n));
      let reads = 0;
      const counted: OnlineStore = {
        ...store,
        read(keys, signal) {
          reads += 1;
          return store.read(keys, signal);
        },
      };
      const wanted = [{ lookup: compileWindowLookup(small, ['ever']), entities: [['a'], ['{b}']] }];
      const readsOf = async (reader: ReturnType<typeof createOnlineReader>) => {
        reads = 0;
        const { rows } = await reader.read(wanted, nowUs);
        expect(rows[0]?.map((row) => row?.values)).toEqual([[60n], [0n]]);
        return reads;
      };
      const [facts] = await readSpilledViews(createOnlineRecords(store, own), ['small']);
      const informed = createOnlineReader(
        counted,
        own,
        () => true,
        () => facts !== undefined,
      );
      // The first read of a lookup learns a schema.
      expect(await readsOf(informed)).toBe(2);
      expect(await readsOf(informed)).toBe(1);
      const uninformed = createOnlineReader(counted, own);
      expect(await readsOf(uninformed)).toBe(2);
      expect(await readsOf(uninformed)).toBe(1);
    });

    it('is an error where it is gone, until all of the state is made anew', async () => {
      const own = `l${project++}`;
      const events = Array.from({ length: 60 }, (_, at) => ({ key: 'a', n: BigInt(at), timeUs: startUs + BigInt(at) }));
      const nowUs = startUs + 3n * minuteUs;
      const writer = createEventWriter(scopeOf(store, own));
      await writer.apply(batchOf([small], events, 0n, nowUs, () => 0n));
      const key = encodeSideKey(own, 'small', encodeEntityKey(own, joinKeys, ['a']));
      const [value] = await store.read([key]);
      expect(await store.replace([{ key, expected: value, value: undefined }])).toEqual([]);
      const wanted = [{ lookup: compileWindowLookup(small, ['ever']), entities: [['a']] }];
      const lost = { code: 'DATA_LOSS', message: expect.stringContaining('replay the source') };
      await expect(createOnlineReader(store, own).read(wanted, nowUs)).rejects.toMatchObject(lost);
      await expect(writer.apply(batchOf([small], events, 60n, nowUs, () => 60n))).rejects.toMatchObject(lost);
      const fill = await openStateWriter(scopeOf(store, own), small, small.features);
      await fill.write([{ keys: ['a'], state: createState(small) }]);
      expect((await createOnlineReader(store, own).read(wanted, nowUs)).rows[0]?.[0]?.values).toEqual([0n]);
    });

    it('is never read wrong beside a writer', async () => {
      const own = `w${project++}`;
      let applied = 0n;
      let isOver = false;
      const nowUs = startUs + 3n * minuteUs;
      const write = async () => {
        const writer = createEventWriter(scopeOf(store, own));
        for (let at = 0n; at < 150n; at++) {
          // Counts in the value of the key at first, then beside it.
          await writer.apply(batchOf([small], [{ key: 'a', n: at, timeUs: startUs + at }], at, nowUs, () => at));
          applied = at + 1n;
          if (at % 40n === 39n) await dropStates(scopeOf(store, own), large, () => false);
        }
        isOver = true;
      };
      const read = async (reader: ReturnType<typeof createOnlineReader>) => {
        const wanted = [{ lookup: compileWindowLookup(small, ['ever', 'last']), entities: [['a']] }];
        let reads = 0;
        while (!isOver) {
          const least = applied;
          const { rows } = await reader.read(wanted, nowUs);
          const [ever, last] = (rows[0]?.[0]?.values ?? []) as [bigint, bigint[] | null];
          expect(ever).toBeGreaterThanOrEqual(least);
          expect(ever).toBeLessThanOrEqual(applied + 1n);
          expect(last ?? []).toEqual(Array.from({ length: Math.min(100, Number(ever)) }, (_, at) => ever - 1n - BigInt(at)));
          reads += 1;
          await nextTurn();
        }
        return reads;
      };
      const informed = createOnlineReader(
        store,
        own,
        () => true,
        () => true,
      );
      const [, ...reads] = await Promise.all([write(), read(createOnlineReader(store, own)), read(informed)]);
      expect(Math.min(...reads)).toBeGreaterThan(10);
    });
  });
}

describe('LMDB', () => {
  const directory = mkdtempSync(join(tmpdir(), 'featherflight-spilled-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  describeSpilling('LMDB', () => openLmdbStore(directory), Math.ceil(runs / 10));
});

describe('Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  describeSpilling('Redis', () => openTestRedis({ url: `redis://${server.address}` }), Math.ceil(runs / 40));
});

describe('a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());
  it('keeps a state and what stands beside it together while their slot moves', async () => {
    const store = openTestRedis({ cluster: cluster.addresses });
    const slot = slotOfKey(encodeEntityKey('moved', joinKeys, ['a']));
    let at = Math.floor((slot * 3) / 16_384);
    let isOver = false;
    let applied = 0n;
    const nowUs = startUs + 3n * minuteUs;
    const write = async () => {
      const writer = createEventWriter(scopeOf(store, 'moved'));
      while (!isOver) {
        const offset = applied;
        const batch = batchOf([small], [{ key: 'a', n: offset, timeUs: startUs + offset }], offset, nowUs, () => offset);
        await writer.apply(batch);
        applied += 1n;
      }
    };
    const move = async () => {
      for (let moves = 0; moves < 10; moves++) {
        const before = applied;
        await expect.poll(() => applied > before + 20n, { timeout: 20_000 }).toBe(true);
        const to = (at + 1) % 3;
        await cluster.moveSlot(slot, at, to);
        at = to;
      }
      isOver = true;
    };
    await Promise.all([write(), move()]);
    const wanted = [{ lookup: compileWindowLookup(small, ['ever']), entities: [['a']] }];
    const { rows } = await createOnlineReader(store, 'moved').read(wanted, nowUs);
    expect(rows[0]?.[0]?.values).toEqual([applied]);
    expect(await unmatched(store, 'moved')).toEqual([]);
    await store.close();
  });

  describeSpilling('a Redis Cluster', () => openTestRedis({ cluster: cluster.addresses }), Math.ceil(runs / 40));
});

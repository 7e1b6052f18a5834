/** What is logged of what is served: exactly the rows of sampled keys, value by value, whatever the requests were. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import { statusNames } from '../../../src/definitions/status.ts';
import { silentLogger } from '../../../src/observe.ts';
import { openLmdbStore } from '../../../src/online/lmdb-store.ts';
import type { OnlineAnswer, OnlineRequest } from '../../../src/online/retrieve/answer.ts';
import type { OnlineStore } from '../../../src/online/store.ts';
import { compileOnlineView } from '../../../src/online/view.ts';
import { createOnlineWriter } from '../../../src/online/write/writer.ts';
import { createFeatureLog } from '../../../src/validate/log/feature-log.ts';
import { createSampler } from '../../../src/validate/log/sample.ts';
import { kindsView, logShop, openShopLog, type ShopLog } from '../../support/log-shop.ts';
import { noonUs, serveShop, writeShop } from '../../support/online-shop.ts';

const atUs = noonUs - 1n;
const times = { eventUs: atUs, createdUs: null, availableUs: null, pushed: false };
/** Values of every type, extremes and nulls among them, by user. */
const kinds: readonly (readonly LiteralValue[])[] = [
  [
    true,
    1,
    2n,
    0.5,
    -0.0,
    'é',
    Uint8Array.of(0, 255),
    1n,
    '2026-03-10',
    '1.50',
    '1.2345',
    [1n, null],
    ['x', null],
    ['2026-03-10', null],
    [Number.NaN, -0.0],
    [0.5, -1],
    [1, 2, 3],
  ],
  [
    false,
    -(2 ** 31),
    2n ** 63n - 1n,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    new Uint8Array(),
    -1n,
    '0001-01-01',
    '-0.01',
    '-0.0001',
    [],
    [],
    [],
    [],
    [0, -0.0],
    [Number.NaN, 0, Number.NEGATIVE_INFINITY],
  ],
  kindsView.features.map(() => null),
];

let store: OnlineStore;
let serving: ReturnType<typeof serveShop>;
const root = mkdtempSync(join(tmpdir(), 'feature-log-'));

beforeAll(async () => {
  store = openLmdbStore(join(root, 'online'));
  const users = Array.from({ length: 40 }, (_, at) => BigInt(at));
  await writeShop(
    store,
    'profile',
    users.map((id) => ({ keys: [id], values: [Number(id), id % 3n === 0n ? null : 0.5] })),
  );
  await writeShop(
    store,
    'item_stats',
    users.map((id) => ({ keys: [`i${id}`], values: ['1.50', ['x', null]] })),
  );
  await writeShop(
    store,
    'affinity',
    users.map((id) => ({ keys: [id, `i${id}`], values: [id] })),
  );
  const view = compileOnlineView(kindsView, logShop);
  await createOnlineWriter(store, 'shop').write(
    view,
    kinds.map((values, at) => ({ keys: [BigInt(at)], row: { ...times, values } })),
    noonUs,
  );
  serving = serveShop(store, () => logShop);
});

afterAll(async () => {
  serving.facts.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

let log: ShopLog;
const opened: ShopLog[] = [];
async function open(...given: Parameters<typeof openShopLog>): Promise<ShopLog> {
  log = await openShopLog(...given);
  opened.push(log);
  return log;
}
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

interface Served {
  readonly answer: OnlineAnswer;
  readonly requestId: string;
}

let requests = 0;
async function serve(request: OnlineRequest): Promise<Served> {
  const answer = await serving.online.get({ isJson: true, ...request });
  requests += 1;
  const requestId = `r${requests}`;
  log.log.served(answer, { requestId, reader: null });
  return { answer, requestId };
}

/** A row of an answer as the log is to hold it. */
function rowOf({ answer, requestId }: Served, row: number): Record<string, unknown> {
  const { columns, entities, evaluatedAtUs } = answer;
  const outputs = columns.flatMap(({ name, values, statuses, eventUs, isDefault }) => [
    [name, values[row]],
    [`${name}__status`, statusNames[statuses[row] as number]],
    [`${name}__event_timestamp`, eventUs[row]],
    [`${name}__is_default`, isDefault[row] === 1],
  ]);
  const own = { evaluated_at: evaluatedAtUs, request_id: requestId, reader: null, replica: 'here' };
  return {
    ...own,
    ...Object.fromEntries(entities.map(({ name, values }) => [name, values[row]])),
    ...Object.fromEntries(outputs),
  };
}

/** Without what the log says besides: the request's values, and how far views were. */
function shown(rows: Awaited<ReturnType<ShopLog['rows']>>, without: readonly string[] = []): Record<string, unknown>[] {
  return rows.map(({ values }) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('__progress') && !without.includes(name))),
  );
}

/** In an order of their own: rows of one T have none in the log. */
function sorted(rows: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const text = (row: Record<string, unknown>) =>
    inspect(row, { depth: 4, sorted: true, maxArrayLength: null, breakLength: Infinity });
  return rows
    .map((row) => [text(row), row] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, row]) => row);
}

describe('the feature log', () => {
  it('holds values of every type as they were served, and the types of training sets', async () => {
    await open();
    const served = await serve({
      features: kindsView.features.map(({ name }) => `kinds:${name}`),
      entities: { user_id: [0, '1', 2, 77, null] },
    });
    await log.flush();
    const rows = await log.rows();
    expect(shown(rows)).toEqual([0, 1, 2, 3, 4].map((row) => rowOf(served, row)));
    const negative = rows[0]?.values.f4 as number;
    expect(Object.is(negative, -0)).toBe(true);
    expect(rows.map(({ values }) => values['__progress_0.kinds'])).toEqual([7n, 7n, 7n, 7n, 7n]);
    expect(rows[0]?.shape).toMatchObject({
      format: 1,
      project: 'shop',
      version: 1,
      service: null,
      sampledBy: { entity: 'user', columns: ['user_id'] },
    });
  });

  it('holds request values beside keys, views under prefixes, candidates of one user, and a column that is both', async () => {
    await open();
    const ranked = await serve({
      service: 'ranker',
      entities: { user_id: ['3'], candidate_id: ['i1', 'i2', 'none'] },
      request: { zone: ['UTC', 'Asia/Tokyo', 'UTC'], limit: [5] },
    });
    const twice = await serve({
      features: ['profile@a:age', 'profile@b:age'],
      keys: { b: { user_id: 'other' } },
      entities: { user_id: [1, 2], other: [4] },
    });
    const both = await serve({
      features: ['profile:age', 'clock:over'],
      keys: { profile: { user_id: 'limit' } },
      entities: { limit: [5, 6], zone: ['UTC'] },
    });
    await log.flush();
    const rows = await log.rows();
    const of = ({ requestId }: Served) => rows.filter(({ values }) => values.request_id === requestId);
    expect(shown(of(ranked), ['zone', 'limit'])).toEqual([0, 1, 2].map((row) => rowOf(ranked, row)));
    expect(of(ranked).map(({ values }) => [values.user_id, values.zone, values.limit])).toEqual([
      [3n, 'UTC', 5n],
      [3n, 'Asia/Tokyo', 5n],
      [3n, 'UTC', 5n],
    ]);
    expect(of(ranked)[0]?.shape).toMatchObject({
      service: 'ranker',
      features: ['profile:age', 'item_stats@candidate:price', 'clock:hour'],
      keys: { candidate: { item_id: 'candidate_id' } },
      columns: [
        { name: 'user_id', type: 'int64', role: 'key' },
        { name: 'candidate_id', type: 'string', role: 'key' },
        { name: 'zone', role: 'request' },
        { name: 'limit', type: 'int64', role: 'request' },
      ],
    });
    expect(shown(of(twice))).toEqual([0, 1].map((row) => rowOf(twice, row)));
    expect(shown(of(both), ['zone'])).toEqual([0, 1].map((row) => rowOf(both, row)));
    expect(of(both)[0]?.shape.columns[0]).toEqual({ name: 'limit', type: 'int64', role: 'key' });
  });

  it('logs exactly the keys of the sample, however requests are split (property)', async () => {
    const selections = [
      { features: ['profile:age', 'profile:score'], keysOf: (ids: readonly number[]) => ({ user_id: ids }) },
      {
        features: ['item_stats:price', 'item_stats:tags'],
        keysOf: (ids: readonly number[]) => ({ item_id: ids.map((id) => `i${id}`) }),
      },
      {
        features: ['affinity:visits', 'profile:age'],
        keysOf: (ids: readonly number[]) => ({ user_id: ids, item_id: ids.map((id) => `i${id}`) }),
      },
    ];
    const request = fc.record({ selection: fc.nat(2), ids: fc.array(fc.nat(60), { minLength: 1, maxLength: 30 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0.1, 0.5, 0.9, 1),
        fc.integer({ min: 20, max: 4000 }),
        async (asked, sample, maxBatch) => {
          await open({ sample, batchValues: maxBatch });
          const served = [];
          for (const { selection, ids } of asked) {
            const { features, keysOf } = selections[selection] as (typeof selections)[number];
            served.push(await serve({ features, entities: keysOf(ids) }));
            if (served.length % 3 === 0) await log.flush();
          }
          await log.flush();
          const samplers = { user_id: createSampler('user', sample), item_id: createSampler('item', sample) };
          const expected = served.flatMap((each) => {
            const { entities, rows } = each.answer;
            const [key] = entities;
            const isSampled = samplers[key?.name as 'user_id' | 'item_id'];
            return Array.from({ length: rows }, (_, row) => row)
              .filter((row) => isSampled([key?.values[row] as LiteralValue]))
              .map((row) => rowOf(each, row));
          });
          const logged = shown(await log.rows());
          expect(sorted(logged)).toEqual(sorted(expected));
          expect(log.log.counts()).toEqual({ rows: expected.length, dropped: 0 });
          await log.close();
          opened.pop();
        },
      ),
      { numRuns: 20, endOnFailure: true },
    );
  }, 120_000);

  it('samples by the entity that the config names where a request has it, and by request where it has no key', async () => {
    await open({ sample: 0.5, by: 'item' });
    const ids = Array.from({ length: 40 }, (_, at) => at);
    const items = ids.map((id) => `i${id}`);
    await serve({ features: ['profile:age', 'affinity:visits'], entities: { user_id: ids, item_id: items } });
    await serve({ features: ['profile:age'], entities: { user_id: ids } });
    const globals = [];
    for (let each = 0; each < 40; each++) globals.push(await serve({ features: ['global:rate'], entities: {} }));
    await log.flush();
    const rows = await log.rows();
    const [isItem, isUser] = [createSampler('item', 0.5), createSampler('user', 0.5)];
    const of = (feature: string) => rows.filter(({ shape }) => shape.features.join() === feature).map(({ values }) => values);
    expect(of('profile:age,affinity:visits').map((values) => values.item_id)).toEqual(items.filter((key) => isItem([key])));
    expect(of('profile:age').map((values) => values.user_id)).toEqual(ids.map(BigInt).filter((key) => isUser([key])));
    const some = of('global:rate').length;
    expect(some).toBeGreaterThan(5);
    expect(some).toBeLessThan(35);
  });

  it('names its own columns apart where a column of the request has their name', async () => {
    await open();
    const served = await serve({
      features: ['profile:age'],
      keys: { profile: { user_id: 'request_id' } },
      entities: { request_id: [5] },
    });
    await log.flush();
    const [row] = await log.rows();
    expect(row?.shape.own).toEqual({
      evaluatedAt: 'evaluated_at',
      requestId: '__request_id',
      reader: 'reader',
      replica: 'replica',
    });
    expect(row?.values).toMatchObject({ __request_id: served.requestId, request_id: 5n, age: 5 });
  });

  it('drops and counts what does not fit its buffer, without waiting, and goes on afterwards', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = createFeatureLog({
      sample: 1,
      replica: 'slow',
      progressUs: () => null,
      logger: silentLogger,
      maxValues: 100,
      maxSentBytes: 1,
      send: () => held,
    });
    const answer = await serving.online.get({ features: ['profile:age'], entities: { user_id: [1n, 2n, 3n] } });
    const startedMs = performance.now();
    for (let each = 0; each < 1000; each++) slow.served(answer, { requestId: 'r', reader: null });
    expect(performance.now() - startedMs).toBeLessThan(500);
    const { dropped } = slow.counts();
    expect(dropped).toBe(3000 - 3 * Math.floor(100 / (3 * 10)));
    release();
    await slow.flush();
    slow.served(answer, { requestId: 'r', reader: null });
    await slow.stop();
    expect(slow.counts()).toEqual({ rows: 3000 - dropped + 3, dropped });
  });

  it('counts rows that the writer refuses, and a failure of its own never reaches who is served', async () => {
    const failing = createFeatureLog({
      sample: 1,
      replica: 'x',
      progressUs: () => null,
      logger: silentLogger,
      send: () => Promise.reject(new Error('the disk is full')),
    });
    const answer = await serving.online.get({ features: ['profile:age'], entities: { user_id: [1n, 2n] } });
    failing.served(answer, { requestId: 'r', reader: null });
    failing.served(
      { ...answer, origin: { ...answer.origin, plan: { ...answer.origin.plan }, registry: { ...logShop, views: [] } } },
      { requestId: 'r', reader: null },
    );
    await failing.stop();
    expect(failing.counts()).toEqual({ rows: 0, dropped: 4 });
  });
});

/** What a request may bring, how it is read and what comes out: rules 2.2 to 2.4, 4.2, 5.1 to 5.3, 7.3, 8.2 and 8.3. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { statusNames } from '../../src/definitions/status.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import type { OnlineAnswer, OnlineRequest } from '../../src/online/retrieve/answer.ts';
import { writeFittedDefault } from '../../src/online/retrieve/defaults.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import type { FeatureDocument, RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import { noonUs, type ShopServing, serveShop, shop, writeShop } from '../support/online-shop.ts';

const root = mkdtempSync(join(tmpdir(), 'retrieve-'));
const dayUs = 86_400_000_000n;
let store: OnlineStore;
let serving: ShopServing;

beforeAll(async () => {
  store = openLmdbStore(join(root, 'online'));
  await writeShop(store, 'profile', [
    { keys: [42n], values: [30, 0.5] },
    { keys: [7n], values: [null, null] },
    { keys: [2n ** 53n + 1n], values: [99, 1] },
  ]);
  await writeShop(store, 'item_stats', [
    { keys: ['a'], values: ['1.50', ['x', null]] },
    { keys: ['old'], values: ['9.99', []], agoUs: dayUs + 1n },
    { keys: ['edge'], values: ['2.00', []], agoUs: dayUs },
  ]);
  await writeShop(store, 'affinity', [{ keys: [42n, 'a'], values: [5n] }]);
});

afterAll(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

beforeEach(() => {
  serving = serveShop(store);
});

afterEach(() => {
  serving.facts.close();
});

const get = (request: OnlineRequest): Promise<OnlineAnswer> => serving.online.get(request);

/** Values and statuses by column. */
function shown({ columns }: OnlineAnswer) {
  const statusOf = (status: number) => statusNames[status];
  return Object.fromEntries(
    columns.map(({ name, values, statuses }) => [name, { values, statuses: Array.from(statuses, statusOf) }]),
  );
}

describe('statuses and defaults', () => {
  test('rules 5.1, 5.2: four statuses, a literal default where there is no value', async () => {
    const answer = await get({ features: ['profile:age'], entities: { user_id: [42, 7, 1, null] } });
    expect(shown(answer).age).toEqual({
      values: [30, -1, -1, -1],
      statuses: ['PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'NOT_FOUND'],
    });
    expect([...(answer.columns[0]?.isDefault ?? [])]).toEqual([0, 1, 1, 1]);
    expect(answer.columns[0]?.eventUs).toEqual([noonUs - 1n, noonUs - 1n, null, null]);
    expect(answer).toMatchObject({ evaluatedAtUs: noonUs, rows: 4, keys: 3, hits: 2 });
    expect(answer.views).toEqual([{ view: 'profile', label: 'profile', found: 2, isMaterialized: true }]);
  });

  test('rule 8.2: nothing past its ttl, which exactly at it is still young', async () => {
    const answer = await get({ features: ['item_stats:price', 'item_stats:tags'], entities: { item_id: ['a', 'old', 'edge'] } });
    expect(shown(answer)).toEqual({
      price: { values: ['1.50', null, '2.00'], statuses: ['PRESENT', 'OUTSIDE_MAX_AGE', 'PRESENT'] },
      tags: { values: [['x', null], null, []], statuses: ['PRESENT', 'OUTSIDE_MAX_AGE', 'PRESENT'] },
    });
    expect(answer.columns[0]?.eventUs[1]).toBe(noonUs - dayUs - 1n);
  });

  test('rule 5.3: a fitted default is served once it is known, and the last one until there is a newer', async () => {
    const request = { features: ['profile:score'], entities: { user_id: [42, 1] } };
    expect(shown(await get(request)).score?.values).toEqual([0.5, null]);
    const records = createOnlineRecords(store, 'shop');
    const [profile] = shop.views as [ViewDocument];
    const score = profile.features[1] as FeatureDocument;
    await writeFittedDefault(records, profile, score, { day: '2026-03-10', value: 0.25 });
    await writeFittedDefault(records, profile, score, { day: '2026-03-09', value: 0.75 });
    await serving.facts.load();
    const answer = await get(request);
    expect(shown(answer).score).toEqual({ values: [0.5, 0.25], statuses: ['PRESENT', 'NOT_FOUND'] });
    expect([...(answer.columns[0]?.isDefault ?? [])]).toEqual([0, 1]);
    const changed = { ...score, hash: 'another' };
    await writeFittedDefault(records, profile, changed, { day: '2026-03-01', value: 0.1 });
    await serving.facts.load();
    expect(shown(await get(request)).score?.values).toEqual([0.5, null]);
  });

  test('a view that was never materialized says so', async () => {
    await serving.facts.load();
    const answer = await get({ features: ['global:rate'], entities: {} });
    expect(shown(answer)).toEqual({ rate: { values: [null], statuses: ['NOT_FOUND'] } });
    expect(answer.views).toEqual([{ view: 'global', label: 'global', found: 0, isMaterialized: false }]);
  });

  test('rule 8.3: of a value of another definition nothing is told, and an apply holds from the next request on', async () => {
    let registry: RegistryDocument = shop;
    const { online, facts } = serveShop(store, () => registry);
    const request = { features: ['item_stats:price', 'item_stats:tags'], entities: { item_id: ['a'] } };
    expect(shown(await online.get(request)).price?.statuses).toEqual(['PRESENT']);
    const change = (feature: FeatureDocument) => (feature.name === 'price' ? { ...feature, hash: 'another' } : feature);
    registry = { ...shop, version: 2, views: shop.views.map((view) => ({ ...view, features: view.features.map(change) })) };
    const answer = await online.get(request);
    facts.close();
    expect(shown(answer)).toEqual({
      price: { values: [null], statuses: ['NOT_FOUND'] },
      tags: { values: [['x', null]], statuses: ['PRESENT'] },
    });
    expect(answer.columns.map(({ eventUs }) => eventUs)).toEqual([[null], [noonUs - 1n]]);
  });
});

describe('keys and columns', () => {
  test('one read for everything, a key asked twice once, and one value stands for all rows', async () => {
    const request = {
      features: ['profile:age', 'item_stats:price', 'affinity:visits', 'global:rate'],
      entities: { user_id: [42], item_id: ['a', 'b', 'a'] },
    };
    // The schemas of rows are read when they are met for the first time.
    await get(request);
    serving.reads.length = 0;
    const answer = await get(request);
    expect(serving.reads).toEqual([6]);
    expect(shown(answer)).toMatchObject({
      age: { values: [30, 30, 30] },
      price: { values: ['1.50', null, '1.50'] },
      visits: { values: [5n, null, 5n] },
      rate: { values: [null, null, null] },
    });
    expect(answer.entities).toEqual([
      { name: 'user_id', type: { kind: 'int64' }, values: [42n, 42n, 42n] },
      { name: 'item_id', type: { kind: 'string' }, values: ['a', 'b', 'a'] },
    ]);
    expect(answer.views.map(({ found }) => found)).toEqual([3, 2, 2, 0]);
    serving.reads.length = 0;
    await get({ features: ['affinity:visits'], entities: { user_id: [42, 42n, 42.0], item_id: ['a'] } });
    expect(serving.reads).toEqual([1]);
  });

  test('no rows are an answer', async () => {
    const answer = await get({ features: ['profile:age', 'clock:hour'], entities: { user_id: [], zone: ['UTC'], limit: [1] } });
    expect(answer.rows).toBe(0);
    expect(shown(answer)).toEqual({ age: { values: [], statuses: [] }, hour: { values: [], statuses: [] } });
  });

  test('rule 2.4: keys renamed by prefix, by the request and by a service', async () => {
    const answer = await get({
      features: ['item_stats@left:price', 'item_stats@right:price'],
      keys: { left: { item_id: 'l' }, right: { item_id: 'r' } },
      entities: { l: ['a'], r: ['edge'] },
    });
    expect(shown(answer)).toMatchObject({ left__price: { values: ['1.50'] }, right__price: { values: ['2.00'] } });
    const service = await get({
      service: 'ranker',
      entities: { user_id: [42], candidate_id: ['a'], zone: ['Asia/Kolkata'], limit: [1] },
    });
    expect(shown(service)).toMatchObject({
      age: { values: [30] },
      candidate__price: { values: ['1.50'] },
      hour: { values: [17] },
    });
    const full = await get({ features: ['profile:age'], entities: { user_id: [42] }, fullFeatureNames: true });
    expect(full.columns.map(({ name }) => name)).toEqual(['profile__age']);
  });

  test('rule 2.2: numbers convert by value, text never, and decimal strings only in JSON', async () => {
    const ages = async (values: readonly unknown[], isJson = false) =>
      shown(await get({ features: ['profile:age'], entities: { user_id: values }, isJson })).age?.values;
    expect(await ages([42, 42n, Number.NaN, -0])).toEqual([30, 30, -1, -1]);
    expect(await ages(['42', '9007199254740993', 9007199254740993n], true)).toEqual([30, 99, 99]);
    await expect(ages([1, '42'])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('holds "42" in row 1'),
      details: { column: 'user_id', row: 1 },
    });
    const wrong = [[1.5], [2 ** 53], [2n ** 63n], [true], [{}]] as const;
    for (const values of wrong) await expect(ages(values, true)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const text of ['042', '4.2e1', '', ' 42', '99999999999999999999']) {
      await expect(ages([text], true)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(get({ features: ['item_stats:price'], entities: { item_id: [1] } })).rejects.toThrow(
      'which no string is equal to',
    );
    await expect(get({ features: ['item_stats:price'], entities: { item_id: ['\ud800'] } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('what is missing, unknown, unequal or twice is refused by name', async () => {
    const refusal = async (request: OnlineRequest) => {
      const error = await get(request).then(
        () => undefined,
        (thrown: Error & { code: string }) => thrown,
      );
      return `${error?.code}: ${error?.message}`;
    };
    const features = ['profile:age', 'item_stats:price'];
    expect(await refusal({ features, entities: { user_id: [1] } })).toContain(
      'view "item_stats" needs join key "item_id", but the request has no column "item_id"',
    );
    expect(await refusal({ features, entities: { user_id: [1], item_id: ['a'], itm_id: ['a'] } })).toBe(
      'INVALID_ARGUMENT: nothing in this request needs column "itm_id"; did you mean "item_id"?',
    );
    expect(await refusal({ features, entities: { user_id: [1, 2], item_id: ['a', 'b', 'c'] } })).toBe(
      'INVALID_ARGUMENT: column "user_id" has 2 values and column "item_id" 3; give as many, or one for all rows',
    );
    expect(await refusal({ features: ['clock:hour'], entities: { user_id: [1] }, request: { limit: [1] } })).toContain(
      'view "clock" needs request value "zone"',
    );
    expect(await refusal({ features, entities: { user_id: [1], item_id: ['a'] }, request: { item_id: ['a'] } })).toContain(
      'give it once',
    );
    expect(await refusal({ features: ['profile:aeg'], entities: {} })).toContain('did you mean "age"');
    expect(await refusal({ service: 'rankr', entities: {} })).toContain('did you mean "ranker"');
    expect(await refusal({ features: [], entities: {} })).toContain('names none');
    expect(await refusal({ entities: {} })).toContain('name either `features` or a `service`');
    expect(await refusal({ features: ['profile:age', 'profile:age'], entities: { user_id: [1] } })).toContain('ask for it once');
    expect(await refusal({ features: ['profile:age'], entities: { constructor: [1], user_id: [1] } })).toContain(
      'needs column "constructor"',
    );
    // References that are one text, and the same as two, are not one request.
    await get({ features: ['profile:age', 'profile:score'], entities: { user_id: [1] } });
    expect(await refusal({ features: ['profile:age\nprofile:score'], entities: { user_id: [1] } })).toContain('INVALID_ARGUMENT');
  });
});

describe('on-demand views', () => {
  test('section 7: computed from values after defaults, the request and T', async () => {
    const answer = await get({
      features: ['clock:over', 'clock:hour'],
      entities: { user_id: [42, 1] },
      request: { zone: ['America/New_York'], limit: [29n, null] },
    });
    expect(shown(answer)).toEqual({
      over: { values: [true, null], statuses: ['PRESENT', 'NULL_VALUE'] },
      hour: { values: [8, 8], statuses: ['PRESENT', 'PRESENT'] },
    });
    expect(answer.columns.map(({ eventUs, isDefault }) => [eventUs, [...isDefault]])).toEqual([
      [
        [null, null],
        [0, 0],
      ],
      [
        [null, null],
        [0, 0],
      ],
    ]);
  });

  test('a transform that throws is named with its row', async () => {
    const request = {
      features: ['clock:hour'],
      entities: { user_id: [42, 42] },
      request: { zone: ['UTC', 'Nowhere/At_All'], limit: [1n] },
    };
    await expect(get(request)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('transform "clock", row 1'),
    });
  });

  test('request values are of their types', async () => {
    const ask = (limit: unknown, isJson: boolean) =>
      get({ features: ['clock:over'], entities: { user_id: [42] }, request: { zone: ['UTC'], limit: [limit] }, isJson });
    expect(shown(await ask('29', true)).over?.values).toEqual([true]);
    await expect(ask('29', false)).rejects.toThrow('request value "limit" is int64, and what it holds in row 0 is not');
    await expect(ask(1.5, true)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

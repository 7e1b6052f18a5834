/** The watch over what is served: each fault that is planted in a real feature log raises its own alarm, and a system that is well none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../../src/observe.ts';
import { openLmdbStore } from '../../../src/online/lmdb-store.ts';
import type { OnlineStore } from '../../../src/online/store.ts';
import { createHealthWatch, type FeatureHealth } from '../../../src/validate/health/watch.ts';
import { openShopLog, type ShopLog } from '../../support/log-shop.ts';
import { noonUs, serveShop, shop, writeShop } from '../../support/online-shop.ts';

const root = mkdtempSync(join(tmpdir(), 'health-'));
const minuteUs = 60_000_000n;
const signal = new AbortController().signal;
const users = Array.from({ length: 100 }, (_, at) => BigInt(at + 1));

let store: OnlineStore;
let serving: ReturnType<typeof serveShop>;
beforeAll(async () => {
  store = openLmdbStore(join(root, 'online'));
  await writeShop(
    store,
    'profile',
    users.map((user) => ({ keys: [user], values: [Number(user) % 40, Number(user) / 7] })),
  );
  serving = serveShop(store);
});
afterAll(async () => {
  serving.facts.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});
const opened: ShopLog[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** What is served in a minute, as a row of it has it. */
type Change = (user: number, minute: number) => Partial<{ age: number | null; isDefault: boolean; lagUs: bigint; keep: boolean }>;

/** An hour of history, and five minutes now; each minute everybody is asked for. */
async function watchOver(before: Change, now: Change, sourceUs?: bigint) {
  const shopLog = await openShopLog();
  opened.push(shopLog);
  const answer = await serving.online.get({ features: ['profile:age'], entities: { user_id: users } });
  const serve = (minute: number, change: Change) => {
    const atUs = noonUs + BigInt(minute) * minuteUs + 1n;
    const [column] = answer.columns;
    if (column === undefined) throw new Error('one feature is asked for');
    const rows = users.map((user) => ({
      age: Number(user) % 40,
      isDefault: false,
      lagUs: 1_000_000n,
      ...change(Number(user), minute),
    }));
    shopLog.log.served(
      {
        ...answer,
        evaluatedAtUs: atUs,
        columns: [
          {
            ...column,
            values: rows.map(({ age }) => age),
            isDefault: Uint8Array.from(rows, ({ isDefault }) => (isDefault ? 1 : 0)),
            eventUs: rows.map(({ lagUs }) => atUs - lagUs),
          },
        ],
      },
      { requestId: `r${minute}`, reader: null },
    );
  };
  for (let minute = 0; minute < 65; minute++) serve(minute, minute < 60 ? before : now);
  await shopLog.flush();
  let served = 65;
  let nowUs = noonUs + 65n * minuteUs;
  const watch = createHealthWatch(
    {
      registry: () => shop,
      log: { directory: shopLog.directory, engine: shopLog.engine, readErasures: async () => [] },
      newestEventUs: async () => sourceUs ?? nowUs,
      logger: silentLogger,
      nowUs: () => nowUs,
    },
    { windowUs: 5n * minuteUs, historyUs: 60n * minuteUs, minKeys: 50, nullRate: 0.2 },
  );
  return {
    check: () => watch.check(signal),
    async serveOn(minutes: number, change: Change) {
      for (let count = 0; count < minutes; count++) serve(served++, change);
      await shopLog.flush();
      nowUs += BigInt(minutes) * minuteUs;
    },
  };
}

const alarmsOf = ({ alarms }: FeatureHealth) => alarms.map(({ view, feature, alarm }) => `${view}:${feature} ${alarm}`);
const well: Change = () => ({});

it.each<[string, Change]>([
  ['constant', () => ({ age: 0 })],
  ['all_default', (user) => ({ isDefault: true, age: user % 30 })],
  ['null_rate', (user) => (user % 2 === 0 ? { age: null } : {})],
  ['frozen', (_, minute) => ({ lagUs: BigInt(minute - 40) * minuteUs })],
])('raises %s', async (alarm, fault) => {
  const watch = await watchOver(well, fault);
  const health = await watch.check();
  expect(alarmsOf(health)).toEqual([`profile:age ${alarm}`]);
  expect(health).toMatchObject({ features: 1, judged: 1, views: { profile: { features: 1, judged: 1 } } });
});

it('does not take for frozen what rests with its source', async () => {
  const watch = await watchOver(well, (_, minute) => ({ lagUs: BigInt(minute - 40) * minuteUs }), noonUs + 40n * minuteUs);
  expect(alarmsOf(await watch.check())).toEqual([]);
});

it('raises nothing of what was so in history too', async () => {
  const fault: Change = (user) => ({ age: user % 2 === 0 ? null : 7, isDefault: true, lagUs: 30n * minuteUs });
  expect(alarmsOf(await (await watchOver(fault, fault)).check())).toEqual([]);
});

it('names what has one value now and always had it, without an alarm', async () => {
  const flag: Change = () => ({ age: 7 });
  const health = await (await watchOver(flag, flag)).check();
  expect(health).toMatchObject({ logging: true, advice: null, alarms: [] });
  expect(health.never_varied).toEqual([{ view: 'profile', feature: 'age', value: '7' }]);
  expect((await (await watchOver(well, flag)).check()).never_varied).toEqual([]);
});

it('keeps an alarm while the fault lasts, since when it was seen first, and lets it go with the fault', async () => {
  const watch = await watchOver(well, () => ({ age: 0 }));
  const [first] = (await watch.check()).alarms;
  await watch.serveOn(30, () => ({ age: 0 }));
  expect((await watch.check()).alarms).toEqual([{ ...first, text: expect.any(String) }]);
  await watch.serveOn(6, well);
  expect((await watch.check()).alarms).toEqual([]);
});

it('knows an hour that goes wrong also after a restart in the middle of it', async () => {
  const watch = await watchOver(
    (_, minute) => (minute > 50 ? { age: 0 } : {}),
    () => ({ age: 0 }),
  );
  expect(alarmsOf(await watch.check())).toEqual(['profile:age constant']);
});

it('raises nothing on random systems that are well', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), fc.constantFrom(0.02, 0.5, 0.98), async (seed, share) => {
      const draw = (user: number, minute: number, of: number) => {
        const mixed = Math.sin(seed * 0.001 + user * 12.9898 + minute * 78.233 + of * 37.719) * 43_758.5453;
        return mixed - Math.floor(mixed);
      };
      // Materialized every ten minutes: ages of values are those of the last run.
      const change: Change = (user, minute) => ({
        age: draw(user, 0, 1) < 0.2 ? null : draw(user, minute, 2) < share ? 1 : Math.floor(draw(user, minute, 3) * 5),
        isDefault: draw(user, minute, 4) < share,
        lagUs: BigInt(minute % 10) * minuteUs + BigInt(Math.floor(draw(user, 0, 5) * 1e6)),
      });
      const watch = await watchOver(change, change);
      expect(alarmsOf(await watch.check())).toEqual([]);
      for (const each of opened.splice(0)) await each.close();
    }),
    { numRuns: 8 },
  );
}, 120_000);

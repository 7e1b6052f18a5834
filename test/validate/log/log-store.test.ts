/** Files of the feature log: merged, bounded, rewritten without what is erased (rule 8.4), and whole whatever dies. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { draftName } from '../../../src/offline/archive/folder.ts';
import { decodeEntityKey } from '../../../src/online/encoding/decode-key.ts';
import { encodeEntityKey } from '../../../src/online/encoding/keys.ts';
import { openLmdbStore } from '../../../src/online/lmdb-store.ts';
import type { OnlineRequest } from '../../../src/online/retrieve/answer.ts';
import type { OnlineStore } from '../../../src/online/store.ts';
import { logShop, openShopLog, type ShopLog, type ShopLogOptions } from '../../support/log-shop.ts';
import { noonUs, serveShop, writeShop } from '../../support/online-shop.ts';

const root = mkdtempSync(join(tmpdir(), 'log-store-'));
let store: OnlineStore;
let serving: ReturnType<typeof serveShop>;
beforeAll(async () => {
  store = openLmdbStore(join(root, 'online'));
  await writeShop(store, 'profile', [{ keys: [1n], values: [30, 0.5] }]);
  serving = serveShop(store, () => logShop);
});
afterAll(async () => {
  serving.facts.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const opened: ShopLog[] = [];
async function open(options: ShopLogOptions = {}, folder?: string): Promise<ShopLog> {
  const log = await openShopLog(options, folder);
  opened.push(log);
  return log;
}
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

let clockUs = noonUs;
async function serve({ log }: ShopLog, request: OnlineRequest, requestId = 'r'): Promise<void> {
  clockUs += 1n;
  log.served({ ...(await serving.online.get(request)), evaluatedAtUs: clockUs }, { requestId, reader: 'token' });
}

const ages = (ids: readonly bigint[]): OnlineRequest => ({ features: ['profile:age'], entities: { user_id: ids } });
const erasure = (joinKey: string, value: bigint | string) => {
  const type = typeof value === 'bigint' ? 'int64' : 'string';
  return decodeEntityKey('shop', encodeEntityKey('shop', [{ name: joinKey, type }], [value]));
};
const filesOf = (log: ShopLog) =>
  readdirSync(log.directory).flatMap((folder) =>
    readdirSync(join(log.directory, folder))
      .filter((name) => name.endsWith('.parquet'))
      .map((name) => join(log.directory, folder, name)),
  );
const bytesOf = (log: ShopLog) => filesOf(log).reduce((sum, file) => sum + statSync(file).size, 0);
const usersOf = async (log: ShopLog) => (await log.rows()).map(({ values }) => values.user_id);

it('merges the files of a shape, and loses and doubles no row', async () => {
  const log = await open();
  for (let each = 0n; each < 12n; each++) {
    await serve(log, ages([each, 100n + each]), `r${each}`);
    if (each % 3n === 0n) await serve(log, { features: ['profile:score'], entities: { user_id: [each] } });
    await log.flush();
  }
  const before = await log.rows();
  expect([before.length, filesOf(log).length]).toEqual([28, 16]);
  await log.store.merge();
  expect(filesOf(log)).toHaveLength(2);
  const text = (rows: typeof before) => rows.map(({ values }) => Object.values(values).map(String).join()).sort();
  expect(text(await log.rows())).toEqual(text(before));
  await serve(log, ages([7n]));
  await log.flush();
  await log.store.merge();
  expect([(await log.rows()).length, filesOf(log).length]).toEqual([29, 2]);
});

it('reads what is asked for: by time, view, feature, and the newest of each shape', async () => {
  const log = await open();
  await serve(log, ages([1n, 2n, 3n]));
  await serve(log, { features: ['item_stats:price'], entities: { item_id: ['a'] } });
  await log.flush();
  const [row] = await log.rows({ views: ['profile'] });
  const us = row?.values.evaluated_at as bigint;
  const count = async (selection: Parameters<ShopLog['rows']>[0]) => (await log.rows(selection)).length;
  expect(await count({ fromUs: us, toUs: us + 1n })).toBe(3);
  expect(await count({ fromUs: us + 1n })).toBe(1);
  expect(await count({ toUs: us })).toBe(0);
  expect(await count({ views: ['profile'] })).toBe(3);
  expect(await count({ views: ['nothing'] })).toBe(0);
  expect(await count({ features: ['item_stats:price', 'profile:score'] })).toBe(1);
  expect(await count({ rowsPerShape: 2 })).toBe(3);
});

it('rewrites files without an entity, in composite keys and renamed columns too, and keeps what comes later out', async () => {
  const log = await open();
  await serve(log, ages([1n, 2n, 1n]));
  await serve(log, { features: ['affinity:visits'], entities: { user_id: [1n, 2n], item_id: ['a', 'a'] } });
  await serve(log, { features: ['profile@other:age'], keys: { other: { user_id: 'friend' } }, entities: { friend: [1n, 5n] } });
  await serve(log, { features: ['item_stats:price'], entities: { item_id: ['1'] } });
  await log.flush();
  log.erasures = [erasure('user_id', 1n)];
  const kept = async () => (await log.rows()).map(({ values }) => values.user_id ?? values.friend ?? values.item_id);
  expect((await kept()).map(String).sort(), 'not given before the files are rewritten').toEqual(['1', '2', '2', '5']);
  expect(await log.store.erase()).toEqual({ files: 3, rows: 4 });
  log.erasures = [];
  expect((await kept()).map(String).sort()).toEqual(['1', '2', '2', '5']);
  log.erasures = [erasure('user_id', 2n), erasure('item_id', '1')];
  await serve(log, ages([2n, 3n]));
  expect(await log.store.erase()).toMatchObject({ rows: 3 });
  await log.flush();
  log.erasures = [];
  expect((await kept()).map(String).sort()).toEqual(['3', '5']);
});

it('writes rows of an entity that is erased while they wait, or while they are written, nowhere', async () => {
  const log = await open();
  await serve(log, ages([1n, 2n]));
  await log.log.flush();
  log.erasures = [erasure('user_id', 1n)];
  await log.store.flush();
  log.erasures = [];
  expect(await usersOf(log)).toEqual([2n]);
});

it('takes no more room than it may, whatever is served, and keeps the newest', async () => {
  const maxBytes = 30_000;
  const log = await open({ maxBytes });
  for (let each = 0; each < 40; each++) {
    const ids = Array.from({ length: 200 }, (_, at) => BigInt(at) * 7919n + BigInt(each) * 104_729n);
    await serve(log, ages(ids), `request ${each} ${Math.random()}`);
    await log.flush();
    expect(bytesOf(log)).toBeLessThanOrEqual(maxBytes);
    expect(log.store.counts().bytes).toBeLessThanOrEqual(maxBytes);
    if (each % 7 === 6) await log.store.merge();
  }
  const ids = new Set((await log.rows()).map(({ values }) => String(values.request_id).split(' ')[1]));
  expect(ids.has('39')).toBe(true);
  expect(ids.has('0')).toBe(false);
  expect(log.store.counts()).toMatchObject({ written: 8000, dropped: 0 });
});

it('drops and counts rows that it cannot write, and goes on', async () => {
  const log = await open({ maxBytes: 100 });
  await serve(log, ages([1n, 2n]));
  await log.flush();
  expect(log.store.counts()).toMatchObject({ written: 0, dropped: 2 });
  expect(filesOf(log)).toEqual([]);
});

it('is shared by servers that write, merge and erase at once', async () => {
  const one = await open();
  const two = await open({}, one.directory);
  const gone = erasure('user_id', 3n);
  const work = async (log: ShopLog, from: bigint) => {
    for (let each = 0n; each < 10n; each++) {
      await serve(log, ages([from + each, 3n]), `r${from + each}`);
      await log.flush();
      if (each % 4n === 3n) await log.store.merge();
      if (each === 5n) {
        one.erasures = [gone];
        two.erasures = [gone];
        await log.store.erase();
      }
    }
  };
  await Promise.all([work(one, 1000n), work(two, 2000n)]);
  await Promise.all([one.store.merge(), two.store.merge()]);
  one.erasures = [];
  const users = (await usersOf(one)).map(Number).sort((a, b) => a - b);
  expect(users).toEqual([...Array(10).keys()].flatMap((at) => [1000 + at]).concat([...Array(10).keys()].map((at) => 2000 + at)));
});

it('removes what a process that died was writing, and what was never to count', async () => {
  const first = await openShopLog();
  await serve(first, ages([1n, 2n]));
  await first.flush();
  const [folder] = readdirSync(first.directory);
  const path = join(first.directory, folder as string);
  // 4194304 is above the greatest process id that there can be.
  const left = [draftName('rows').replace(`-${process.pid}.`, '-4194304.'), '5-6-0.rows.merged.parquet'];
  for (const name of left) writeFileSync(join(path, name), 'half a fi');
  const second = await open({}, first.directory);
  expect(await usersOf(second)).toEqual([1n, 2n]);
  expect(readdirSync(path)).not.toContain(left[0]);
  await serve(second, ages([3n]));
  await second.flush();
  await second.store.merge();
  expect(await usersOf(second)).toEqual([1n, 2n, 3n]);
  expect(readdirSync(path)).not.toContain(left[1]);
  await first.close();
});

it('writes what is kept when it closes, and by itself', async () => {
  const log = await openShopLog({ flushMs: 50 });
  const reading = await open({}, log.directory);
  await serve(log, ages([1n]));
  await expect.poll(() => usersOf(reading), { timeout: 10_000 }).toEqual([1n]);
  await log.log.stop();
  await log.store.close();
  const last = await open({}, log.directory);
  await serve(last, ages([2n]));
  await last.log.stop();
  await last.store.close();
  expect(await usersOf(reading)).toEqual([1n, 2n]);
  await log.close();
});

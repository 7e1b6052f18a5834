/** Events with equal ids are one (rule 6.1): who claims an id first has it, however often it is claimed. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { encodeRecordKey } from '../../src/online/encoding/keys.ts';
import type { Replacement } from '../../src/online/store.ts';
import { compileDecoder } from '../../src/stream/decode/compile-decoder.ts';
import { openEventIds } from '../../src/stream/event-ids.ts';
import { logOf, noonUs, openClicks, secondUs, sourceOf } from './open-clicks.ts';

let clicks: Awaited<ReturnType<typeof openClicks>>;
beforeEach(async () => {
  clicks = await openClicks({ eventId: 'id' });
});
afterEach(() => clicks.close());

const events = (given: readonly LiteralValue[], offsets: readonly bigint[], timesUs = offsets) => ({
  ids: given,
  offsets,
  timesUs,
});
const ids = (source = 'clicks') => openEventIds(clicks.store, 'test', source);

test('the first event has the id, in a batch and after it; nulls are no ids', async () => {
  const claim = () => ids().claim('0', events(['a', null, 'b', 'a', null], [1n, 2n, 3n, 4n, 5n]));
  expect([...(await claim())]).toEqual([3]);
  expect([...(await claim())]).toEqual([3]);
  expect([...(await ids().claim('0', events(['b', 'c'], [6n, 7n])))]).toEqual([0]);
  expect([...(await ids().claim('1', events(['a', 'c', 'd'], [1n, 7n, 8n])))].sort()).toEqual([0, 1]);
  expect([...(await ids('others').claim('1', events(['a'], [1n])))]).toEqual([]);
});

test('ids of any type and length', async () => {
  const long = 'x'.repeat(1000);
  const given = [7n, Uint8Array.of(0, 255), long, `${long}y`, ''];
  const offsets = given.map((_, at) => BigInt(at));
  expect((await ids().claim('0', events(given, offsets))).size).toBe(0);
  expect((await ids().claim('0', events(given, offsets))).size).toBe(0);
  expect((await ids().claim('1', events(given, offsets))).size).toBe(given.length);
});

test('of two who claim at once one has the id', async () => {
  let other: Promise<Set<number>> | undefined;
  const racing = {
    ...clicks.store,
    async replace(replacements: readonly Replacement[], signal?: AbortSignal) {
      other ??= ids().claim('1', events(['b'], [0n]));
      await other;
      return await clicks.store.replace(replacements, signal);
    },
  };
  const own = await openEventIds(racing, 'test', 'clicks').claim('0', events(['a', 'b'], [0n, 1n]));
  expect([...own]).toEqual([1]);
  expect((await other)?.size).toBe(0);
});

test('ids of events before an instant are forgotten, which is told, and those of other sources are not', async () => {
  await ids().claim('0', events(['a', 'b'], [1n, 2n], [10n, 20n]));
  await ids('others').claim('0', events(['a'], [1n]));
  expect(await ids().forgottenUs()).toBeUndefined();
  expect(await ids().forget(10n)).toBe(0);
  expect(await ids().forget(20n)).toBe(1);
  expect(await ids().forget(15n)).toBe(0);
  expect(await ids().forgottenUs()).toBe(20n);
  expect([...(await ids().claim('1', events(['a', 'b'], [1n, 2n])))]).toEqual([1]);
  expect(await ids().forget(undefined)).toBe(2);
  expect([...(await ids('others').claim('0', events(['a'], [2n])))]).toEqual([0]);
});

test('ids of an earlier version, which have the time when they were claimed, are forgotten by that', async () => {
  const value = Buffer.from(JSON.stringify(['0', '1', Number(noonUs / 1000n)]));
  await clicks.store.replace([{ key: encodeRecordKey('test', 'event-id', 'clicks/a'), expected: undefined, value }]);
  expect(await ids().forget(noonUs)).toBe(0);
  expect(await ids().forget(noonUs + 1n)).toBe(1);
});

const dayUs = 86_400n * secondUs;

test('an id is known for as long as its event could count again, whatever the clock says', async () => {
  await clicks.close();
  clicks = await openClicks({ eventId: 'id', lateness: '1h' });
  const registry = await clicks.apply({ ever: 'lifetime' });
  await clicks.fill(registry);
  const processor = clicks.processor(registry);
  const reader = processor.reader(compileDecoder(sourceOf(registry), { format: 'json' }), 'earliest');
  // A stream that is a month behind.
  const log = [0, 1, 0].map((at) => ({ id: `i${at}`, user: 1, at: noonUs - 30n * dayUs + BigInt(at) * secondUs }));
  await reader.open('0', { first: 0n, end: 3n }, clicks.signal);
  await reader.take('0', logOf(log.slice(0, 2)), 3n, clicks.signal);
  const ends = new Map([['0', { first: 0n, end: 3n }]]);
  await processor.sweep(async () => ends, clicks.signal);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 365 * 86_400_000 });
  try {
    await processor.sweep(async () => ends, clicks.signal);
  } finally {
    vi.useRealTimers();
  }
  await reader.take('0', logOf(log.slice(2), 2n), 3n, clicks.signal);
  expect(await clicks.online(registry, 'ever', [1n])).toEqual([2n]);
  expect((await clicks.progress.read('0'))?.counts).toMatchObject({ events: 2, duplicates: 1 });
});

test('ids are forgotten though a partition stands still, and the archive knows what comes again there', async () => {
  await clicks.close();
  clicks = await openClicks({ eventId: 'id', lateness: '1h' });
  const registry = await clicks.apply({ ever: 'lifetime' });
  await clicks.fill(registry);
  const processor = clicks.processor(registry);
  const reader = processor.reader(compileDecoder(sourceOf(registry), { format: 'json' }), 'earliest');
  const old = { id: 'old', user: 1, at: noonUs - 10n * dayUs };
  const other = { id: 'other', user: 1, at: noonUs - 9n * dayUs };
  const empty = { first: 0n, end: 0n };
  await reader.open('0', { first: 0n, end: 2n }, clicks.signal);
  await reader.open('1', empty, clicks.signal);
  await reader.take('0', logOf([old, { id: 'new', user: 1, at: noonUs - secondUs }]), 2n, clicks.signal);
  const ends = new Map([
    ['0', { first: 0n, end: 2n }],
    ['1', empty],
  ]);
  await processor.sweep(async () => ends, clicks.signal);
  const key = encodeRecordKey('test', 'event-id', 'clicks/old');
  expect(await clicks.store.read([key])).toEqual([undefined]);
  await reader.take('1', logOf([old, other, old]), 3n, clicks.signal);
  expect(await clicks.online(registry, 'ever', [1n])).toEqual([3n]);
  expect((await clicks.progress.read('1'))?.counts).toMatchObject({ events: 1, duplicates: 2 });
});

test('an event that was set aside does not keep its id from the one whose time was put right', async () => {
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const reader = clicks.reader(registry);
  await reader.open('0', { first: 0n, end: 2n }, clicks.signal);
  const log = [
    { id: 'a', user: 1, at: noonUs + 3600n * secondUs },
    { id: 'a', user: 1, at: noonUs - 100n * secondUs },
    { id: 'a', user: 1, at: noonUs - 100n * secondUs },
  ];
  await reader.take('0', logOf(log), 3n, clicks.signal);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([1n]);
  expect((await clicks.progress.read('0'))?.counts).toMatchObject({ events: 1, setAside: 1, duplicates: 1 });
});

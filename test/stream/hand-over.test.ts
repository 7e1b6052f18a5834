/** Filling against streams that go on meanwhile, in this process or another: no event is missing and none counts twice (rule 6.7). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asBuffer } from '../../src/online/encoding/bytes.ts';
import { encodeRecordKey, entityPrefix } from '../../src/online/encoding/keys.ts';
import type { Replacement } from '../../src/online/store.ts';
import { type Click, logOf, noonUs, openClicks, secondUs } from './open-clicks.ts';

let clicks: Awaited<ReturnType<typeof openClicks>>;
beforeEach(async () => {
  clicks = await openClicks();
});
afterEach(() => clicks.close());

/** The store, which does something before the first of certain writes. */
function pausing(isMeant: (replacements: readonly Replacement[]) => boolean, work: () => Promise<void>) {
  let done = false;
  return {
    ...clicks.store,
    async replace(replacements: readonly Replacement[], signal?: AbortSignal) {
      if (!done && isMeant(replacements)) {
        done = true;
        await work();
      }
      return await clicks.store.replace(replacements, signal);
    },
  };
}

const isEntity = ([first]: readonly Replacement[]) =>
  first !== undefined && asBuffer(first.key).indexOf(entityPrefix('test')) === 0;
const log = (from: number, count: number) =>
  logOf(
    Array.from({ length: count }, (_, at) => ({ user: 1, at: noonUs - BigInt(600 - from - at) * secondUs })),
    BigInt(from),
  );

test('a batch that began before features were filled leaves what was filled alone', async () => {
  const before = await clicks.apply({ hour: '1h' });
  const after = await clicks.apply({ hour: '1h', day: '1d' });
  await clicks.fill(before);
  const first = clicks.reader(before);
  await first.open('0', { first: 0n, end: 3n }, clicks.signal);
  await first.take('0', log(0, 3), 3n, clicks.signal);
  const asleep = clicks.reader(
    before,
    pausing(isEntity, async () => void (await clicks.fill(after))),
  );
  await asleep.open('0', { first: 0n, end: 5n }, clicks.signal);
  await asleep.take('0', log(3, 2), 5n, clicks.signal).catch(() => {});
  const next = clicks.reader(after);
  await next.open('0', { first: 0n, end: 5n }, clicks.signal);
  await next.take('0', log(3, 2), 5n, clicks.signal);
  expect(await clicks.online(after, 'hour', [1n])).toEqual([5n]);
  expect(await clicks.online(after, 'day', [1n])).toEqual([5n]);
});

test('a batch that is claimed after filling has begun waits for its end', async () => {
  const before = await clicks.apply({ hour: '1h' });
  const after = await clicks.apply({ hour: '1h', day: '1d' });
  await clicks.fill(before);
  const first = clicks.reader(before);
  await first.open('0', { first: 0n, end: 3n }, clicks.signal);
  await first.take('0', log(0, 3), 3n, clicks.signal);
  const progressKey = encodeRecordKey('test', 'stream', 'clicks/0');
  let going: Promise<unknown> = Promise.resolve();
  let end = () => {};
  const isClaim = ([one]: readonly Replacement[]) => one !== undefined && asBuffer(one.key).equals(progressKey);
  const other = clicks.reader(
    before,
    pausing(isClaim, async () => {
      // Filling has read the history, and writes when the batch has been tried.
      const read = new Promise<void>((resolve) => {
        const waits = new Promise<void>((go) => {
          end = go;
        });
        going = clicks.fill(after, {
          store: pausing(isEntity, async () => {
            resolve();
            await waits;
          }),
        });
      });
      await read;
    }),
  );
  await other.open('0', { first: 0n, end: 5n }, clicks.signal);
  await other.take('0', log(3, 2), 5n, clicks.signal).catch(() => {});
  end();
  await going;
  const next = clicks.reader(after);
  await next.open('0', { first: 0n, end: 5n }, clicks.signal);
  await next.take('0', log(3, 2), 5n, clicks.signal);
  expect(await clicks.online(after, 'hour', [1n])).toEqual([5n]);
  expect(await clicks.online(after, 'day', [1n])).toEqual([5n]);
});

test('an event that lands in a table after filling, and before the stream is read, is served', async () => {
  await clicks.close();
  clicks = await openClicks({ eventId: 'id', past: [{ id: 'a', user: 1, at: noonUs - 300n * secondUs }] });
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const reader = clicks.reader(registry);
  await reader.open('0', { first: 0n, end: 2n }, clicks.signal);
  const landed = { id: 'b', user: 1, at: noonUs - 200n * secondUs };
  clicks.land('more', [landed]);
  await reader.take('0', logOf([{ id: 'a', user: 1, at: noonUs - 300n * secondUs }, landed]), 2n, clicks.signal);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([2n]);
});

test('a sweep that began before features were filled leaves what was filled alone', async () => {
  const before = await clicks.apply({ hour: '1h' });
  const after = await clicks.apply({ hour: '1h', day: '1d' });
  await clicks.fill(before);
  const reader = clicks.reader(before);
  await reader.open('0', { first: 0n, end: 3n }, clicks.signal);
  await reader.take('0', log(0, 3), 3n, clicks.signal);
  let filled = 0;
  const sweeping = {
    ...clicks.store,
    async *scan(prefix: Uint8Array, signal?: AbortSignal) {
      if (asBuffer(prefix).equals(entityPrefix('test')) && filled++ === 0) await clicks.fill(after);
      yield* clicks.store.scan(prefix, signal);
    },
  };
  const swept = clicks.processor(before, sweeping).sweep(async () => new Map(), clicks.signal);
  await expect(swept).rejects.toThrow('under another definition');
  expect(filled).toBe(1);
  expect(await clicks.online(after, 'day', [1n])).toEqual([3n]);
});

test('a batch that is tried again decides as before which events repeat those of tables, though tables have grown', async () => {
  await clicks.close();
  const [a, b, c] = ['a', 'b', 'c'].map((id, at) => ({ id, user: 1, at: noonUs - BigInt(300 - at) * secondUs }));
  clicks = await openClicks({ eventId: 'id', past: [a, c] as Click[] });
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const killed = clicks.reader(
    registry,
    pausing(isEntity, async () => {
      throw new Error('killed');
    }),
  );
  const log = logOf([a, b] as Click[]);
  await killed.open('0', { first: 0n, end: 2n }, clicks.signal);
  await expect(killed.take('0', log, 2n, clicks.signal)).rejects.toThrow('killed');
  clicks.land('more', [b as Click]);
  const next = clicks.reader(registry);
  await next.open('0', { first: 0n, end: 2n }, clicks.signal);
  await next.take('0', log, 2n, clicks.signal);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([3n]);
  expect((await clicks.progress.read('0'))?.counts).toMatchObject({ events: 1, duplicates: 1 });
});

test('a batch of which the store lost claim and progress is archived once, though it comes again under other ends', async () => {
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const take = async (next: bigint, count: number) => {
    const before = await clicks.progress.read('0');
    if (before !== undefined) await clicks.progress.reset('0', { ...before, next });
    const reader = clicks.reader(registry);
    await reader.open('0', { first: 0n, end: 9n }, clicks.signal);
    await reader.take('0', log(Number(next), count), 9n, clicks.signal);
  };
  await take(0n, 3);
  await take(0n, 5);
  await take(1n, 2);
  await clicks.archive.merge('clicks');
  await take(2n, 5);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([7n]);
  await clicks.fill(registry, { all: true });
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([7n]);
});

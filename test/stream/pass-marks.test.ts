/** Marks of transactions at the end of a log: the progress moves behind them, where nothing is under way. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logOf, noonUs, openClicks, secondUs } from './open-clicks.ts';

let clicks: Awaited<ReturnType<typeof openClicks>>;
beforeEach(async () => {
  clicks = await openClicks();
});
afterEach(() => clicks.close());

const events = [1, 2, 3].map((user) => ({ user, at: noonUs - 60n * secondUs }));

test('a log that ends in a mark is read to its end, and its next record counts', async () => {
  const { progress, signal } = clicks;
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const reader = clicks.reader(registry);
  await reader.open('0', { first: 0n, end: 4n }, signal);
  await reader.take('0', logOf(events), 4n, signal);
  expect(await progress.read('0')).toMatchObject({ next: 3n });
  await reader.pass('0', 4n, signal);
  const { next, counts } = (await progress.read('0')) as { next: bigint; counts: { records: number } };
  expect([next, counts.records]).toEqual([4n, 3]);
  // Told again, or of what lies before: nothing.
  await reader.pass('0', 2n, signal);
  expect(await progress.read('0')).toMatchObject({ next: 4n });
  await reader.take('0', logOf([{ user: 1, at: noonUs - 30n * secondUs }], 4n), 5n, signal);
  expect(await progress.read('0')).toMatchObject({ next: 5n, counts: { records: 4, events: 4 } });
  expect(await clicks.online(registry, 'hour', [1n, 2n])).toEqual([2n, 1n]);
});

test('a batch that another has begun ends as it was begun, and a log that was made anew is not passed', async () => {
  const { progress, signal } = clicks;
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const reader = clicks.reader(registry);
  await reader.open('0', { first: 0n, end: 4n }, signal);
  const begun = (await progress.read('0')) as NonNullable<Awaited<ReturnType<typeof progress.read>>>;
  const claimed = await progress.claim('0', begun, { to: 3n, clockUs: noonUs, turn: 0 });
  await reader.pass('0', 4n, signal);
  expect(await progress.read('0')).toEqual(claimed);
  await progress.reset('0', { ...begun, epoch: 1 });
  await reader.pass('0', 4n, signal);
  expect(await progress.read('0')).toMatchObject({ epoch: 1, next: 0n, pending: undefined });
});

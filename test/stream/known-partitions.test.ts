/** From when on an event may still count somewhere (rule 6.6): by partition, whether it goes on, waits, stands still or is gone. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKnownPartitions } from '../../src/stream/known-partitions.ts';
import { atFirst, noCounts, type Progress } from '../../src/stream/progress.ts';
import { noonUs, openClicks, secondUs } from './open-clicks.ts';

let clicks: Awaited<ReturnType<typeof openClicks>>;
beforeEach(async () => {
  clicks = await openClicks();
});
afterEach(() => clicks.close());

const hourUs = 3600n * secondUs;
const at = (next: bigint, maxEventUs: bigint | undefined): Progress => ({
  ...{ epoch: 0, next, maxEventUs, pending: undefined, counts: noCounts },
});

async function open(partitions: Readonly<Record<string, Progress>>) {
  const known = createKnownPartitions(clicks.records, 'clicks', hourUs, () => {});
  for (const [partition, progress] of Object.entries(partitions)) known.learn(partition, progress);
  return known;
}
const endsAt = (ends: Readonly<Record<string, bigint>>) =>
  new Map(Object.entries(ends).map(([partition, end]) => [partition, { first: 0n, end }]));

test('the partition that is furthest behind says so; one without events may bring any', async () => {
  const known = await open({ 0: at(5n, noonUs), 1: at(5n, noonUs - 2n * hourUs) });
  expect(known.acceptedFromUs()).toBe(noonUs - 3n * hourUs);
  known.learn('push', at(0n, undefined));
  expect(known.acceptedFromUs()).toBeUndefined();
  expect(known.acceptedByEventsUs()).toBe(noonUs - 3n * hourUs);
});

test('one of which all was read takes part as if an event had come then, until something comes', async () => {
  const idle = at(5n, noonUs - 1000n * hourUs);
  const known = await open({ 0: at(5n, noonUs), 1: idle, push: at(0n, undefined), gone: at(9n, noonUs - 2000n * hourUs) });
  known.ended(endsAt({ 0: 7n, 1: 5n, push: 0n }), noonUs);
  expect(known.acceptedFromUs()).toBe(noonUs - hourUs);
  known.learn('0', at(7n, noonUs + hourUs));
  expect(known.acceptedFromUs()).toBe(noonUs - hourUs);
  known.learn('1', at(6n, noonUs - 500n * hourUs));
  expect(known.acceptedFromUs()).toBe(noonUs - 501n * hourUs);
  known.ended(endsAt({ 0: 7n, 1: 6n, push: 0n }), noonUs + 2n * hourUs);
  expect(known.acceptedFromUs()).toBe(noonUs + hourUs);
});

test('one that has records waiting keeps what its own events could need', async () => {
  const known = await open({ 0: at(5n, noonUs), 1: at(5n, noonUs - 9n * hourUs) });
  known.ended(endsAt({ 0: 5n, 1: 6n }), noonUs + hourUs);
  expect(known.acceptedFromUs()).toBe(noonUs - 10n * hourUs);
  known.ended(endsAt({ 0: 5n, 1: 5n, 2: 1n }), noonUs + hourUs);
  expect(known.acceptedFromUs()).toBeUndefined();
  known.learn('2', at(1n, noonUs));
  known.learn('1', { ...at(atFirst, undefined), epoch: 1 });
  known.ended(endsAt({ 0: 5n, 1: 5n, 2: 1n }), noonUs + hourUs);
  expect(known.acceptedFromUs()).toBeUndefined();
});

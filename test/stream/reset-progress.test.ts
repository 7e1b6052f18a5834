/** The way out where a log is not what was read: forward in the same log, a new log and its epoch, and what is refused (rule 6.7). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogRange, StreamLog } from '../../src/stream/log/log.ts';
import { noCounts, type Progress } from '../../src/stream/progress.ts';
import { type ResetOptions, resetProgress } from '../../src/stream/reset-progress.ts';
import { type Click, logOf, noonUs, openClicks, secondUs } from './open-clicks.ts';

let clicks: Awaited<ReturnType<typeof openClicks>>;
beforeEach(async () => {
  clicks = await openClicks();
});
afterEach(() => clicks.close());

const reset = (ranges: Readonly<Record<string, LogRange>>, options: ResetOptions, archive?: false) => {
  const log: StreamLog = { name: 'log', run: async () => {}, ranges: async () => new Map(Object.entries(ranges)) };
  return resetProgress(clicks.records, { name: 'clicks', archive }, log, options, clicks.signal);
};
const there: Progress = { epoch: 0, next: 5n, maxEventUs: noonUs, pending: undefined, counts: { ...noCounts, records: 5 } };
const pending = { to: 9n, clockUs: noonUs, turn: 0 };

test('in the same log one goes forward: lateness and counts stay', async () => {
  await clicks.progress.reset('0', there);
  expect(await reset({ 0: { first: 7n, end: 20n }, 1: { first: 0n, end: 3n } }, { from: 'earliest' })).toEqual([
    { partition: '0', before: 5n, next: 7n, isNewLog: false },
    { partition: '1', before: undefined, next: 0n, isNewLog: false },
  ]);
  expect(await clicks.progress.read('0')).toEqual({ ...there, next: 7n });
  expect(await clicks.progress.read('1')).toEqual({ ...there, next: 0n, maxEventUs: undefined, counts: noCounts });
});

test('what counts already is not read again, and no offset that the log has not', async () => {
  await clicks.progress.reset('0', there);
  const range = { first: 0n, end: 20n };
  await expect(reset({ 0: range }, { from: 'earliest' })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  await expect(reset({ 0: range }, { from: { 0: 21n } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(reset({ 0: range }, { from: { 1: 6n } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await clicks.progress.read('0')).toEqual(there);
});

test('a batch that was begun goes on as it was claimed, or is left behind whole', async () => {
  await clicks.progress.reset('0', { ...there, pending });
  const range = { first: 5n, end: 20n };
  await reset({ 0: range }, { from: 'earliest' });
  expect(await clicks.progress.read('0')).toEqual({ ...there, pending });
  await expect(reset({ 0: range }, { from: { 0: 7n } })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  await reset({ 0: range }, { from: { 0: 9n } });
  expect(await clicks.progress.read('0')).toEqual({ ...there, next: 9n });
});

test('a log that ends before what was begun of it is a new one: another epoch, and lateness begins anew', async () => {
  await clicks.progress.reset('0', { ...there, pending });
  expect(await reset({ 0: { first: 0n, end: 8n } }, { from: 'earliest' })).toMatchObject([{ isNewLog: true }]);
  expect(await clicks.progress.read('0')).toEqual({ ...there, epoch: 1, next: 0n, maxEventUs: undefined });
  await reset({ 0: { first: 0n, end: 8n } }, { from: 'latest', isNewLog: true });
  expect(await clicks.progress.read('0')).toMatchObject({ epoch: 2, next: 8n });
});

test.each(['0', 'orders#1'])('events of a new log of partition %s count beside those of the old one', async (partition) => {
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const ago = (seconds: number): Click => ({ user: 1, at: noonUs - BigInt(seconds) * secondUs });
  const old = [ago(500), ago(400), ago(300)];
  const reader = clicks.reader(registry);
  await reader.open(partition, { first: 0n, end: 3n }, clicks.signal);
  await reader.take(partition, logOf(old), 3n, clicks.signal);
  const range = { first: 0n, end: 2n };
  await expect(clicks.reader(registry).open(partition, range, clicks.signal)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('source reset clicks'),
  });
  await reset({ [partition]: range }, { from: 'earliest' });
  const next = clicks.reader(registry);
  expect(await next.open(partition, range, clicks.signal)).toBe(0n);
  await next.take(partition, logOf([ago(200), ago(100)]), 2n, clicks.signal);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([5n]);
  // Who was asleep with a batch of the old log adds nothing.
  await reader.take(partition, logOf([ago(50)], 3n), 4n, clicks.signal).catch(() => {});
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([5n]);
  await clicks.fill(registry, { all: true });
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([5n]);
});

test('a log that ends before a batch that was begun is refused', async () => {
  await clicks.progress.reset('0', { ...there, pending });
  const reader = clicks.reader(await clicks.apply({ hour: '1h' }));
  await expect(reader.open('0', { first: 0n, end: 8n }, clicks.signal)).rejects.toThrow('ends at 8, and 9 is next');
});

test('a source without an archive is read again from the first record of every partition, which is what is told', async () => {
  const events = [500, 400, 300].map((ago) => ({ user: 1, at: noonUs - BigInt(ago) * secondUs }));
  await clicks.close();
  clicks = await openClicks({ archive: false, past: [{ user: 2, at: noonUs - 900n * secondUs }] });
  const registry = await clicks.apply({ hour: '1h' });
  await clicks.fill(registry);
  const reader = clicks.reader(registry);
  await reader.open('0', { first: 0n, end: 3n }, clicks.signal);
  await reader.take('0', logOf(events), 3n, clicks.signal);
  const ranges: Record<string, LogRange> = { 0: { first: 1n, end: 3n }, 1: { first: 4n, end: 4n } };
  const told = [
    { partition: '0', before: 3n, next: 1n, isNewLog: false },
    { partition: '1', before: undefined, next: 4n, isNewLog: false },
  ];
  await expect(reset(ranges, { from: { 0: 5n } }, false)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(await reset(ranges, { from: { 0: 2n } }, false)).toEqual(told);
  await clicks.fill(registry, { all: true });
  const next = clicks.reader(registry);
  for (const { partition, next: first } of told) {
    const range = ranges[partition] as LogRange;
    expect(await next.open(partition, range, clicks.signal)).toBe(first);
  }
  await next.take('0', logOf(events).slice(1), 3n, clicks.signal);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([2n]);
});

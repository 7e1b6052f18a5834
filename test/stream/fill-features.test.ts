/** Features filled from history: those that are added later, ranges of replays, and histories that others write (rules 6.6, 6.7, 8.3). */
import { afterEach, expect, test } from 'vitest';
import { type Click, type ClicksOptions, logOf, noonUs, openClicks, secondUs, type Windows } from './open-clicks.ts';

const opened: Awaited<ReturnType<typeof openClicks>>[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
async function open(options: ClicksOptions = {}) {
  const clicks = await openClicks(options);
  opened.push(clicks);
  return clicks;
}

const at = (secondsAgo: number) => noonUs - BigInt(secondsAgo) * secondUs;
const hour: Windows = { hour: '1h' };
const both: Windows = { hour: '1h', day: '1d' };

type Clicks = Awaited<ReturnType<typeof openClicks>>;

async function read(clicks: Clicks, windows: Windows, log: readonly Click[]): Promise<void> {
  const registry = await clicks.apply(windows);
  const reader = clicks.reader(registry);
  const range = { first: 0n, end: BigInt(log.length) };
  const start = await reader.open('0', range, clicks.signal);
  await reader.take('0', logOf(log).slice(Number(start)), range.end, clicks.signal);
}

test('a feature that is added later has the events of tables and of the stream, and the others stay as they are', async () => {
  const clicks = await open({
    past: [
      { user: 1, at: at(7200) },
      { user: 1, at: at(600) },
      { user: 2, at: at(500) },
    ],
  });
  await clicks.fill(await clicks.apply(hour));
  const log = [
    { user: 1, at: at(30) },
    { user: 3, at: at(20) },
    { user: null, at: at(10) },
  ];
  await read(clicks, hour, log);
  const registry = await clicks.apply(both);
  expect(await clicks.fill(registry)).toEqual({ views: [{ view: 'activity', features: ['day'], events: 5, keys: 3 }] });
  expect(await clicks.online(registry, 'day', [1n, 2n, 3n, 4n])).toEqual([3n, 1n, 1n, 0n]);
  expect(await clicks.online(registry, 'hour', [1n, 2n, 3n, 4n])).toEqual([2n, 1n, 1n, 0n]);
  await read(clicks, both, [...log, { user: 1, at: at(5) }]);
  expect(await clicks.online(registry, 'day', [1n, 3n])).toEqual([4n, 1n]);
  expect(await clicks.online(registry, 'hour', [1n, 3n])).toEqual([3n, 1n]);
  expect(await clicks.fill(registry)).toEqual({ views: [] });
});

test('a replay of a range writes the keys with events from its start on and before its end', async () => {
  const clicks = await open({
    past: [
      { user: 1, at: at(600) },
      { user: 2, at: at(300) },
      { user: 3, at: at(299) },
    ],
  });
  const registry = await clicks.apply(hour);
  await clicks.fill(registry);
  clicks.land(
    'more',
    [1, 2, 3].map((user) => ({ user, at: at(3000) })),
  );
  const report = await clicks.fill(registry, { all: true, touched: { fromUs: at(600), toUs: at(299) } });
  expect(report.views).toMatchObject([{ keys: 2 }]);
  expect(await clicks.online(registry, 'hour', [1n, 2n, 3n])).toEqual([2n, 2n, 1n]);
});

test('where others write the history the log is read again from its end on', async () => {
  const clicks = await open({ archive: false, past: [{ user: 1, at: at(600) }] });
  await clicks.fill(await clicks.apply(hour));
  const log = [
    { user: 1, at: at(700) },
    { user: 1, at: at(600) },
    { user: 1, at: at(30) },
    { user: 2, at: at(20) },
  ];
  await read(clicks, hour, log);
  // The event at the end of the history and those after it come from the stream.
  expect(await clicks.online(await clicks.apply(hour), 'hour', [1n, 2n])).toEqual([2n, 1n]);
  const registry = await clicks.apply(both);
  await clicks.fill(registry);
  await read(clicks, both, log);
  expect(await clicks.online(registry, 'hour', [1n, 2n])).toEqual([2n, 1n]);
  expect(await clicks.online(registry, 'day', [1n, 2n])).toEqual([2n, 1n]);
});

test('who reads on, where others write the history, begins again as well', async () => {
  const clicks = await open({ archive: false, past: [{ user: 1, at: at(600) }] });
  const registry = await clicks.apply(hour);
  await clicks.fill(registry);
  const log = logOf([20, 15, 10].map((ago) => ({ user: 1, at: at(ago) })));
  const reader = clicks.reader(registry);
  await reader.open('0', { first: 0n, end: 2n }, clicks.signal);
  await reader.take('0', log.slice(0, 2), 2n, clicks.signal);
  await clicks.fill(registry, { all: true });
  await expect(reader.take('0', log.slice(2), 3n, clicks.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  expect(await reader.open('0', { first: 0n, end: 3n }, clicks.signal)).toBe(0n);
  await reader.take('0', log, 3n, clicks.signal);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([3n]);
});

test('events with ids count once where the log is read again', async () => {
  const clicks = await open({ archive: false, eventId: 'id', past: [{ id: 'a', user: 1, at: at(600) }] });
  await clicks.fill(await clicks.apply(hour));
  const log = [
    { id: 'a', user: 1, at: at(600) },
    { id: 'b', user: 1, at: at(30) },
    { id: 'b', user: 1, at: at(30) },
  ];
  await read(clicks, hour, log);
  const registry = await clicks.apply(both);
  await clicks.fill(registry);
  await read(clicks, both, log);
  expect(await clicks.online(registry, 'day', [1n])).toEqual([2n]);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([2n]);
});

test('a fill that fails half-way, where others write the history, counts nothing twice', async () => {
  const past = [
    { user: 1, at: at(601) },
    { user: 1, at: at(600) },
  ];
  const clicks = await open({ archive: false, past });
  await clicks.fill(await clicks.apply(hour));
  const log = [
    { user: 1, at: at(600) },
    { user: 1, at: at(30) },
  ];
  await read(clicks, hour, log);
  const unwritable = {
    ...clicks.store,
    replace: async (replacements: Parameters<typeof clicks.store.replace>[0], signal?: AbortSignal) => {
      if (isState(replacements)) throw new Error('killed');
      return await clicks.store.replace(replacements, signal);
    },
  };
  await expect(clicks.fill(await clicks.apply(both), { store: unwritable })).rejects.toThrow('killed');
  // What was applied before goes on.
  const registry = await clicks.apply(hour);
  await clicks.fill(registry);
  await read(clicks, hour, log);
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([3n]);
});

test('a replay of a range, where others write the history, counts nothing twice', async () => {
  const clicks = await open({
    archive: false,
    past: [
      { user: 1, at: at(600) },
      { user: 2, at: at(500) },
      { user: 3, at: at(400) },
    ],
  });
  const registry = await clicks.apply(hour);
  await clicks.fill(registry);
  const log = [
    { user: 1, at: at(30) },
    { user: 2, at: at(20) },
  ];
  await read(clicks, hour, log);
  await clicks.fill(registry, { all: true, touched: { fromUs: at(600), toUs: at(599) } });
  await read(clicks, hour, log);
  expect(await clicks.online(registry, 'hour', [1n, 2n])).toEqual([2n, 2n]);
});

function isState(replacements: readonly { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[]): boolean {
  return replacements.some(({ key }) => Buffer.from(key).includes('user_id'));
}

test('6.6: an event that came too late for serving is in no state that is made anew', async () => {
  const clicks = await open({ lateness: '60s' });
  await clicks.fill(await clicks.apply(hour));
  const log = [
    { user: 1, at: at(30) },
    { user: 1, at: at(600) },
    { user: 1, at: at(40) },
  ];
  await read(clicks, hour, log);
  const registry = await clicks.apply(both);
  expect(await clicks.fill(registry, { all: true })).toMatchObject({ views: [{ events: 2, keys: 1 }] });
  expect(await clicks.online(registry, 'hour', [1n])).toEqual([2n]);
  expect(await clicks.online(registry, 'day', [1n])).toEqual([2n]);
});

test('a replay without bounds frees states of keys that have no event in history any more, and events after it count', async () => {
  const past = [1, 2].map((user) => ({ user, at: at(600) }));
  const clicks = await open({ past });
  const registry = await clicks.apply(both);
  await clicks.fill(registry);
  const log = [1, 3].map((user) => ({ user, at: at(300) }));
  await read(clicks, both, log);
  const users = [1n, 2n, 3n];
  expect(await clicks.online(registry, 'hour', users)).toEqual([2n, 1n, 1n]);
  clicks.land('past', past.slice(0, 1));
  await clicks.fill(registry, { all: true, touched: { fromUs: at(3600) } });
  expect(await clicks.online(registry, 'hour', users)).toEqual([2n, 1n, 1n]);
  for (const _ of [1, 2]) {
    await clicks.fill(registry, { all: true });
    expect(await clicks.online(registry, 'hour', users)).toEqual([2n, 0n, 1n]);
    expect(await clicks.online(registry, 'day', users)).toEqual([2n, 0n, 1n]);
  }
  await read(clicks, both, [...log, { user: 2, at: at(5) }, { user: 3, at: at(5) }]);
  expect(await clicks.online(registry, 'hour', users)).toEqual([2n, 1n, 2n]);
  await clicks.processor(registry).sweep(async () => new Map(), clicks.signal);
  expect(await clicks.online(registry, 'day', users)).toEqual([2n, 1n, 2n]);
});

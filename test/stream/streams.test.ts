/** All streams of a process: pushes while features are filled, and an end that leaves nothing running. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pushEvents } from '../../src/stream/push-events.ts';
import { createStreams, type StreamsParts } from '../../src/stream/streams.ts';
import { noonUs, openClicks, sourceOf } from './open-clicks.ts';

let clicks: Awaited<ReturnType<typeof openClicks>>;
beforeEach(async () => {
  clicks = await openClicks();
});
afterEach(() => clicks.close());

test('a source that rests while its features are filled takes pushes, which count afterwards', async () => {
  const before = await clicks.apply({ hour: '1h' });
  const after = await clicks.apply({ hour: '1h', day: '1d' });
  let isHeld = false;
  let reached = () => {};
  let release = () => {};
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const isReleased = new Promise<void>((resolve) => {
    release = resolve;
  });
  const parts = clicks.partsOf(clicks.store);
  const history: StreamsParts['history'] = {
    ...parts.history,
    async *scanEvents(...given) {
      if (isHeld) {
        reached();
        await isReleased;
      }
      yield* parts.history.scanEvents(...given);
    },
  };
  const streams = createStreams({
    ...{ ...parts, history, root: clicks.root, directory: join(clicks.root, 'streams'), environment: {} },
    onFilled() {},
  });
  const push = (key: string) =>
    pushEvents(sourceOf(before), streams.pushLog('clicks'), { at: [noonUs - 1_000_000n], user_id: [1n] }, key);
  const counted = (events: number) =>
    expect
      .poll(async () => (await clicks.progress.readAll()).values().next().value?.counts.events, { timeout: 20_000 })
      .toBe(events);
  try {
    streams.start(before);
    await expect.poll(() => streams.status().length).toBe(1);
    await push('a');
    await counted(1);
    isHeld = true;
    const prepared = streams.prepare(after, clicks.signal);
    await isReached;
    expect(await push('b')).toEqual({ rows: 1, appended: true });
    expect(streams.status()).toMatchObject([{ source: 'clicks' }]);
    release();
    await prepared;
    streams.start(after);
    await counted(2);
    expect(await clicks.online(after, 'day', [1n])).toEqual([2n]);
    streams.start({ ...after, sources: [], views: [] });
    await expect.poll(() => streams.status()).toEqual([]);
    expect(() => streams.pushLog('clicks')).toThrow('there is no event source "clicks"');
  } finally {
    release();
    await streams.stop();
  }
});

import { describe, expect, it } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { createQueryQueue } from '../../src/serve/query-queue.ts';

const limits = { maxConcurrentQueries: 2, maxQueuedQueries: 2, maxQueriesPerToken: 10, queryTimeoutSeconds: 60 };
const never = () => new AbortController().signal;
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('the query queue', () => {
  it('runs two, lets two wait in turn, and tells the fifth when to come back', async () => {
    const queue = createQueryQueue(limits);
    const first = await queue.enter('a', never());
    await queue.enter('b', never());
    const order: string[] = [];
    const noted = async (owner: string) => {
      const turn = await queue.enter(owner, never());
      order.push(owner);
      return turn;
    };
    const third = noted('c');
    const fourth = noted('d');
    await tick();
    expect([queue.running, queue.waiting, order]).toEqual([2, 2, []]);
    const refusal = await queue.enter('e', never()).catch((error: FeatureStoreError) => error);
    expect(refusal).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retry_after_seconds: expect.any(Number) } });
    first.leave();
    (await third).leave();
    (await fourth).leave();
    expect(order).toEqual(['c', 'd']);
    expect([queue.running, queue.waiting]).toEqual([1, 0]);
  });

  it('counts what one caller has running and waiting, and forgets it when it leaves', async () => {
    const queue = createQueryQueue({ ...limits, maxQueriesPerToken: 1 });
    const turn = await queue.enter('a', never());
    await expect(queue.enter('a', never())).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await queue.enter('b', never());
    turn.leave();
    turn.leave();
    await expect(queue.enter('a', never())).resolves.toBeDefined();
    expect(queue.running).toBe(2);
  });

  it('gives up the place of a caller that went away while it waited', async () => {
    const queue = createQueryQueue({ ...limits, maxConcurrentQueries: 1 });
    const turn = await queue.enter('a', never());
    const gone = new AbortController();
    const waiting = queue.enter('b', gone.signal);
    const next = queue.enter('c', never());
    gone.abort(new FeatureStoreError('ABORTED', 'gone'));
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(queue.waiting).toBe(1);
    turn.leave();
    (await next).leave();
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
  });

  it('stops a query whose time is up', async () => {
    const queue = createQueryQueue({ ...limits, queryTimeoutSeconds: 0.02 });
    const turn = await queue.enter('a', never());
    await new Promise((resolve) => turn.signal.addEventListener('abort', resolve));
    expect(turn.signal.reason).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retry_after_seconds: 60 } });
    turn.leave();
  });

  it('gives a turn that stands still for a second to others, and back to it first of all', async () => {
    const queue = createQueryQueue({ ...limits, maxConcurrentQueries: 1 });
    const slow = await queue.enter('a', never());
    const quick = slow.pause();
    await quick();
    expect(queue.running).toBe(1);
    const order: string[] = [];
    const resume = slow.pause();
    const second = await queue.enter('b', never());
    expect(queue.running).toBe(1);
    const third = queue.enter('c', never()).then((turn) => {
      order.push('c');
      return turn;
    });
    const resumed = resume().then(() => order.push('a'));
    await tick();
    expect(order).toEqual([]);
    second.leave();
    await resumed;
    expect(order).toEqual(['a']);
    slow.leave();
    (await third).leave();
    expect([queue.running, queue.waiting, order]).toEqual([0, 0, ['a', 'c']]);
  });

  it('forgets a turn that is left while it stands still, and one that is aborted then', async () => {
    const queue = createQueryQueue({ ...limits, maxConcurrentQueries: 1, maxQueriesPerToken: 1 });
    const slow = await queue.enter('a', never());
    slow.pause();
    const second = await queue.enter('b', never());
    slow.leave();
    second.leave();
    expect(queue.running).toBe(0);
    const gone = new AbortController();
    const aborted = await queue.enter('a', gone.signal);
    const resume = aborted.pause();
    const other = await queue.enter('b', never());
    gone.abort(new FeatureStoreError('ABORTED', 'gone'));
    await expect(resume()).rejects.toMatchObject({ code: 'ABORTED' });
    aborted.leave();
    other.leave();
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
    (await queue.enter('a', never())).leave();
  });
});

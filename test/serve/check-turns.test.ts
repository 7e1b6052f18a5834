/** Checks take turns with training sets, and give way while they run. */
import { describe, expect, it } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { createCheckTurns } from '../../src/serve/check-turns.ts';
import { createQueryQueue, type Turn } from '../../src/serve/query-queue.ts';

const limits = { maxConcurrentQueries: 1, maxQueuedQueries: 1, maxQueriesPerToken: 10, queryTimeoutSeconds: 60 };
const never = () => new AbortController().signal;
const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A check that goes on step by step, when it is told to. */
function openCheck(turns: ReturnType<typeof createCheckTurns>, owner: string, signal = never()) {
  let turn: Pick<Turn, 'signal' | 'giveWay'> | undefined;
  let end = () => {};
  const ended = turns.run(owner, signal, (given) => {
    turn = given;
    return new Promise<string>((resolve, reject) => {
      end = () => resolve(owner);
      given.signal.addEventListener('abort', () => reject(new Error('what was running broke')));
    });
  });
  ended.catch(() => {});
  return { ended, isRunning: () => turn !== undefined, step: () => turn?.giveWay(), end: () => end() };
}

describe('turns of checks', () => {
  it('take one turn of the queries, however many checks wait', async () => {
    const queries = createQueryQueue({ ...limits, maxConcurrentQueries: 2 });
    const turns = createCheckTurns(queries, limits);
    const first = openCheck(turns, 'a');
    const second = openCheck(turns, 'b');
    await tick();
    expect([first.isRunning(), second.isRunning(), queries.running, queries.waiting]).toEqual([true, false, 1, 0]);
    (await queries.enter('trainer', never())).leave();
    first.end();
    expect(await first.ended).toBe('a');
    await tick();
    expect(second.isRunning()).toBe(true);
    second.end();
    await second.ended;
    expect(queries.running).toBe(0);
  });

  it('are given between steps to a query that waits, and come back after it', async () => {
    const queries = createQueryQueue(limits);
    const check = openCheck(createCheckTurns(queries, limits), 'a');
    await tick();
    await check.step();
    const query = queries.enter('trainer', never());
    await tick();
    expect(queries.waiting).toBe(1);
    let isBack = false;
    const back = check.step()?.then(() => {
      isBack = true;
    });
    const turn = await query;
    await tick();
    expect([isBack, queries.running]).toEqual([false, 1]);
    turn.leave();
    await back;
    expect(queries.running).toBe(1);
    check.end();
    await check.ended;
    expect([queries.running, queries.waiting]).toEqual([0, 0]);
  });

  it('are refused with a time to retry where as many wait as may, and by caller', async () => {
    const turns = createCheckTurns(createQueryQueue(limits), { ...limits, maxQueriesPerToken: 2 });
    const [first, second] = [openCheck(turns, 'a'), openCheck(turns, 'a')];
    await tick();
    const refusal = { code: 'RESOURCE_EXHAUSTED', details: { retry_after_seconds: expect.any(Number) } };
    const full = {
      ...refusal,
      message: expect.stringMatching(/^1 check running and 1 waiting are as many as may be; try again in \d+ s$/),
    };
    const own = { ...refusal, message: expect.stringMatching(/^this caller already has 2 checks running or waiting/) };
    await expect(openCheck(turns, 'b').ended).rejects.toMatchObject(full);
    await expect(openCheck(turns, 'a').ended).rejects.toMatchObject(own);
    first.end();
    await first.ended;
    await tick();
    second.end();
    expect(await second.ended).toBe('a');
  });

  it('end with the caller, who hears why, and with the time that a query has', async () => {
    const queries = createQueryQueue(limits);
    const gone = new AbortController();
    const turns = createCheckTurns(queries, limits);
    const check = openCheck(turns, 'a', gone.signal);
    const waiting = openCheck(turns, 'b', gone.signal);
    await tick();
    gone.abort(new FeatureStoreError('ABORTED', 'the caller went away'));
    await expect(check.ended).rejects.toThrow('the caller went away');
    await expect(waiting.ended).rejects.toThrow('the caller went away');
    expect([queries.running, queries.waiting]).toEqual([0, 0]);
    const late = openCheck(createCheckTurns(queries, { ...limits, queryTimeoutSeconds: 0.02 }), 'a');
    await expect(late.ended).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('the check took longer than the 0.02 s'),
    });
    expect(queries.running).toBe(0);
  });
});

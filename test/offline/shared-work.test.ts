/** Work that several callers wait for. */
import { expect, test } from 'vitest';
import { createSharedWork } from '../../src/offline/shared-work.ts';

/** Work that ends when it is told to, and rejects when it is aborted. */
function createWork() {
  let finish = (_: number) => {};
  let starts = 0;
  const work = (signal: AbortSignal) => {
    starts += 1;
    return new Promise<number>((resolve, reject) => {
      finish = resolve;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };
  return { work, finish: (value: number) => finish(value), starts: () => starts };
}

const open = () => new AbortController().signal;

test('is done once and kept', async () => {
  const shared = createSharedWork<number>(10);
  const { work, finish, starts } = createWork();
  const both = [shared.run('a', open(), work), shared.run('a', open(), work)];
  finish(5);
  expect(await Promise.all(both)).toEqual([5, 5]);
  expect(await shared.run('a', open(), work)).toBe(5);
  expect(starts()).toBe(1);
});

test('goes on while anybody waits, stops with the last, and starts anew for who comes next', async () => {
  const shared = createSharedWork<number>(10);
  const { work, finish, starts } = createWork();
  const [first, second] = [new AbortController(), new AbortController()];
  const runs = [shared.run('a', first.signal, work), shared.run('a', second.signal, work)];
  first.abort(new Error('first left'));
  await expect(runs[0]).rejects.toThrow('first left');
  const third = shared.run('a', open(), work);
  second.abort(new Error('second left'));
  await expect(runs[1]).rejects.toThrow('second left');
  finish(6);
  expect([await third, starts()]).toEqual([6, 1]);
  const alone = new AbortController();
  const run = shared.run('b', alone.signal, work);
  alone.abort(new Error('left'));
  await expect(run).rejects.toThrow('left');
  const again = shared.run('b', open(), work);
  finish(7);
  expect([await again, starts()]).toEqual([7, 3]);
});

test('is not kept when it fails', async () => {
  const shared = createSharedWork<number>(10);
  await expect(shared.run('a', open(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await shared.run('a', open(), async () => 8)).toBe(8);
});

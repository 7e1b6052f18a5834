/** Work by turns: in order for one key, side by side for several. */
import { expect, it } from 'vitest';
import { createTurns } from '../../../src/stream/log/turns.ts';

it('begins what is given for a key when all before it has ended, well or not', async () => {
  const turns = createTurns<string>();
  const said: string[] = [];
  let release = (): void => {};
  const held = turns.run('a', async () => {
    said.push('first begins');
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    said.push('first ends');
    throw new Error('first fails');
  });
  const second = turns.run('a', async () => void said.push('second'));
  expect(await turns.run('b', async () => 'beside')).toBe('beside');
  expect(said).toEqual(['first begins']);
  release();
  await expect(held).rejects.toThrow('first fails');
  await second;
  await turns.ended();
  expect(said).toEqual(['first begins', 'first ends', 'second']);
});

it('has ended when nothing is left, what came meanwhile included', async () => {
  const turns = createTurns<number>();
  let isDone = false;
  void turns.run(1, async () => {
    void turns.run(1, async () => {
      await Promise.resolve();
      isDone = true;
    });
  });
  await turns.ended();
  expect(isDone).toBe(true);
});

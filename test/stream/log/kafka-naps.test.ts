/** Rests between the fetches of a broker that does not wait. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createNaps } from '../../../src/stream/log/kafka-naps.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function begin() {
  const said: string[] = [];
  const naps = createNaps(
    100,
    () => said.push('rest'),
    () => said.push('wake'),
  );
  return { said, naps };
}

it('come after some answers at once without a record, one at a time, and end by themselves', () => {
  const { said, naps } = begin();
  for (let fetch = 0; fetch < 3; fetch++) naps.onFetch(1);
  expect(said).toEqual([]);
  for (let fetch = 0; fetch < 9; fetch++) naps.onFetch(1);
  expect(said).toEqual(['rest']);
  vi.advanceTimersByTime(50);
  expect(said).toEqual(['rest', 'wake']);
});

it('do not come while there are records, or where the broker waits', () => {
  const { said, naps } = begin();
  for (let fetch = 0; fetch < 20; fetch++) {
    naps.onFetch(1);
    naps.onRecords();
  }
  for (let fetch = 0; fetch < 20; fetch++) naps.onFetch(100);
  expect(said).toEqual([]);
});

it('do not wake what has stopped', () => {
  const { said, naps } = begin();
  for (let fetch = 0; fetch < 4; fetch++) naps.onFetch(1);
  naps.stop();
  vi.advanceTimersByTime(1000);
  expect(said).toEqual(['rest']);
});

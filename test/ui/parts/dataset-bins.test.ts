/** Histograms of datasets: names of their bins, and two on one scale, of which no row is lost. */
import { expect, test } from 'vitest';
import { binsOf, pairBins } from '../../../src/ui/parts/dataset-bins.ts';

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

test('bins have the names of their ends, in numbers, days and instants', () => {
  expect(binsOf({ min: '0', max: '10', counts: [3, 4] })).toEqual({
    kind: 'categories',
    categories: ['0 to 5', '5 to 10'],
    counts: [3, 4],
  });
  expect(binsOf({ min: '7', max: '7', counts: [9] }).categories).toEqual(['7']);
  expect(binsOf({ min: '2026-03-01', max: '2026-03-03', counts: [1, 1] }).categories).toEqual([
    '2026-03-01 to 2026-03-02',
    '2026-03-02 to 2026-03-03',
  ]);
  expect(binsOf({ min: '2026-03-01T00:00:00Z', max: '2026-03-01T00:00:00Z', counts: [1] }).categories).toEqual([
    '2026-03-01 00:00:00 UTC',
  ]);
  expect(binsOf({ min: '2026-03-01T00:00:00', max: '2026-03-01T00:00:00', counts: [1] }).categories).toEqual([
    '2026-03-01 00:00:00',
  ]);
});

test('two come onto one scale, and a bin falls into those that it overlaps', () => {
  const [one, other] = pairBins({ min: '0', max: '4', counts: [4, 8, 0, 2] }, { min: '2', max: '8', counts: [3, 3, 0, 6] }) ?? [];
  expect(one?.categories).toEqual(['0 to 2', '2 to 4', '4 to 6', '6 to 8']);
  expect(one?.counts).toEqual([12, 2, 0, 0]);
  expect(other?.categories).toEqual(one?.categories);
  // 1.5 wide from 2 on: 2 to 3.5, 3.5 to 5, 5 to 6.5, 6.5 to 8.
  expect(other?.counts.map((count) => Number(count.toFixed(9)))).toEqual([0, 4, 2, 6]);
});

test('no row is lost at the ends, or where all values are one', () => {
  for (const other of [
    { min: '-1', max: '1', counts: [1, 2, 3, 4, 5] },
    { min: '3', max: '3', counts: [15] },
    { min: '0.1', max: '0.7', counts: [5, 4, 3, 2, 1] },
  ]) {
    const pair = pairBins({ min: '0', max: '3', counts: [5, 5, 5] }, other);
    expect(sum(pair?.[0].counts ?? [])).toBeCloseTo(15, 9);
    expect(sum(pair?.[1].counts ?? [])).toBeCloseTo(15, 9);
  }
});

test('there is no pair without two of them, or where both are one value', () => {
  const one = { min: '1', max: '1', counts: [2] };
  expect(pairBins(one, undefined)).toBeUndefined();
  expect(pairBins(one, one)).toBeUndefined();
});

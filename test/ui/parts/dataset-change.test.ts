/** Changes between versions of a dataset are said in words. */
import { expect, test } from 'vitest';
import { showValue, tellChange } from '../../../src/ui/parts/dataset-change.ts';

const tell = (from: unknown, to: unknown, what = 'mean') => tellChange({ what, from, to });

test.each([
  [10, 15, '5 more (+50 %)'],
  [10, 4, '6 less (−60 %)'],
  [0, 4, '4 more'],
  ['299.5', '449.25', '149.8 more (+50 %)'],
  [null, 3, 'added'],
  [3, null, 'removed'],
  [[], ['clicked'], 'added'],
  [['a', 'b'], ['b', 'c'], 'added c; removed a'],
  [['a', 'b'], ['b', 'a'], 'in another order'],
  ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', 'changed'],
  [true, false, 'changed'],
  [3, 3, 'same'],
])('%j to %j is %s', (from, to, told) => {
  expect(tell(from, to)).toBe(told);
});

test('a later version of the definitions is no greater number', () => {
  expect(tell(3, 4, 'registry_version')).toBe('changed');
});

test.each([
  ['split', { random: { parts: { train: 0.9, test: 0.1 }, seed: 7 } }, 'rows at random: train 90 %, test 10 %, seed 7'],
  ['split', null, 'none'],
  ['labels', ['clicked', 'bought'], 'clicked, bought'],
  ['as_known', null, 'as each view says'],
  ['statuses', true, 'yes'],
  ['frame hash', 'ab'.repeat(32), 'abababababab…'],
  ['min', '9007199254740993', '9007199254740993'],
  ['min', '1234.5', '1,235'],
  ['at', '2026-03-01T00:00:00.000000Z', '2026-03-01 00:00:00 UTC'],
])('%s %j is shown as %s', (what, value, shown) => {
  expect(showValue(what, value)).toBe(shown);
});

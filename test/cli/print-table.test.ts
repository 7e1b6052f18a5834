import { expect, it } from 'vitest';
import { printTable, printValue } from '../../src/cli/print-table.ts';

it('printTable pads columns to their widest cell and leaves no blanks at the end', () => {
  const rows = [
    { name: 'a', keys: { user_id: 'int64', item_id: 'string' }, note: null },
    { name: 'longer', keys: {}, note: 'x' },
  ];
  expect(printTable(['name', 'keys', 'note'], rows)).toBe(
    [
      'NAME    KEYS                             NOTE',
      'a       user_id: int64, item_id: string',
      'longer                                   x',
      '',
    ].join('\n'),
  );
  expect(printTable(['name'], [])).toBe('NAME\n');
});

it('a table that is too wide has its widest cells on several lines, word by word', () => {
  const features = ['item_live:clicks_7d', 'item_live:plays_1h', 'user_live:seconds_30d', 'user_live:kinds', 'taste:affinity'];
  const rows = [
    { name: 'ranker_v1', features, owner: 'growth' },
    { name: 'short', features: ['taste:affinity'], owner: null },
  ];
  const columns = ['name', 'features', 'owner'];
  expect(printTable(columns, rows, undefined, 59)).toBe(
    [
      'NAME       FEATURES                                  OWNER',
      'ranker_v1  item_live:clicks_7d, item_live:plays_1h,  growth',
      '           user_live:seconds_30d, user_live:kinds,',
      '           taste:affinity',
      'short      taste:affinity',
      '',
    ].join('\n'),
  );
  // No word is broken.
  expect(printTable(columns, rows, undefined, 10).split('\n')[1]).toBe('ranker_v1  item_live:clicks_7d,    growth');
});

it('printValue writes lists, maps, numbers and nothing', () => {
  expect([null, undefined, 0, false, 3n, ['a', 1], { a: ['b'] }].map(printValue)).toEqual([
    '',
    '',
    '0',
    'false',
    '3',
    'a, 1',
    'a: b',
  ]);
});

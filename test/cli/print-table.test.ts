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

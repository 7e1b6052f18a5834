import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDay, parseDay } from '../../src/definitions/day.ts';
import { compareValues } from '../../src/definitions/value-order.ts';

describe('dates', () => {
  it('are the days that Date counts, wherever it can', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_528, max: 2_932_896 }), (days) => {
        const text = new Date(days * 86_400_000).toISOString().slice(0, 10);
        expect(formatDay(days)).toBe(text);
        expect(parseDay(text)).toBe(days);
      }),
    );
  });

  it('of any 32-bit count of days come back', () => {
    fc.assert(fc.property(fc.integer(), (days) => parseDay(formatDay(days)) === days));
  });

  it('that do not exist are none', () => {
    for (const text of ['2023-02-29', '2024-13-01', '2024-00-10', '2024-01-00', '2024-1-1', '', '20240101', '2024-01-01T00:00Z'])
      expect(parseDay(text)).toBeUndefined();
  });

  it('are ordered by time in any year (rule 3.1)', () => {
    const days = [-2_000_000, -719_529, -1, 0, 19_000, 2_932_897, 50_000_000];
    const texts = days.map(formatDay).sort((a, b) => compareValues({ kind: 'date' }, a, b));
    expect(texts.map(parseDay)).toEqual(days);
  });
});

import { describe, expect, it } from 'vitest';
import { parseDurationUs } from '../../src/definitions/duration.ts';

describe('parseDurationUs', () => {
  it.each([
    ['90s', 90_000_000n],
    ['5m', 300_000_000n],
    ['12h', 43_200_000_000n],
    ['7d', 604_800_000_000n],
    ['0d', 0n],
    ['0', 0n],
    ['3652500d', 315_576_000_000_000_000n],
  ])('rule 1.4: %s is %s microseconds', (text, us) => {
    expect(parseDurationUs(text)).toBe(us);
  });

  it.each(['', '5', '1h30m', '-5m', '1.5h', '5 m', '5M', '5ms', '2w', 'lifetime', '٣d'])(
    'rule 1.4: refuses "%s" and says how',
    (text) => {
      expect(() => parseDurationUs(text)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('90s, 5m, 12h, 7d') }),
      );
    },
  );

  it('refuses more than 64 bits of microseconds can hold around any instant', () => {
    expect(() => parseDurationUs('3652501d')).toThrow('at most 3652500d');
    expect(() => parseDurationUs('99999999999999999999999d')).toThrow('at most 3652500d');
  });

  it('refuses a number, which names no unit', () => {
    expect(() => parseDurationUs(90 as unknown as string)).toThrow('duration "90"');
  });
});

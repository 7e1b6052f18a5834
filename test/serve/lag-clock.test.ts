/** What waits in a log is as old as it was seen to be, and never older than it is, whatever looks find in whatever order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLagClock } from '../../src/serve/lag-clock.ts';

it('a record after a long silence has waited for nothing, and then for longer and longer', () => {
  const { look, isOlder } = createLagClock();
  expect(look('a', 10n, 10n, 0n)).toBe(0n);
  expect(look('a', 10n, 10n, 7200n)).toBe(0n);
  expect(look('a', 11n, 10n, 7205n)).toBe(0n);
  expect(look('a', 20n, 10n, 7300n)).toBe(95n);
  expect(isOlder('a')).toBe(false);
  // The next one was seen at 7300.
  expect(look('a', 20n, 11n, 7400n)).toBe(100n);
  expect(look('a', 20n, 20n, 7500n)).toBe(0n);
});

it('what the first look finds waiting may be older than it was seen, until it is applied', () => {
  const { look, isOlder } = createLagClock();
  expect(look('a', 3n, 0n, 0n)).toBeUndefined();
  expect(look('a', 9n, 1n, 50n)).toBe(50n);
  expect(isOlder('a')).toBe(true);
  expect(look('a', 9n, 3n, 60n)).toBe(10n);
  expect(isOlder('a')).toBe(false);
});

it('a log that is cut is looked at anew', () => {
  const { look, isOlder } = createLagClock();
  expect(look('a', 9n, 9n, 0n)).toBe(0n);
  expect(look('a', 4n, 9n, 10n)).toBeUndefined();
  expect(look('a', 12n, 9n, 20n)).toBeUndefined();
  expect(look('a', 12n, 9n, 30n)).toBe(10n);
  expect(look('a', 10n, 9n, 40n)).toBeUndefined();
  expect(isOlder('a')).toBe(true);
});

it('says no more than is so, and as much as was seen', () => {
  const step = fc.record({ came: fc.nat(3), applied: fc.nat(4), after: fc.nat(10) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2000, size: 'max' }), (steps) => {
      const { look, isOlder } = createLagClock();
      const came: number[] = [];
      let [next, now] = [0, 0];
      look('a', 0n, 0n, 0n);
      for (const { came: more, applied, after } of steps) {
        now += after;
        for (let at = 0; at < more; at++) came.push(now);
        next = Math.min(came.length, next + applied);
        const found = Number(look('a', BigInt(came.length), BigInt(next), BigInt(now)));
        const waited = next === came.length ? 0 : now - (came[next] as number);
        expect(found).toBeLessThanOrEqual(waited);
        expect(isOlder('a')).toBe(false);
        // Every record was seen as it came, and few ends wait.
        if (came.length - next < 500) expect(found).toBe(waited);
      }
    }),
  );
});

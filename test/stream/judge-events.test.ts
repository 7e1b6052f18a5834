/** Which events of a batch count where: late by the partition's own events, ahead by the batch's clock (rules 6.1, 6.6). */
import { expect, test } from 'vitest';
import type { DecodedEvents } from '../../src/stream/decode/decoded-events.ts';
import { type JudgeOptions, judgeEvents } from '../../src/stream/judge-events.ts';

const clockUs = 1_000_000_000_000n;

function judge(timesUs: readonly bigint[], options: Partial<JudgeOptions> = {}) {
  const decoded: DecodedEvents = {
    columns: { at: timesUs, n: timesUs.map((_, row) => BigInt(row)) },
    offsets: timesUs.map((_, row) => BigInt(10 + row)),
    setAside: [],
    ignored: { fields: [], others: 0 },
  };
  return judgeEvents(decoded, {
    ...{ eventTimestamp: 'at', clockUs, latenessUs: 100n, maxEventUs: undefined, fromUs: undefined, repeated: new Set() },
    ...options,
  });
}

test('the first events of a partition are never late, and as late as lateness is not too late', () => {
  expect(judge([-5000n, 1000n, 900n, 899n])).toMatchObject({
    ...{ rows: [0, 1, 2, 3], late: [false, false, false, true], setAside: [], maxEventUs: 1000n },
  });
});

test('lateness is measured from what was applied before, and never runs back', () => {
  expect(judge([500n, 901n], { maxEventUs: 1001n })).toMatchObject({ late: [true, false], maxEventUs: 1001n });
});

test('60 s ahead of the clock is taken; what is further ahead is set aside with its content, and delays nobody', () => {
  const most = clockUs + 60_000_000n;
  const judged = judge([most + 1n, most, clockUs], { latenessUs: 60_000_000n });
  expect(judged).toMatchObject({ rows: [1, 2], late: [false, false], maxEventUs: most });
  expect(judged.setAside).toMatchObject([{ offset: 10n, reason: expect.stringContaining('60 s ahead') }]);
  expect(JSON.parse(String(judged.setAside[0]?.value))).toEqual({ at: String(most + 1n), n: '0' });
});

test('events before a hand-over count nowhere, and still tell how far the partition is', () => {
  expect(judge([2000n, 1999n, 1899n], { fromUs: 1900n, maxEventUs: 1000n })).toMatchObject({ rows: [0, 1], maxEventUs: 2000n });
  expect(judge([2000n], { fromUs: 2001n })).toMatchObject({ rows: [], setAside: [], maxEventUs: 2000n });
});

test('an event that repeats an id is a duplicate whatever its time', () => {
  const judged = judge([100n, clockUs + 60_000_001n, 300n], { repeated: new Set([1, 2]) });
  expect(judged).toEqual({ rows: [0], late: [false], setAside: [], duplicates: 2, maxEventUs: 100n });
});

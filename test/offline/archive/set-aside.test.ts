/** What streams set aside: readable with its reason, once a batch, bounded, and gone with an erasure. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/observe.ts';
import { openArchive } from '../../../src/offline/archive/archive.ts';
import { openSetAside, type SetAsideBatch } from '../../../src/offline/archive/set-aside.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'set-aside-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const source = { name: 'clicks' };
const event = fc.record({
  offset: fc.bigInt({ min: 0n, max: 1n << 112n }),
  reason: fc.constantFrom('no JSON', 'a time in seconds', '__proto__', 'line\nbreak'),
  value: fc.option(fc.uint8Array({ maxLength: 20 })),
});

test('what was set aside is listed newest first, by partition and reason, each batch once', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('0', '1'), fc.array(event, { minLength: 1, maxLength: 4 }), fc.boolean()), {
        maxLength: 6,
      }),
      fc.integer({ min: 0, max: 8 }),
      async (drawn, limit) => {
        const kept = openSetAside(join(directory, String(runs++)));
        const batches = drawn.map(([partition, events], at): SetAsideBatch => {
          return { partition, from: BigInt(at), to: BigInt(at + 1), clockUs: BigInt(10 ** at), events };
        });
        for (const [at, batch] of batches.entries()) {
          await kept.keep(source, batch);
          if (drawn[at]?.[2]) await kept.keep(source, batch);
        }
        const all = batches
          .flatMap(({ partition, clockUs, events }) =>
            events.map((one) => ({ ...one, partition, clockUs, bytes: one.value?.length ?? 0 })),
          )
          .toReversed();
        const count = (some: typeof all) => {
          const counts = new Map<string, number>();
          for (const { reason } of some) counts.set(reason, (counts.get(reason) ?? 0) + 1);
          return [...counts].sort();
        };
        for (const partition of [undefined, '0']) {
          for (const reason of [undefined, 'time', 'none']) {
            const own = all.filter((one) => partition === undefined || one.partition === partition);
            const report = await kept.list('clicks', { limit, partition, reason });
            expect(report.events).toEqual(own.filter((one) => one.reason.includes(reason ?? '')).slice(0, limit));
            expect(Object.entries(report.counts).sort()).toEqual(count(own));
            expect([report.total, report.removed]).toEqual([own.length, 0]);
          }
        }
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

const batch = (at: number, bytes = 100): SetAsideBatch => ({
  ...{ partition: '0', from: BigInt(at), to: BigInt(at + 1), clockUs: BigInt(at) },
  events: [
    { offset: BigInt(at), reason: 'a', value: new Uint8Array(bytes).fill(at) },
    { offset: BigInt(at), reason: 'b', value: null },
  ],
});

test('the oldest make room beyond a number of files and bytes, and are counted; long values are cut', async () => {
  const few = openSetAside(directory, { maxFiles: 3 });
  for (let at = 0; at < 5; at++) await few.keep(source, batch(at));
  const report = await few.list('clicks', { limit: 100 });
  expect(report.events.map(({ offset }) => offset)).toEqual([4n, 4n, 3n, 3n, 2n, 2n]);
  expect({ ...report.counts, removed: report.removed }).toEqual({ a: 3, b: 3, removed: 4 });
  const small = openSetAside(directory, { maxBytes: 2000, maxValueBytes: 200 });
  for (let at = 5; at < 20; at++) await small.keep(source, batch(at, 500));
  const folder = join(directory, 'clicks');
  const bytes = readdirSync(folder).reduce(
    (sum, name) => sum + (name.endsWith('.jsonl') ? statSync(join(folder, name)).size : 0),
    0,
  );
  expect(bytes).toBeLessThanOrEqual(2000);
  const after = await small.list('clicks', { limit: 100, reason: 'a' });
  expect(after.events[0]).toMatchObject({ offset: 19n, bytes: 500, value: new Uint8Array(200).fill(19) });
  expect((after.counts.a as number) * 2 + after.removed).toBe(40);
  const tight = openSetAside(join(directory, 'tight'), { maxBatchBytes: 100 });
  await tight.keep(source, { ...batch(1), events: [...batch(1).events, ...batch(2).events] });
  expect((await tight.list('clicks', { limit: 9 })).events.map(({ bytes, value }) => [bytes, value?.length])).toEqual([
    [0, undefined],
    [100, undefined],
    [0, undefined],
    [100, 100],
  ]);
});

test('an erasure removes what was set aside of its source, and of no other (rule 8.4)', async () => {
  const archive = openArchive({ directory, logger: silentLogger });
  await archive.setAside.keep(source, batch(1));
  await archive.setAside.keep({ name: 'views' }, batch(1));
  await archive.erase('clicks');
  expect((await archive.setAside.list('clicks', { limit: 10 })).events).toEqual([]);
  expect((await archive.setAside.list('views', { limit: 10 })).events.length).toBe(2);
  await archive.close();
});

/** The ticks that an answer needs, against all ticks one by one. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LookupPlan } from '../../../src/offline/plan.ts';
import { planNeededTicks } from '../../../src/offline/ticks/needed-ticks.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';

const second = 1_000_000n;
const source = (seconds: number) =>
  ({ name: 'daily', kind: 'sql', query: { every: `${seconds}s`, inputs: [] } }) as unknown as SourceDocument;
const lookup = (of: SourceDocument, ttlUs: bigint, delayUs: bigint) =>
  ({ view: { name: 'view' }, source: of, ttlUs, delayUs }) as unknown as LookupPlan;

const seconds = fc.bigInt({ min: -200n, max: 200n }).map((at) => at * second + 1n);

it('3: every tick whose row can win at a time of the frame is among them, and with a ttl none that is far from all', () => {
  const given = fc.record({
    every: fc.integer({ min: 1, max: 30 }),
    ttl: fc.bigInt({ min: 1n, max: 90n }),
    delay: fc.bigInt({ min: 0n, max: 60n }),
    times: fc.array(seconds, { minLength: 1, maxLength: 5 }),
  });
  return fc.assert(
    fc.asyncProperty(given, async ({ every, ttl, delay, times }) => {
      const sorted = times.toSorted((a, b) => (a < b ? -1 : 1));
      const [least, greatest] = [sorted[0] as bigint, sorted.at(-1) as bigint];
      const plan = { lookups: [lookup(source(every), ttl * second, delay * second)], features: [] };
      const [needed] = await planNeededTicks(plan, { leastUs: least, greatestUs: greatest }, async () => undefined);
      const { firstUs, lastUs } = needed as NonNullable<typeof needed>;
      const everyUs = BigInt(every) * second;
      expect([firstUs % everyUs, lastUs % everyUs]).toEqual([0n, 0n]);
      const ticks = Array.from({ length: 1200 }, (_, at) => BigInt(at - 600) * everyUs);
      const visible = (tick: bigint, at: bigint) => tick + delay * second <= at;
      for (const at of times) {
        const young = ticks.filter((tick) => visible(tick, at) && tick >= at - ttl * second);
        const latest = ticks.filter((tick) => visible(tick, at)).at(-1) as bigint;
        for (const tick of [...young, latest]) expect(tick >= firstUs && tick <= lastUs).toBe(true);
      }
      expect(visible(lastUs, greatest)).toBe(true);
      const tooOld = firstUs < least - ttl * second;
      expect(!tooOld || !visible(firstUs + everyUs, least)).toBe(true);
    }),
  );
});

it('without a ttl and for a fitted default all since the first row of the inputs, once for all views of a source', async () => {
  const of = source(10);
  const times = { leastUs: 95n * second, greatestUs: 127n * second };
  const oldestUs = async () => 35n * second;
  const needs = async (lookups: readonly LookupPlan[], features: readonly unknown[] = []) =>
    await planNeededTicks({ lookups, features: features as never }, times, oldestUs);
  const none = lookup(of, 0n, 0n);
  const short = lookup(of, 5n * second, 0n);
  const range = { firstUs: 40n * second, lastUs: 120n * second };
  expect(await needs([none])).toMatchObject([{ ...range, reachesBack: { view: 'view', because: 'no ttl' } }]);
  expect(await needs([short])).toMatchObject([{ firstUs: 90n * second, lastUs: 120n * second, reachesBack: undefined }]);
  const fitted = [{ lookup: 0, feature: { default: { fitted: 'mean' } } }];
  expect(await needs([short], fitted)).toMatchObject([{ ...range, reachesBack: { because: 'a fitted default' } }]);
  expect(await needs([short, none])).toMatchObject([range]);
  expect(await planNeededTicks({ lookups: [none], features: [] }, times, async () => undefined)).toMatchObject([
    { firstUs: 90n * second, lastUs: 120n * second },
  ]);
});

/** Usage of several servers on one store, held to a plain loop over all reads. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { instantOf, readUsage } from '../../src/lifecycle/usage-records.ts';
import { createUsageTally } from '../../src/lifecycle/usage-tally.ts';
import { silentLogger } from '../../src/observe.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords, type OnlineRecords } from '../../src/online/records.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-usage-'));
const store = openLmdbStore(directory);
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Names of methods among them: they are names like others. */
const features = ['a', 'b', 'constructor'];
const views = ['v', 'toString'];
const readers = ['anonymous', 'ranker', '__proto__', 'constructor'];
const plans = views.flatMap((view) =>
  features.map((feature, at) => ({
    names: {
      features: [
        { view, feature },
        { view: 'v', feature: 'a' },
      ],
      service: at === 0 ? view : undefined,
    },
  })),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ server: fc.nat(2), plan: fc.nat(plans.length - 1), reader: fc.nat(3), second: fc.nat(1000) }),
  },
  { weight: 1, arbitrary: fc.record({ server: fc.nat(2), flush: fc.constant(true) }) },
);
const dayMs = 86_400_000;
const startMs = Date.parse('2026-05-01T00:00:00Z');

let project = 0;

test('the last read of each feature, service and reader is stored, whichever server was asked and stores first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      project += 1;
      const records = createOnlineRecords(store, `p${project}`);
      let nowMs = startMs;
      const servers = [0, 1, 2].map(() => createUsageTally({ records, logger: silentLogger, nowMs: () => nowMs }));
      const expected = new Map<string, string>();
      const note = (key: string) => {
        if (instantOf(nowMs) > (expected.get(key) ?? '')) expected.set(key, instantOf(nowMs));
      };
      for (const one of steps) {
        const server = servers[one.server] as (typeof servers)[number];
        if ('flush' in one) {
          await server.flush();
          continue;
        }
        nowMs = Math.max(nowMs, startMs + one.second * 1000);
        const plan = plans[one.plan] as (typeof plans)[number];
        const reader = readers[one.reader] as string;
        server.read(plan, () => plan.names, reader);
        for (const { view, feature } of plan.names.features) note(JSON.stringify([view, feature, reader]));
        if (plan.names.service !== undefined) note(JSON.stringify([plan.names.service, reader]));
      }
      await Promise.all(servers.map((server) => server.stop()));
      const usage = await readUsage(records, { views, services: views });
      const found = new Map<string, string>();
      for (const [view, reads] of usage.features)
        for (const [feature, by] of Object.entries(reads))
          for (const [reader, at] of Object.entries(by)) found.set(JSON.stringify([view, feature, reader]), at);
      for (const [service, by] of usage.services)
        for (const [reader, at] of Object.entries(by)) found.set(JSON.stringify([service, reader]), at);
      expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
    }),
    { numRuns: 60 },
  );
});

test('of one feature the latest 50 readers of 400 days are kept', async () => {
  const records = createOnlineRecords(store, 'bounds');
  let nowMs = startMs - 500 * dayMs;
  const tally = createUsageTally({ records, logger: silentLogger, nowMs: () => nowMs });
  const names = { features: [{ view: 'v', feature: 'a' }], service: undefined };
  tally.read(names, () => names, 'long ago');
  await tally.flush();
  nowMs = startMs;
  tally.read(names, () => names, 'now');
  await tally.flush();
  const readersOf = async () =>
    Object.keys((await readUsage(records, { views: ['v'], services: [] })).features.get('v')?.a ?? {});
  expect(await readersOf()).toEqual(['now']);
  for (let at = 0; at < 60; at++) {
    nowMs += 1000;
    tally.read(names, () => names, `reader ${at}`);
  }
  await tally.stop();
  expect(await readersOf()).toEqual(Array.from({ length: 50 }, (_, at) => `reader ${59 - at}`));
});

test('what could not be stored is stored the next time, and the failure is told of once', async () => {
  const real = createOnlineRecords(store, 'away');
  let isAway = true;
  const records: OnlineRecords = {
    ...real,
    update: (...args) => (isAway ? Promise.reject(new Error('the store is away')) : real.update(...args)),
  };
  const warned: string[] = [];
  const logger = { warn: (_: object, message: string) => void warned.push(message) };
  const tally = createUsageTally({ records, logger, nowMs: () => startMs });
  const names = { features: [{ view: 'v', feature: 'a' }], service: 's' };
  tally.read(names, () => names, 'ranker');
  await tally.flush();
  await tally.flush();
  expect(warned).toHaveLength(1);
  isAway = false;
  await tally.stop();
  const usage = await readUsage(real, { views: ['v'], services: ['s'] });
  expect(usage.features.get('v')).toEqual({ a: { ranker: instantOf(startMs) } });
  expect(usage.services.get('s')).toEqual({ ranker: instantOf(startMs) });
});

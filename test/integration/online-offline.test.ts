/** Rule 9 over a real Redis and through real HTTP: what is served at T is what a training set holds at T. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { History } from '../../src/offline/history.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { openTestHistory } from '../support/answer-with-engine.ts';
import { askThroughHttp } from '../support/ask-http.ts';
import { askInProcess } from '../support/ask-online.ts';
import { checkParity, type ParitySetting } from '../support/online-parity.ts';
import { openTestRedis } from '../support/open-redis-store.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';

/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 15);
const root = mkdtempSync(join(tmpdir(), 'online-offline-'));
let redis: RedisServer;
let store: OnlineStore;
let history: History;
let repositories = 0;

beforeAll(async () => {
  redis = await startRedis();
  store = openTestRedis({ url: `redis://${redis.address}` });
  history = await openTestHistory(root, { bucketBytes: 4096 });
});

afterAll(async () => {
  await history.close();
  await store.close();
  await redis.stop();
  rmSync(root, { recursive: true, force: true });
});

test('section 9: on Redis the online answer at T is the training value at T', async () => {
  await compareMany(askInProcess(store));
});

test('section 9: through HTTP the online answer at T is the training value at T', async () => {
  const http = await askThroughHttp(store);
  try {
    await compareMany(http.ask);
  } finally {
    await http.stop();
  }
});

async function compareMany(ask: ParitySetting['ask']): Promise<void> {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      compared += await checkParity(g, `p${repositories++}`, { history, root, store, ask });
    }),
    { numRuns, endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined },
  );
  expect(compared).toBeGreaterThan(numRuns);
}

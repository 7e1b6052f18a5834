/** Rule 9 in process, on LMDB: what is served at T is what a training set holds at T. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { openTestHistory } from '../support/answer-with-engine.ts';
import { askInProcess } from '../support/ask-online.ts';
import { checkParity } from '../support/online-parity.ts';

/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 25);

test(
  'section 9: the online answer at T is the training value at T, for every type',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'parity-'));
    const history = await openTestHistory(root, { bucketBytes: 4096 });
    const store = openLmdbStore(join(root, 'online'));
    let count = 0;
    let compared = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          compared += await checkParity(g, `p${count++}`, { history, root, store, ask: askInProcess(store) });
        }),
        { numRuns, endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined },
      );
      expect(compared).toBeGreaterThan(numRuns);
    } finally {
      await history.close();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    }
  },
  60_000 + numRuns * 2000,
);
